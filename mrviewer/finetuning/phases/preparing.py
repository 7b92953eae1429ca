"""Preparing a database for training: a subject that cannot be used is named and left out, and the others go on."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mrviewer.database import Subject
from mrviewer.errors import InputError, MrviewerError
from mrviewer.notes import NoteKind, as_note
from mrviewer.progress import Progress, Skipped
from mrviewer.study import Study
from mrviewer.training.recipe import BatchSource, Recipe

__all__ = ["DatabaseWatch", "Prepared", "prepare"]


@dataclass(frozen=True, eq=False)
class Prepared:
    """A database ready for training.

    Parameters
    ----------
    source
        Of batches.
    training
        Subjects in it.
    skipped
        Why others are not, by name.
    label_notes
        What files of labels say of themselves, by name of the subject; of subjects that had to be opened.
    """

    source: BatchSource
    training: tuple[Subject, ...]
    skipped: dict[str, str]
    label_notes: dict[str, list[str]]


@dataclass(frozen=True)
class _Heard:
    """Opens a subject, and keeps what its labels say of themselves."""

    subject: Subject
    notes: dict[str, list[str]]

    def __call__(self) -> Study:
        study = self.subject.load()
        if said := [str(note) for note in map(as_note, study.notes) if note.kind is NoteKind.LABELS]:
            self.notes[self.subject.name] = said
        return study


class DatabaseWatch:
    """Tells a database that is gone from a subject that is broken.

    Parameters
    ----------
    database
        As named in the plan; simulated ones are always there.
    """

    def __init__(self, database: Sequence[str]) -> None:
        self._roots = [path for path in map(Path, database) if path.exists()]

    def require(self) -> None:
        """Raise `InputError` if a folder of the database that was there is gone."""
        for root in self._roots:
            if not root.exists():
                raise InputError(
                    f"the database {root.name!r} is gone; bring it back and resume, what was trained so far is kept"
                )


def prepare(recipe: Recipe, subjects: Sequence[Subject], watch: DatabaseWatch) -> Generator[Progress, None, Prepared]:
    """Prepare subjects by a recipe, and note those that it leaves out.

    Raises
    ------
    InputError
        If the database is gone, or none of its subjects can be used.
    """
    skipped: dict[str, str] = {}
    notes: dict[str, list[str]] = {}
    job = recipe.source([replace(subject, load=_Heard(subject, notes)) for subject in subjects])
    try:
        while True:
            try:
                step = next(job)
            except StopIteration as end:
                source: BatchSource = end.value
                break
            if isinstance(step.detail, Skipped):
                watch.require()
                skipped[step.detail.subject] = step.detail.reason
            yield step
    except MrviewerError:
        watch.require()
        raise
    finally:
        job.close()
    training = tuple(subject for subject in subjects if subject.name not in skipped)
    return Prepared(source, training, skipped, notes)
