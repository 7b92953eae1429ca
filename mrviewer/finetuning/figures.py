"""Figures of a method on the validation cases: each subject in full, by the same functions as everybody's numbers."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from mrviewer.database import Subject
from mrviewer.errors import MrviewerError
from mrviewer.findings import Finding, summarise
from mrviewer.method import Method
from mrviewer.progress import Progress, retold
from mrviewer.training.evaluate import Terms, measure_study

__all__ = ["Figures", "mean_figures", "measure_subjects", "merged"]

_GROUPS = ("image", "image_in_object", "segmentation")

Figures = dict[str, Any]
"""As JSON: ``subjects`` (``{name: {image, segmentation, seconds, lesions}}``), ``failures`` (``{name: why}``), and
``findings`` of a method that regresses or classifies."""


def measure_subjects(
    method: Method, subjects: Sequence[Subject], terms: Terms, device: str
) -> Generator[Progress, None, Figures]:
    """Measure a method on subjects; one that cannot be measured is named with the reason and passed over."""
    measured: dict[str, Any] = {}
    failures: dict[str, str] = {}
    findings: list[Finding] = []
    for number, subject in enumerate(subjects):
        words = f"measuring {subject.name}"
        yield Progress(number, len(subjects), words)
        try:
            job = measure_study(method, subject.load(), terms, device)
            figures = yield from retold(job, partial(_as_part, done=number, total=len(subjects), words=words))
        except (MrviewerError, OSError) as error:
            failures[subject.name] = str(error)
            continue
        findings.append(figures.finding)
        measured[subject.name] = {
            **{group: figures.metrics[group] for group in _GROUPS},
            "seconds": round(float(str(figures.metrics["seconds"])), 3),
            "lesions": [asdict(lesion) for lesion in figures.lesions],
        }
    card = method.card
    summary = summarise(findings, card.regresses, card.classifies) if card.regresses or card.classifies else None
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


def mean_figures(subjects: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float | None]]:
    """Mean over subjects of each figure of ``metrics.json``; `None` where no subject has it."""
    means: dict[str, dict[str, float | None]] = {}
    for group in _GROUPS:
        # Runs of earlier versions lack a group.
        parts = [figures.get(group, {}) for figures in subjects.values()]
        names = dict.fromkeys(name for part in parts for name in part)
        means[group] = {name: _mean([part.get(name) for part in parts]) for name in names}
    return means


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
