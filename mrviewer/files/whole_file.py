"""Files are written whole or not at all."""

import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mrviewer.errors import InputError, MrviewerError
from mrviewer.files.portable_names import is_reserved, require_portable
from mrviewer.system.faults import unwritable

__all__ = ["flushed", "hidden_name", "whole_file", "writing"]

_ENDING = 24
"""Signs of a name that its temporary file keeps, the ending among them; more could make it too long."""
_PAUSES_S = (0.01, 0.05, 0.1, 0.3, 0.5)


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Give a path to write to, which becomes `path` when the block ends without an error.

    The temporary file lies in the same folder and keeps the ending of the name. It is on the disk before it takes the
    name, so that a reader, or a machine that loses power, sees the old file or the new one. After an error nothing is
    left.

    Raises
    ------
    InputError
        If the folder does not exist, or `path` is a folder.
    WriteError
        If the disk is full, the name too long, or nothing may be written there.
    """
    path = Path(path)
    temporary = hidden_name(path)
    with writing(path, temporary):
        if not path.parent.is_dir():
            raise InputError(
                f"folder {path.parent.name} does not exist, so {path.name} cannot be written; make it first"
            )
        if path.is_dir():
            raise InputError(f"{path.name} is a folder and a file was to be written there; choose another name")
        with flushed(temporary, path, _replace):
            yield temporary


@contextmanager
def flushed(temporary: Path, path: Path, rename: Callable[[Path, Path], None]) -> Iterator[None]:
    """Have a file on the disk before it takes its name, and the name too; after an error nothing is left of it.

    Parameters
    ----------
    temporary, path
        Where it is written within the block, and what it is called after it.
    rename
        Gives the first the name of the second.
    """
    try:
        yield
        flush(temporary)
        rename(temporary, path)
    except BaseException:
        # What went wrong is told, not that nothing is there to be removed.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    flush(path.parent)


def _replace(source: Path, target: Path) -> None:
    """Rename a file; on Windows, wait for a reader or a virus scanner that has one of the two open for a moment."""
    for pause in _PAUSES_S if sys.platform == "win32" else ():
        try:
            source.replace(target)
        except PermissionError:
            time.sleep(pause)
        else:
            return
    source.replace(target)


def hidden_name(path: Path) -> Path:
    """A free name beside a path for a file on its way, with the same ending."""
    return path.parent / f".{secrets.token_hex(4)}-{path.name[-_ENDING:]}"


@contextmanager
def writing(path: Path, temporary: Path) -> Iterator[None]:
    """Say in one sentence why a file cannot be written; errors of other files pass.

    Parameters
    ----------
    path
        What the user calls it.
    temporary
        Where it is written.

    Raises
    ------
    InputError
        If the name is one that Windows refuses.
    WriteError
        If the disk is full, the name too long, or nothing may be written there.
    """
    # Windows alone knows other signs that no name may hold; a device it would write to without a word.
    if sys.platform == "win32" or is_reserved(path.name):
        require_portable(path.name, "what is written")
    try:
        yield
    except MrviewerError:
        raise
    except Exception as error:
        told = unwritable(error, path.name) if _is_of(error, path, temporary) else None
        if told is None:
            raise
        raise told from error


def _is_of(error: Exception, path: Path, temporary: Path) -> bool:
    """Whether an error may be that of writing a file, or one in a folder on its way."""
    name = error.filename if isinstance(error, OSError) else None
    if not isinstance(name, str | os.PathLike):
        return True
    file = Path(name)
    return file in (path, path.parent) or file.is_relative_to(temporary)


def flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    if sys.platform == "win32":
        if path.is_dir():
            return  # It cannot be opened there.
        # Only what is open for writing can be flushed.
        descriptor = os.open(path, os.O_RDWR)
    else:
        descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
