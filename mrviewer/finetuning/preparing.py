"""Preparing a database for training: a subject that cannot be used is named and left out, and the others go on."""

import errno
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mrviewer.database import Subject
from mrviewer.errors import InputError, MrviewerError
from mrviewer.progress import Progress
from mrviewer.study import Study
from mrviewer.training.recipe import BatchSource, Recipe

__all__ = ["DatabaseWatch", "Prepared", "is_full_disk", "prepare"]

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


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
    """Prepare subjects by a recipe, without those that fail.

    Raises
    ------
    InputError
        If the database is gone, or none of its subjects can be used.
    """
    left, skipped = list(subjects), dict[str, str]()
    while left:
        seen = _Seen()
        try:
            source = yield from recipe.source([seen.watched(subject) for subject in left])
        except (MrviewerError, OSError, EOFError, ValueError) as error:
            watch.require()
            if seen.last is None or is_full_disk(error):
                raise
            # Subjects are prepared one after the other, so that the last one opened is the one that failed.
            skipped[seen.last] = str(error)
            left = [subject for subject in left if subject.name != seen.last]
            yield Progress(0, len(left), f"left out {seen.last}: {error}")
        else:
            return Prepared(source, tuple(left), skipped)
    name, why = list(skipped.items())[-1]
    raise InputError(f"no subject can be used for training; of {name!r}: {why}")


def is_full_disk(error: BaseException) -> bool:
    """Whether something failed because nothing more can be written."""
    return (isinstance(error, OSError) and error.errno in _FULL) or "No space left on device" in str(error)


class _Seen:
    """Remembers which subject was opened last."""

    def __init__(self) -> None:
        self.last: str | None = None

    def watched(self, subject: Subject) -> Subject:
        """The same subject, which tells when it is opened."""

        def load() -> Study:
            self.last = subject.name
            return subject.load()

        return replace(subject, load=load)
