"""Corrections that were saved beside the images, as a further source of labels."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mrviewer.database.found import FoundSubject
from mrviewer.database.survey import Oddity
from mrviewer.writers.corrections import Correction, list_corrections, survey_corrections

__all__ = ["CORRECTIONS", "unreadable_corrections", "with_corrections"]

CORRECTIONS = "corrections"


def with_corrections(subjects: Sequence[FoundSubject]) -> tuple[FoundSubject, ...]:
    """Add corrected labels to subjects: the newest one of each.

    Where any subject has one there is the source ``corrections``, and for each other source ``corrections+SOURCE``:
    the correction where there is one, else the label of that source.
    """
    known: dict[Path, list[Correction]] = {}
    newest = {subject.name: _newest(subject, known) for subject in subjects}
    if not any(newest.values()):
        return tuple(subjects)
    return tuple(_with_sources(subject, newest[subject.name]) for subject in subjects)


def unreadable_corrections(subjects: Sequence[FoundSubject]) -> list[Oddity]:
    """Corrections beside the images that cannot be read; the others are used."""
    folders = dict.fromkeys(path.parent for subject in subjects for path in subject.channels.values())
    reasons = [reason for folder in folders for reason in survey_corrections(folder)[1]]
    return [Oddity("", "broken-file", f"a correction is left out: {reason}") for reason in reasons]


def _newest(subject: FoundSubject, known: dict[Path, list[Correction]]) -> Path | None:
    """Newest correction of any image of a subject; each folder is listed once."""
    files = {path.parent: {other.name for other in subject.channels.values()} for path in subject.channels.values()}
    found: list[Correction] = []
    for folder, names in files.items():
        if folder not in known:
            known[folder] = list_corrections(folder)
        found += [each for each in known[folder] if names & set(each.images)]
    return max(found, key=lambda each: each.made).path if found else None


def _with_sources(subject: FoundSubject, correction: Path | None) -> FoundSubject:
    labels = dict(subject.labels)
    for source, path in subject.labels.items():
        labels[f"{CORRECTIONS}+{source}"] = correction or path
    if correction is not None:
        labels[CORRECTIONS] = correction
    return replace(subject, labels=labels)
