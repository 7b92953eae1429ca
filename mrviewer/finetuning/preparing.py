"""Preparing a database for training: a subject that cannot be used is named and left out, and the others go on."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mrviewer.database import Subject
from mrviewer.errors import InputError, MrviewerError
from mrviewer.progress import Progress, Skipped
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
    """

    source: BatchSource
    training: tuple[Subject, ...]
    skipped: dict[str, str]


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
    job = recipe.source(subjects)
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
    return Prepared(source, tuple(subject for subject in subjects if subject.name not in skipped), skipped)
