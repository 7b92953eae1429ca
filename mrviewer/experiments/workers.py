"""Several runs at a time, each in a process of its own, so that one that fails takes no other with it."""

import multiprocessing
import os
import signal
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from mrviewer.errors import MrviewerError
from mrviewer.experiments.row_runs import Job, run_job
from mrviewer.progress import Progress

__all__ = ["run_jobs"]

_LOOK_EVERY_SECONDS = 0.5
_TIME_IS_OVER = "its time is over; the same command goes on where it was"


def run_jobs(
    jobs: Sequence[Job], *, workers: int = 2, seconds: float = float("inf")
) -> Generator[Progress, None, Mapping[Path, str]]:
    """Run what has no figures yet. Closing the generator ends the processes; their checkpoints stay.

    Parameters
    ----------
    jobs
        In the order in which they are begun.
    workers
        Processes at a time, with one thread each; 0 runs one job after the other in this process.
    seconds
        Time for each job; one that needs more is stopped, and goes on when it is run again.

    Returns
    -------
    dict
        Why a job has no figures, by `Job.result`; empty if all have.
    """
    different = {job.result: job for job in reversed(jobs)}
    waiting = [job for result, job in reversed(different.items()) if not result.is_file()]
    done = len(different) - len(waiting)
    yield Progress(done, len(different), f"{done} of {len(different)} runs were made before")
    if workers == 0:
        return (yield from _in_turn(waiting, seconds, done))
    return (yield from _side_by_side(waiting, workers, seconds, done))


def _in_turn(jobs: Sequence[Job], seconds: float, done: int) -> Generator[Progress, None, dict[Path, str]]:
    problems: dict[Path, str] = {}
    for number, job in enumerate(jobs, 1):
        problem = yield from _try(job, seconds, done + number - 1, done + len(jobs))
        if problem:
            problems[job.result] = problem
        yield Progress(done + number, done + len(jobs), f"{job.name}: {problem or 'done'}")
    return problems


def _try(job: Job, seconds: float, done: int, total: int) -> Generator[Progress, None, str]:
    """Run a job; return why it has no figures, or nothing."""
    deadline = time.monotonic() + seconds
    steps = run_job(job)
    try:
        for step in steps:
            yield Progress(done, total, step.message, step.detail)
            if time.monotonic() > deadline:
                return _TIME_IS_OVER
    except MrviewerError as error:
        return str(error)
    finally:
        steps.close()
    return ""


@dataclass(frozen=True, eq=False)
class _Running:
    """A job, the process that does it, and where that process answers."""

    job: Job
    process: BaseProcess
    answer: Connection


def _side_by_side(
    jobs: Sequence[Job], workers: int, seconds: float, done: int
) -> Generator[Progress, None, dict[Path, str]]:
    total, waiting = done + len(jobs), list(jobs)
    running: list[_Running] = []
    problems: dict[Path, str] = {}
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                running.append(_start(waiting.pop(0), seconds))
            yield Progress(done, total, ", ".join(one.job.name for one in running))
            wait([one.process.sentinel for one in running], timeout=_LOOK_EVERY_SECONDS)
            for one in [one for one in running if not one.process.is_alive()]:
                running.remove(one)
                done += 1
                problem = _problem(one)
                if problem:
                    problems[one.job.result] = problem
                yield Progress(done, total, f"{one.job.name}: {problem or 'done'}")
    finally:
        for one in running:
            one.process.terminate()
            one.process.join()
            one.answer.close()
    return problems


def _start(job: Job, seconds: float) -> _Running:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(job, seconds, there), daemon=True)
    with _single_threaded():
        process.start()
    there.close()
    return _Running(job, process, here)


def _work(job: Job, seconds: float, answer: Connection) -> None:
    """What a process does: the job, and one sentence about it."""
    # Ended as an interrupted program ends, a training leaves its checkpoint.
    # A terminal that closes sends SIGHUP, which Windows does not have.
    for name in {"SIGTERM", "SIGHUP"} & set(signal.Signals.__members__):
        signal.signal(signal.Signals[name], signal.default_int_handler)
    steps = _try(job, seconds, 0, 1)
    try:
        while True:
            next(steps)
    except StopIteration as end:
        answer.send(end.value)
    except KeyboardInterrupt:
        answer.send("it was stopped; the same command goes on where it was")


def _problem(one: _Running) -> str:
    """Why a process that has ended made no figures; empty if it did."""
    one.process.join()
    crashed = (
        f"its process was ended (exit code {one.process.exitcode}: killed, out of memory, or a fault of a library, of "
        "which something may stand above); the same command goes on where it was"
    )
    try:
        sentence: str = one.answer.recv() if one.answer.poll() else crashed
    except EOFError:
        sentence = crashed
    finally:
        one.answer.close()
    return sentence


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Give processes that are started within one thread for arithmetic each, and no modules of the current folder."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PYTHONSAFEPATH")
    before = {name: os.environ.get(name) for name in names}
    os.environ |= dict.fromkeys(names, "1")
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
