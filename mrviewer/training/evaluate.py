"""Figures of a method on subjects that it never saw, by the same functions as everybody's numbers."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

from mrviewer.acquisition import raw_data
from mrviewer.assess import assess_run
from mrviewer.database import Subject
from mrviewer.findings import Finding, finding_of, summarise
from mrviewer.lesions import Lesion
from mrviewer.method import Method
from mrviewer.progress import Progress
from mrviewer.reconstruct import reconstruct
from mrviewer.registry import get_method
from mrviewer.sampling import LearnedPattern, Mask, make_mask, mask_of_patterns
from mrviewer.sampling.learned import OffersPatterns
from mrviewer.sampling.request import MaskRequest
from mrviewer.study import Study
from mrviewer.writers.results import describe_findings

__all__ = ["StudyFigures", "Terms", "evaluate_subjects", "mask_for", "measure_study", "measured_modality"]


@dataclass(frozen=True)
class Terms:
    """On what a method is measured.

    Parameters
    ----------
    modality
        Measured image; empty for the study's choice.
    mask, acceleration, center_fraction, seed
        See `mrviewer.sampling.make_mask`.
    """

    modality: str = ""
    mask: str = "random"
    acceleration: float = 4.0
    center_fraction: float = 0.08
    seed: int = 0


@dataclass(frozen=True, eq=False)
class StudyFigures:
    """What was measured of one study.

    Parameters
    ----------
    metrics
        As in ``metrics.json``, and ``seconds``.
    lesions
        Rows of the lesion table; none without labels.
    finding
        For figures over several studies.
    """

    metrics: Mapping[str, object]
    lesions: tuple[Lesion, ...]
    finding: Finding


def evaluate_subjects(
    method: Method, subjects: Sequence[Subject], device: str
) -> Generator[Progress, None, dict[str, dict[str, object]]]:
    """Run a method, and zero filling, on the FLAIR (or first) image of each subject at R = 4 with 8 % centre.

    A method that has learned where to sample is measured a second time, on lines of its own.

    Returns
    -------
    dict
        ``{subject: {method: metrics}}``, metrics as in ``metrics.json``; the second time is ``METHOD on its own mask``.
        For a method that regresses or classifies also ``{"all subjects": {method: summary}}``, see
        `mrviewer.findings.summarise`.
    """
    figures: dict[str, dict[str, object]] = {}
    findings: list[Finding] = []
    for subject in subjects:
        study = subject.load()
        shape = raw_data(study, study.choose_modality()).shape[2:]
        zero_filled = get_method("zero-filled")
        runs: dict[str, tuple[Method, Mask | None]] = {
            "zero-filled": (zero_filled, None),
            method.card.name: (method, None),
        }
        if lines := _learned_lines(method):
            own = mask_of_patterns(lines, "learned", MaskRequest(*shape, 4.0))
            runs[f"{method.card.name} on its own mask"] = (method, own)
        figures[subject.name] = {}
        for name, (candidate, mask) in runs.items():
            if not candidate.fits(study, study.choose_modality()):
                continue
            measured = yield from measure_study(candidate, study, Terms(), device, mask)
            figures[subject.name][name] = dict(measured.metrics)
            if name == method.card.name:
                findings.append(measured.finding)
    card = method.card
    if findings and (card.regresses or card.classifies):
        figures["all subjects"] = {card.name: summarise(findings, card.regresses, card.classifies)}
    return figures


def measure_study(
    method: Method, study: Study, terms: Terms, device: str, mask: Mask | None = None
) -> Generator[Progress, None, StudyFigures]:
    """Run a method on a study and hold what it gives against what is known.

    Parameters
    ----------
    method
        It must fit the study.
    study
        With labels where segmentation is to be measured.
    terms
        Image and sampling.
    device
        See `mrviewer.device.resolve_device`.
    mask
        In place of the one that the terms describe.

    Raises
    ------
    DoesNotFitError
        If the method cannot be run on this study, with its reason.
    """
    modality = measured_modality(method, study, terms)
    mask = mask_for(method, raw_data(study, modality).shape[2:], terms) if mask is None else mask
    run = yield from reconstruct(study, method, mask, modality=modality, device=device, keep_reference=False)
    assessment = assess_run(run, None if study.labels is None else study.labels.volume())
    metrics = {**assessment.to_json(), **describe_findings(run), "seconds": run.seconds}
    lesions = () if assessment.lesions is None else assessment.lesions.rows
    return StudyFigures(metrics, lesions, finding_of(run, study))


def measured_modality(method: Method, study: Study, terms: Terms) -> str:
    """Image that a method is measured on: that of the terms, else the study's choice, else the first that fits."""
    chosen = study.choose_modality(terms.modality or None)
    if terms.modality or method.fits(study, chosen):
        return chosen
    return next((name for name in study.modalities if method.fits(study, name)), chosen)


def mask_for(method: Method, shape: Sequence[int], terms: Terms) -> Mask:
    """Sampling mask for slices ``(y, x)``; ``learned`` is the one that this method, with these weights, has learned."""
    height, width = shape
    if terms.mask == "learned" and (lines := _learned_lines(method)):
        return mask_of_patterns(lines, "learned", MaskRequest(height, width, terms.acceleration))
    return make_mask(terms.mask, (height, width), terms.acceleration, terms.center_fraction, terms.seed)


def _learned_lines(method: Method) -> list[LearnedPattern]:
    patterns = method.learned_patterns() if isinstance(method, OffersPatterns) else ()
    return [pattern for pattern in patterns if pattern.dimensions == 1]
