"""The log of what nobody foresaw: where it happened, and nothing that could name a patient.

An entry has the time, the versions, the command, the types of the errors, and for each frame file, line and function.
Messages of errors, values of variables, lines of source and arguments are left out, since all of them may hold the name
of a file or of a patient; files outside an installed package are named without their folder.
"""

import errno
import logging
import platform
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path, PurePath

import platformdirs

from mrviewer import __version__

__all__ = ["fault_log_path", "keep_fault"]

_MOST_BYTES = 200_000
_OLDER_FILES = 2
_MOST_FRAMES = 40
_MOST_CAUSES = 8
_PACKAGES = ("mrviewer", "mrviewer_models", "mrviewer_napari")


class _QuietHandler(RotatingFileHandler):
    """One that keeps silent where nothing can be written: the fault is told to the user anyway."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        """Do nothing."""


def fault_log_path() -> Path:
    """File of the log, in the folder for the state of programs; may not exist."""
    return platformdirs.user_state_path("mrviewer") / "mrviewer.log"


def keep_fault(error: BaseException, what: str) -> None:
    """Add an error to the log; where that cannot be written, nothing happens.

    Parameters
    ----------
    error
        With its traceback and its causes.
    what
        What was being done, in words of ours: the name of a command, never its arguments.
    """
    path = fault_log_path()
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = _QuietHandler(path, maxBytes=_MOST_BYTES, backupCount=_OLDER_FILES, encoding="utf-8", delay=True)
        try:
            handler.emit(logging.makeLogRecord({"msg": "%s", "args": (_entry(error, what),)}))
        finally:
            handler.close()


def _entry(error: BaseException, what: str) -> str:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    versions = f"mrviewer {__version__}, Python {platform.python_version()}, {platform.system()}"
    return "\n".join([f"{now} {what}: {versions}", *_lines(error)])


def _lines(error: BaseException) -> Iterator[str]:
    """Types and frames of an error and of what led to it, the last one first."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen and len(seen) < _MOST_CAUSES:
        yield f"{'from ' if seen else ''}{_kind(cause)}"
        seen.add(id(cause))
        frames = traceback.extract_tb(cause.__traceback__) if cause.__traceback__ else []
        shown = frames if len(frames) <= _MOST_FRAMES else frames[-_MOST_FRAMES:]
        if len(shown) < len(frames):
            yield f"  ({len(frames) - len(shown)} more)"
        for frame in shown:
            yield f"  {_shortened(frame.filename)}:{frame.lineno} {frame.name}"
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)


def _kind(error: BaseException) -> str:
    number = error.errno if isinstance(error, OSError) else None
    return type(error).__qualname__ + (f" {errno.errorcode.get(number, number)}" if number is not None else "")


def _shortened(file: str) -> str:
    """Path of a source file within its package, else its bare name."""
    path = PurePath(file)
    for package in _PACKAGES:
        if package in path.parts:
            place = len(path.parts) - 1 - path.parts[::-1].index(package)
            return "/".join(path.parts[place:])
    for root in (sysconfig.get_path("purelib"), sysconfig.get_path("stdlib"), sys.prefix):
        if root and path.is_relative_to(root):
            return path.relative_to(root).as_posix()
    return path.name
