"""Figures of a method on the validation cases: each subject in full, by the same functions as everybody's numbers."""

from collections.abc import Generator, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from mrviewer.database import Subject
from mrviewer.errors import MrviewerError
from mrviewer.evaluation.conditions import SamplingCondition
from mrviewer.evaluation.findings import Finding, summarise
from mrviewer.evaluation.measuring import measure_study
from mrviewer.method import Method
from mrviewer.progress import Progress, retold

__all__ = ["Figures", "measure_subjects", "merged"]

Figures = dict[str, Any]
"""As JSON: ``subjects`` (``{name: {image, segmentation, seconds, lesions}}``), ``failures`` (``{name: why}``), and
``findings`` of a method that regresses or classifies."""


def measure_subjects(
    method: Method, subjects: Sequence[Subject], sampling: SamplingCondition, modality: str, device: str
) -> Generator[Progress, None, Figures]:
    """Measure a method on subjects; one that cannot be measured is named with the reason and passed over."""
    measured: dict[str, Any] = {}
    failures: dict[str, str] = {}
    findings: list[Finding] = []
    for number, subject in enumerate(subjects):
        words = f"measuring {subject.name}"
        yield Progress(number, len(subjects), words)
        try:
            job = measure_study(method, subject.load(), sampling, modality=modality, device=device)
            one = yield from retold(job, partial(_as_part, done=number, total=len(subjects), words=words))
        except (MrviewerError, OSError) as error:
            failures[subject.name] = str(error)
            continue
        findings.append(one.finding)
        lesions = one.assessment.lesions
        measured[subject.name] = {
            **one.groups,
            "seconds": round(one.run.seconds, 3),
            "lesions": [] if lesions is None else [asdict(lesion) for lesion in lesions.rows],
        }
    card = method.card
    summary = summarise(findings, card.regresses, card.classifies) if card.answers_for_study else None
    return {"subjects": measured, "failures": failures, "findings": summary}


def _as_part(step: Progress, *, done: int, total: int, words: str) -> Progress:
    return Progress(done, total, f"{words}, {step.message}")


def merged(shares: Sequence[Figures]) -> Figures:
    """Figures that several processes measured; answers about studies as a whole are those of the first."""
    return {
        "subjects": {name: value for share in shares for name, value in share["subjects"].items()},
        "failures": {name: why for share in shares for name, why in share["failures"].items()},
        "findings": shares[0]["findings"],
    }
