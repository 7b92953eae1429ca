"""One process a run: a lock that dies with its process, and a file beside it that says whose it is."""

import contextlib
import json
import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from mrviewer.errors import InputError
from mrviewer.files.in_place import write_in_place

__all__ = ["HOLDER", "Holder", "hold_lock", "read_holder", "reserve_lock"]

HOLDER = "run.lock"
"""File that says which process works in a folder; the lock itself lies beside it, because Windows lets nobody read a
locked file."""

_LOCK = ".run.held"
_SIGNS_OF_LIFE = ("state.json", "events.jsonl")
_PATIENCE_SECONDS = 1.0
_CLOCK_SECONDS = 2.0
_SILENT_SECONDS = 600.0
_LENGTH = 512


@dataclass(frozen=True)
class Holder:
    """Process that works in the folder of a run.

    Parameters
    ----------
    pid
        Its number on its machine.
    started
        When it was started, seconds since 1970 by the clock of that moment; tells apart two processes of one number.
    host
        Its machine.
    uptime
        When it was started, seconds after its machine. A clock that is set moves one of the two times and not both:
        this one on Windows and macOS, the other one on Linux.
    """

    pid: int
    started: float
    host: str
    uptime: float | None = None

    @classmethod
    def of(cls, pid: int) -> "Holder":
        """The process of a number on this machine."""
        started = psutil.Process(pid).create_time()
        return cls(pid, started, socket.gethostname(), started - psutil.boot_time())

    @property
    def is_here(self) -> bool:
        """Whether it is a process of this machine."""
        return self.host == socket.gethostname()

    def is_alive(self, run: Path) -> bool:
        """Whether it still works in the folder of a run."""
        return self.is_running(run) or (self.is_here and _is_locked(run))

    def is_running(self, run: Path) -> bool:
        """Whether its machine has a process of this number and time; of another one, whether its run still changes."""
        if not self.is_here:
            return _is_fresh(run)
        try:
            if psutil.Process(self.pid).status() == psutil.STATUS_ZOMBIE:
                return False
            now = Holder.of(self.pid)
        except (psutil.Error, ValueError, OverflowError):
            return False
        by_clock = abs(now.started - self.started) < _CLOCK_SECONDS
        if now.uptime is None or self.uptime is None:
            return by_clock
        return by_clock or abs(now.uptime - self.uptime) < _CLOCK_SECONDS


def read_holder(run: Path) -> Holder | None:
    """Return the process that works in a folder; `None` if there is none, or it has ended."""
    holder = _last_holder(run)
    return holder if holder is not None and holder.is_alive(run) else None


def _last_holder(run: Path) -> Holder | None:
    try:
        values = json.loads((run / HOLDER).read_text(encoding="utf-8"))
        uptime = values.get("uptime")
        return Holder(
            int(values["pid"]), float(values["started"]), str(values["host"]), None if uptime is None else float(uptime)
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


@contextlib.contextmanager
def hold_lock(run: Path) -> Iterator[None]:
    """Hold the lock of a run for the length of a block; that of a process that has ended is taken over.

    Raises
    ------
    InputError
        If another process holds it.
    """
    with _locked(run):
        _write(run, Holder.of(os.getpid()))
        try:
            yield
        finally:
            # Windows removes no file that somebody reads; an empty one names nobody.
            with contextlib.suppress(OSError):
                (run / HOLDER).write_bytes(b"")
                (run / HOLDER).unlink()


@contextlib.contextmanager
def reserve_lock(run: Path) -> Iterator[Callable[[int], None]]:
    """Keep others away from a run while a process is started for it; what is given makes the lock that process's.

    Raises
    ------
    InputError
        If another process holds it.
    """
    with _locked(run):
        yield lambda pid: _write(run, Holder.of(pid))


@contextlib.contextmanager
def _locked(run: Path) -> Iterator[None]:
    # The system lets go of the lock when its process ends, however it ends; the text is for those who look, for the
    # moment between the start of a process and its taking the lock, and for file systems that lock on one machine only.
    lock = _lock_of(run)
    try:
        lock.acquire(timeout=_PATIENCE_SECONDS)
    except Timeout:
        raise _taken(run, read_holder(run)) from None
    except OSError as error:
        raise InputError(
            f"run {run.name} cannot be locked ({error.strerror}); choose a folder that can be written"
        ) from error
    try:
        holder = _last_holder(run)
        is_mine = holder is not None and holder.is_here and holder.pid == os.getpid()
        if holder is not None and not is_mine and holder.is_running(run):
            raise _taken(run, holder)
        yield
    finally:
        # While it is held: who waits for it sees that its file is gone, and makes another one.
        with contextlib.suppress(OSError):
            (run / _LOCK).unlink()
        lock.release()


def _lock_of(run: Path) -> FileLock:
    return FileLock(run / _LOCK, thread_local=False, poll_interval=0.01)


def _is_locked(run: Path) -> bool:
    """Whether a process of this machine holds the lock: the system knows, whatever clocks and numbers say."""
    if not (run / _LOCK).exists():
        return False
    lock = _lock_of(run)
    try:
        # Longer than another one that looks holds it.
        lock.acquire(timeout=0.05)
    except Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False


def _is_fresh(run: Path) -> bool:
    """Whether the files of a run have changed lately, by the clock of the disk that they lie on."""
    changed = 0.0
    for name in _SIGNS_OF_LIFE:
        with contextlib.suppress(OSError):
            changed = max(changed, (run / name).stat().st_mtime)
    return bool(changed) and abs(_clock_of(run) - changed) < _SILENT_SECONDS


def _clock_of(run: Path) -> float:
    try:
        with tempfile.TemporaryFile(dir=run) as file:
            return os.fstat(file.fileno()).st_mtime
    except OSError:
        return time.time()


def _taken(run: Path, holder: Holder | None) -> InputError:
    who = f"process {holder.pid} on {holder.host}" if holder else "another process"
    return InputError(f"run {run.name} is being written by {who}; stop it first, or choose another folder")


def _write(run: Path, holder: Holder) -> None:
    # In one go and always as long, so that nobody who looks meets an empty file or half a line.
    write_in_place(run / HOLDER, json.dumps(vars(holder)).ljust(_LENGTH).encode())
