"""Pausing and stopping: what a person wants is looked at between the steps of every phase, and all processes agree."""

import time
from collections.abc import Callable, Generator
from enum import IntEnum
from pathlib import Path
from typing import TypeVar

from mrviewer.finetuning.run_folder.journal import Journal
from mrviewer.finetuning.run_folder.record import RunState
from mrviewer.finetuning.run_folder.requests import RunRequest, read_request
from mrviewer.progress import Progress
from mrviewer.training.world import World

__all__ = ["RunControl", "StopRequested"]

T = TypeVar("T")

_LOOK_SECONDS = 0.2


class StopRequested(Exception):  # noqa: N818 - it is not an error
    """The run was asked to end now."""


class _Priority(IntEnum):
    """Requests, the stronger ones larger, so that processes agree on the strongest."""

    RUN = 0
    PAUSE = 1
    FINISH = 2
    STOP = 3


_PRIORITIES = {
    RunRequest.RUN: _Priority.RUN,
    RunRequest.PAUSE: _Priority.PAUSE,
    RunRequest.FINISH: _Priority.FINISH,
    RunRequest.STOP: _Priority.STOP,
}


class RunControl:
    """Carries out what a person wants of a run.

    Parameters
    ----------
    run
        Its folder.
    world
        Processes that must agree.
    journal
        Told when the run pauses.
    is_interrupted
        Whether the system wants this process to end.
    """

    def __init__(self, run: Path, world: World, journal: Journal, is_interrupted: Callable[[], bool]) -> None:
        self._run, self._world, self._journal = run, world, journal
        self._is_interrupted = is_interrupted
        self._looked = 0.0
        self._last = _Priority.RUN

    def wants_stop(self) -> bool:
        """Whether this process is asked to end now."""
        return self._look() is _Priority.STOP

    def phase(self, job: Generator[Progress, None, T]) -> Generator[Progress, None, T]:
        """Run a job that each process does by itself, to its end or until somebody wants to stop.

        Raises
        ------
        StopRequested
            In all processes, when the job of each has come to its end or to a place where it can stop.
        """
        finished: list[T] = []
        try:
            while not finished and self._look() is not _Priority.STOP:
                if self._last is _Priority.PAUSE:
                    yield from self._pause()
                    continue
                try:
                    yield next(job)
                except StopIteration as end:
                    finished.append(end.value)
        finally:
            job.close()
            # A request of the last moment is seen before the next phase begins.
            self._looked = 0.0
        if self._world.largest(not finished):
            raise StopRequested
        return finished[0]

    def between_steps(self) -> Generator[Progress, None, bool]:
        """Wait while the run is paused; return whether training should end and its result be measured.

        Raises
        ------
        StopRequested
            In all processes.
        """
        while True:
            request = _Priority(self._world.largest(self._look()))
            if request is not _Priority.PAUSE:
                break
            self._last = request
            yield from self._pause()
        if request is _Priority.STOP:
            raise StopRequested
        return request is _Priority.FINISH

    def _pause(self) -> Generator[Progress, None, None]:
        self._journal.event("pause")
        self._journal.state(RunState.PAUSED)
        while self._look() is _Priority.PAUSE:
            yield Progress(0, 0, "paused")
            time.sleep(_LOOK_SECONDS / 2)
        if self._last is _Priority.RUN:
            self._journal.event("resume")
        self._journal.end_pause()

    def _look(self) -> _Priority:
        """Look at the request, a few times a second."""
        if self._is_interrupted():
            self._last = _Priority.STOP
        elif time.monotonic() - self._looked > _LOOK_SECONDS:
            self._looked = time.monotonic()
            self._last = _PRIORITIES[read_request(self._run)]
        return self._last
