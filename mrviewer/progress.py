"""What a long job tells while it runs.

Every job longer than a frame is a generator that yields `Progress` and returns its value. Closing the generator
cancels the job.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

__all__ = ["Progress", "Skipped", "finish", "retold"]

T = TypeVar("T")


@dataclass(frozen=True)
class Progress:
    """One step of a job is done.

    Parameters
    ----------
    done, total
        Steps finished, and steps in all.
    message
        What was done, for a person.
    detail
        What the step produced, if somebody may want to look at it before the job ends.
    """

    done: int
    total: int
    message: str = ""
    detail: object | None = None


@dataclass(frozen=True)
class Skipped:
    """Something that could not be used and was left out, as `Progress.detail` tells it.

    Parameters
    ----------
    subject
        Its name.
    reason
        One sentence.
    """

    subject: str
    reason: str


def finish(job: Generator[Progress, None, T]) -> T:
    """Run a job to its end, ignore its progress and return its value."""
    while True:
        try:
            next(job)
        except StopIteration as end:
            result: T = end.value
            return result


def retold(job: Generator[Progress, None, T], change: Callable[[Progress], Progress]) -> Generator[Progress, None, T]:
    """Run a job as part of another one: its progress changed on the way, its value returned, closed with its host."""
    try:
        while True:
            try:
                step = next(job)
            except StopIteration as end:
                result: T = end.value
                return result
            yield change(step)
    finally:
        job.close()
