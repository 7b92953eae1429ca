"""One process a run: a lock file that says whose it is, and that dies with its process."""

import contextlib
import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import psutil

from mrviewer.errors import InputError
from mrviewer.finetuning.files import LOCK, STATE

__all__ = ["Holder", "hold_lock", "read_holder", "reserve_lock"]

_PATIENCE_SECONDS = 1.0
_CLOCK_SECONDS = 2.0
_SILENT_SECONDS = 600.0
_LENGTH = 512


@dataclass(frozen=True)
class Holder:
    """Process that holds the lock of a run.

    Parameters
    ----------
    pid
        Its number on its machine.
    started
        When it was started, seconds since 1970; a number that was given to another process tells itself by this.
    host
        Its machine.
    """

    pid: int
    started: float
    host: str

    def is_alive(self, run: Path) -> bool:
        """Whether it still runs; that of another machine does as long as the state of its run changes."""
        if self.host != socket.gethostname():
            try:
                return time.time() - (run / STATE).stat().st_mtime < _SILENT_SECONDS
            except OSError:
                return False
        try:
            process = psutil.Process(self.pid)
            started, status = process.create_time(), process.status()
        except psutil.Error:
            return False
        return bool(status != psutil.STATUS_ZOMBIE and abs(started - self.started) < _CLOCK_SECONDS)


def read_holder(run: Path) -> Holder | None:
    """Return the process that holds a run; `None` if there is none, or it has ended."""
    try:
        values = json.loads((run / LOCK).read_text(encoding="utf-8"))
        holder = Holder(int(values["pid"]), float(values["started"]), str(values["host"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return holder if holder.is_alive(run) else None


@contextlib.contextmanager
def hold_lock(run: Path) -> Iterator[None]:
    """Hold the lock of a run for the length of a block; that of a process that has ended is taken over.

    Raises
    ------
    InputError
        If another process holds it.
    """
    with _locked(run) as file:
        _write(file, _holder(os.getpid()))
        try:
            yield
        finally:
            file.truncate(0)


@contextlib.contextmanager
def reserve_lock(run: Path) -> Iterator[Callable[[int], None]]:
    """Keep others away from a run while a process is started for it; what is given makes the lock that process's.

    Raises
    ------
    InputError
        If another process holds it.
    """
    with _locked(run) as file:
        yield lambda pid: _write(file, _holder(pid))


@contextlib.contextmanager
def _locked(run: Path) -> Iterator[TextIO]:
    # The system lets go of the lock when its process ends, however it ends; the text is for those who look, and for the
    # moment between the start of a process and its taking the lock.
    descriptor = os.open(run / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    with os.fdopen(descriptor, "r+", encoding="utf-8") as file:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not _try_lock(file):
            if time.monotonic() > deadline:
                raise _taken(run, read_holder(run))
            time.sleep(0.05)
        holder = read_holder(run)
        if holder is not None and (holder.pid, holder.host) != (os.getpid(), socket.gethostname()):
            raise _taken(run, holder)
        yield file


def _try_lock(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _taken(run: Path, holder: Holder | None) -> InputError:
    who = f"process {holder.pid} on {holder.host}" if holder else "another process"
    return InputError(f"run {run.name} is being written by {who}; stop it first, or choose another folder")


def _holder(pid: int) -> Holder:
    return Holder(pid, psutil.Process(pid).create_time(), socket.gethostname())


def _write(file: TextIO, holder: Holder) -> None:
    # In one go and always as long, so that nobody who looks meets an empty file or half a line.
    os.pwrite(file.fileno(), json.dumps(vars(holder)).ljust(_LENGTH).encode(), 0)
