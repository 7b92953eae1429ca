"""What a method that has just been trained gives on subjects that it never saw."""

from collections.abc import Generator, Sequence

from mrviewer.database import Subject
from mrviewer.evaluation.conditions import SamplingCondition, learned_patterns_of
from mrviewer.evaluation.findings import Finding, summarise
from mrviewer.evaluation.measuring import measure_study
from mrviewer.method import Method
from mrviewer.methods.registry import get_method
from mrviewer.progress import Progress

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
        `mrviewer.evaluation.findings.summarise`.
    """
    usual = SamplingCondition()
    name = method.card.name
    runs: list[tuple[str, Method, SamplingCondition]] = [
        ("zero-filled", get_method("zero-filled"), usual),
        (name, method, usual),
    ]
    if any(pattern.dimensions == 1 for pattern in learned_patterns_of(method) or ()):
        runs.append((f"{name} on its own mask", method, SamplingCondition("learned")))
    figures: dict[str, dict[str, object]] = {}
    findings: list[Finding] = []
    for subject in subjects:
        study = subject.load()
        modality = study.choose_modality()
        figures[subject.name] = {}
        for label, candidate, sampling in runs:
            if not candidate.fits(study, modality):
                continue
            measured = yield from measure_study(candidate, study, sampling, modality=modality, device=device)
            figures[subject.name][label] = measured.to_json()
            if label == name:
                findings.append(measured.finding)
    card = method.card
    if findings and card.answers_for_study:
        figures["all subjects"] = {card.name: summarise(findings, card.regresses, card.classifies)}
    return figures
