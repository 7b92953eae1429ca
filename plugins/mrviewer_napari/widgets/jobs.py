"""Long work in threads: a generator runs, its records arrive in the GUI thread, stopping closes it."""

import os
import sys
import threading
import time
from collections.abc import Callable, Generator
from typing import TypeVar

from qtpy.QtCore import QObject, Signal, SignalInstance

from mrviewer.system.faults import explained

__all__ = ["Slot", "ThreadJob", "Work", "gathered", "with_spare_core"]

T = TypeVar("T")
R = TypeVar("R")
Work = Generator[object, None, object]
"""What a job runs: yields records, returns its value."""


def gathered(work: Generator[T, None, R], interval_s: float = 0.05) -> Generator[list[T], None, R]:
    """Pass on the records of `work` in lists, at most one list every `interval_s`; the first record at once.

    Signals that wait in a queue are never dropped, so a job must not send more than the screen can show.
    """
    records: list[T] = []
    sent = float("-inf")
    try:
        while True:
            try:
                records.append(next(work))
            except StopIteration as end:
                if records:
                    yield records
                return end.value
            if time.monotonic() - sent >= interval_s:
                yield records
                records, sent = [], time.monotonic()
    finally:
        work.close()


class ThreadJob(QObject):
    """Run a generator in a thread.

    Signals arrive in the thread that made the job. Whatever fails arrives as one sentence (`MrviewerError`).
    Stopping closes the generator at its next ``yield``, in the worker.
    The thread is no daemon: a daemon inside torch aborts the interpreter when it exits.
    """

    yielded = Signal(object)
    returned = Signal(object)
    failed = Signal(object)
    ended = Signal()

    def __init__(self, work: Work, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(work,), name="mrviewer job")

    def start(self) -> "ThreadJob":
        """Begin; returns the job."""
        self._thread.start()
        return self

    def stop(self, wait_s: float = 0.0) -> bool:
        """Ask the job to end, wait for it at most `wait_s`, and say whether it has ended."""
        self._stop.set()
        if wait_s:
            self._thread.join(wait_s)
        return not self._thread.is_alive()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to end."""
        return self._stop.is_set()

    def _run(self, work: Work) -> None:
        try:
            while not self._stop.is_set():
                try:
                    record = next(work)
                except StopIteration as end:
                    self._send(self.returned, end.value)
                    break
                self._send(self.yielded, record)
        except Exception as error:  # noqa: BLE001 - the one place where a finished job reports; a log keeps the traceback
            self._send(self.failed, explained(error, "viewer"))
        finally:
            work.close()
            del work
            self._send(self.ended)

    def _send(self, signal: SignalInstance, *values: object) -> None:
        try:
            signal.emit(*values)
        except RuntimeError:  # the window is gone, and this object with it
            self._stop.set()


class Slot(QObject):
    """Room for one job at a time: the latest request wins, and answers of a stopped job are dropped.

    A request stops the running job; the new one begins when the old has ended, so that two jobs of one slot never share
    the processor.
    """

    yielded = Signal(object)
    returned = Signal(object)
    failed = Signal(object)
    idle = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._job: ThreadJob | None = None
        self._pending: Callable[[], Work] | None = None
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether a job runs or waits."""
        return self._job is not None or self._pending is not None

    @property
    def working(self) -> bool:
        """Whether a job runs that nobody has stopped."""
        return self._job is not None and not self._job.stopping

    def request(self, make: Callable[[], Work]) -> None:
        """Run what `make` returns as soon as the present job has been stopped."""
        if self._closed:
            return
        self._pending = make
        if self._job is None:
            self._begin()
        else:
            self._job.stop()

    def cancel(self) -> None:
        """Stop the job and forget the waiting one."""
        self._pending = None
        if self._job is not None:
            self._job.stop()

    def close(self, wait_s: float = 10.0) -> bool:
        """Take no more requests, stop, and wait; says whether the thread has ended."""
        self._closed = True
        self.cancel()
        return self._job is None or self._job.stop(wait_s)

    def _begin(self) -> None:
        if self._pending is None:
            return
        work, self._pending = self._pending(), None
        job = ThreadJob(work, self)
        job.yielded.connect(self._on_yielded)
        job.returned.connect(self._on_returned)
        job.failed.connect(self._on_failed)
        job.ended.connect(self._on_ended)
        self._job = job.start()

    def _on_yielded(self, record: object) -> None:
        if self.working:
            self.yielded.emit(record)

    def _on_returned(self, value: object) -> None:
        if self.working:
            self.returned.emit(value)

    def _on_failed(self, error: object) -> None:
        if self.working:
            self.failed.emit(error)

    def _on_ended(self) -> None:
        if self._job is not None:
            self._job.stop(1.0)
            self._job.deleteLater()
            self._job = None
        if self._pending is not None:
            self._begin()
        else:
            self.idle.emit()


def with_spare_core(work: Generator[T, None, R]) -> Generator[T, None, R]:
    """Run `work` with torch, once something has imported it, on all cores but one, so that the window stays quick.

    The number of threads belongs to the thread that sets it, so it is set in the worker.
    """
    limited = False
    try:
        while True:
            if not limited and "torch" in sys.modules:
                import torch

                torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
                limited = True
            try:
                record = next(work)
            except StopIteration as end:
                result: R = end.value
                return result
            yield record
    finally:
        work.close()
