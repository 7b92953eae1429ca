"""A row for every subject of a database: what it holds, what is odd, and what it is used for. No Qt."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from mrviewer.database import DatabaseMapping, Subject, Survey, SurveyedSubject, split_by_patient
from mrviewer.errors import InputError
from mrviewer.study import Study

__all__ = [
    "Role",
    "SubjectRow",
    "proposed_validation",
    "split_text",
    "subject_rows",
    "toggle_validation",
    "whole_messages",
]

_ABOUT_FILES = ("missing-file", "broken-file")
"""Kinds of oddities that mean that a table, a name or a download is wrong; nothing else in the window shows them."""
_SHARE = 0.25
_SEED = 1


class Role(Enum):
    """What a subject is used for; the value stands in the table."""

    TRAINING = "training"
    VALIDATION = "validation"
    LEFT_OUT = "left out"
    UNUSABLE = "cannot be used"


@dataclass(frozen=True)
class SubjectRow:
    """One subject.

    Parameters
    ----------
    name, patient
        Of the subject, and of whom it is a study.
    modalities
        Mapped modalities that it has.
    labelled
        Whether it has the chosen label.
    shape, voxel_mm : (z, y, x)
        Grid of its first image.
    oddities
        What is odd, a sentence each.
    harmless
        Whether nothing odd needs a person's eye.
    role
        What it is used for.
    """

    name: str
    patient: str
    modalities: tuple[str, ...]
    labelled: bool
    shape: tuple[int, ...]
    voxel_mm: tuple[float, ...]
    oddities: tuple[str, ...]
    harmless: bool
    role: Role


def subject_rows(
    survey: Survey, mapping: DatabaseMapping, validation: Iterable[str], *, needs_labels: bool
) -> tuple[SubjectRow, ...]:
    """Describe every subject under a mapping, then those of which nothing opens."""
    held_out = set(validation)
    rows = [_row(subject, mapping, held_out, needs_labels=needs_labels) for subject in survey.subjects]
    return (*rows, *(_row_of_skipped(survey, name) for name in survey.skipped))


def _row_of_skipped(survey: Survey, name: str) -> SubjectRow:
    messages = tuple(oddity.message for oddity in survey.oddities if oddity.subject == name)
    return SubjectRow(name, name, (), False, (), (), messages, False, Role.UNUSABLE)


def whole_messages(survey: Survey, *, harmless: bool) -> tuple[str, ...]:
    """What is odd about a database as a whole, and every file that is named and is not there or does not open."""
    return tuple(
        oddity.message
        for oddity in survey.oddities
        if oddity.harmless is harmless and (not oddity.subject or oddity.kind in _ABOUT_FILES)
    )


def _row(subject: SurveyedSubject, mapping: DatabaseMapping, held_out: set[str], *, needs_labels: bool) -> SubjectRow:
    modalities = tuple(dict.fromkeys(filter(None, (mapping.modalities.get(name, "") for name in subject.channels))))
    labelled = mapping.label is not None and mapping.label in subject.labels
    role = Role.VALIDATION if subject.name in held_out else Role.TRAINING
    if not modalities or (needs_labels and not labelled):
        role = Role.UNUSABLE
    elif subject.name in mapping.excluded:
        role = Role.LEFT_OUT
    return SubjectRow(
        name=subject.name,
        patient=subject.patient or subject.name,
        modalities=modalities,
        labelled=labelled,
        shape=subject.shape,
        voxel_mm=mapping.voxel_mm or subject.voxel_mm,
        oddities=tuple(odd.message for odd in sorted(subject.oddities, key=lambda odd: odd.harmless)),
        harmless=all(oddity.harmless for oddity in subject.oddities),
        role=role,
    )


def proposed_validation(rows: Sequence[SubjectRow], share: float = _SHARE) -> tuple[str, ...]:
    """Names of a quarter of the patients, chosen at random but always the same; none where there are too few."""
    usable = [row for row in rows if row.role in (Role.TRAINING, Role.VALIDATION)]
    candidates = [Subject(row.name, _closed, patient=row.patient, labelled=row.labelled) for row in usable]
    try:
        held_out = split_by_patient(candidates, share, _SEED)
    except InputError:
        return ()
    return tuple(subject.name for subject in held_out[1])


def _closed() -> Study:
    raise InputError("a subject that is only counted cannot be opened; open its database first")


def toggle_validation(rows: Sequence[SubjectRow], name: str, on: bool, before: Iterable[str]) -> tuple[str, ...]:
    """Hold a subject out, or train on it, with every other study of the same patient."""
    patient = next(row.patient for row in rows if row.name == name)
    theirs = {row.name for row in rows if row.patient == patient}
    wanted = {*before, *theirs} if on else {*before} - theirs
    return tuple(row.name for row in rows if row.name in wanted)


def split_text(rows: Sequence[SubjectRow], *, names: bool = False) -> str:
    """Say how many are trained on and held out, and by `names` who."""
    training = {row.patient for row in rows if row.role is Role.TRAINING}
    validation = {row.patient for row in rows if row.role is Role.VALIDATION}
    if not training | validation:
        return "no subject can be used"
    text = f"{_count(len(training), 'patient')} to train on, {len(validation)} to validate on"
    if not validation:
        return f"{text}; tick some in the Validation column"
    return f"{text}: {', '.join(sorted(validation))}" if names else text


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + "s" * (number != 1)
