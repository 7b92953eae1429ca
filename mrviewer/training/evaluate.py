"""Figures of a method on subjects that it never saw, by the same functions as everybody's numbers."""

from collections.abc import Generator, Sequence

from mrviewer.acquisition import raw_data
from mrviewer.assess import assess_run
from mrviewer.database import Subject
from mrviewer.findings import Finding, finding_of, summarise
from mrviewer.method import Method, get_method
from mrviewer.progress import Progress
from mrviewer.reconstruct import reconstruct
from mrviewer.sampling import LearnedPattern, make_mask, mask_of_patterns
from mrviewer.sampling.learned import OffersPatterns
from mrviewer.sampling.request import MaskRequest
from mrviewer.writers.results import describe_findings

__all__ = ["evaluate_subjects"]


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
        modality = study.choose_modality()
        shape = raw_data(study, modality).shape[2:]
        random = make_mask("random", shape, 4.0, 0.08, 0)
        runs = {"zero-filled": (get_method("zero-filled"), random), method.card.name: (method, random)}
        if lines := _learned_lines(method):
            own = mask_of_patterns(lines, "learned", MaskRequest(*shape, 4.0))
            runs[f"{method.card.name} on its own mask"] = (method, own)
        figures[subject.name] = {}
        for name, (candidate, mask) in runs.items():
            if not candidate.fits(study, modality):
                continue
            run = yield from reconstruct(study, candidate, mask, modality=modality, device=device)
            labels = None if study.labels is None else study.labels.volume()
            metrics = assess_run(run, labels).to_json()
            figures[subject.name][name] = {**metrics, **describe_findings(run), "seconds": run.seconds}
            if name == method.card.name:
                findings.append(finding_of(run, study))
    card = method.card
    if findings and (card.regresses or card.classifies):
        figures["all subjects"] = {card.name: summarise(findings, card.regresses, card.classifies)}
    return figures


def _learned_lines(method: Method) -> list[LearnedPattern]:
    patterns = method.learned_patterns() if isinstance(method, OffersPatterns) else ()
    return [pattern for pattern in patterns if pattern.dimensions == 1]
