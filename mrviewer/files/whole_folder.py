"""A folder of results is written whole or not at all."""

import os
import re
import secrets
import shutil
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from mrviewer.errors import InputError
from mrviewer.files.portable_names import require_portable
from mrviewer.files.replacing import replace_files
from mrviewer.files.whole_file import writing

__all__ = ["new_folder", "require_writable", "whole_folder"]

MOST_NUMBERED = 1000
_ENDING = ".partial"
_NAME = 24
"""Signs of a name that a folder on its way keeps; more could make it too long."""


@contextmanager
def whole_folder(folder: Path, names: Sequence[str]) -> Iterator[Path]:
    """Give a temporary folder beside `folder`, whose files move there when the block ends without an error.

    A process that is killed leaves the earlier files or the new ones, and never some of both. Where the system cannot
    swap two folders, or `folder` holds much else, it may leave a part of either; the last of `names` is missing then.

    Parameters
    ----------
    folder
        Where results shall stand; made if it does not exist. Other files in it are left alone.
    names
        All files that a run may write. Those of an earlier run that this one did not write are removed. The last one
        goes first and comes last, so that where it stands, the others belong to it.

    Raises
    ------
    InputError
        If `folder` is a file, or nothing can be written beside it.
    """
    folder = folder.resolve()
    with _partial_of(folder) as partial:
        yield partial
        if folder.exists():
            try:
                replace_files(partial, folder, names)
            except OSError as error:
                raise InputError(
                    f"the files in {folder.name} cannot be replaced ({error.strerror}); they are as they were: close "
                    "what has them open, or choose another folder"
                ) from error
        else:
            partial.rename(folder)


@dataclass
class NewFolder:
    """A folder on its way.

    Parameters
    ----------
    partial
        Where to write.
    path
        What it is called in the end.
    """

    partial: Path
    path: Path


@contextmanager
def new_folder(parent: Path, name: str) -> Iterator[NewFolder]:
    """Make a folder that was not there before, whole or not at all; nothing that is there is touched.

    Parameters
    ----------
    parent
        Made if it does not exist.
    name
        Of the folder; where it is taken, a number follows it.

    Raises
    ------
    InputError
        If the name is not that of a folder on every system, or nothing can be written there.
    """
    if Path(name).name != name or name in ("", ".", ".."):
        raise InputError(f"{name!r} is not a valid name of a folder; give one without slashes")
    require_portable(name, "a folder")
    path = _free(parent.resolve(), name)
    with _partial_of(path) as partial:
        made = NewFolder(partial, path)
        yield made
        made.path = _free(path.parent, name)
        partial.rename(made.path)


def _free(parent: Path, name: str) -> Path:
    """Path in a folder that is not taken."""
    names = (name if number == 1 else f"{name}-{number}" for number in range(1, MOST_NUMBERED))
    free = next((parent / name for name in names if not (parent / name).exists()), None)
    if free is None:
        raise InputError(f"{parent.name} holds {MOST_NUMBERED} folders called {name}; choose another name")
    return free


def require_writable(folder: Path) -> None:
    """Find out before a long job whether its results can be written.

    Raises
    ------
    InputError
        If `folder` is a file, or nothing can be written beside it.
    """
    with _partial_of(folder.resolve()):
        pass


@contextmanager
def _partial_of(folder: Path) -> Iterator[Path]:
    """Give a folder beside another one; of what was made for it, nothing that is empty stays behind."""
    kept = folder.name[-_NAME:]
    partial = folder.parent / f".{kept}.{_maker(os.getpid())}.{secrets.token_hex(4)}{_ENDING}"
    with writing(folder, partial):
        if folder.exists() and not folder.is_dir():
            raise InputError(f"output {folder.name} is a file; give a folder")
        _remove_abandoned(folder.parent, kept)
        missing = [parent for parent in folder.parents if not parent.exists()]
        try:
            _make(partial, folder.name)
            yield partial
        finally:
            shutil.rmtree(partial, ignore_errors=True)
            for parent in missing:
                with suppress(OSError):
                    parent.rmdir()


def _make(partial: Path, name: str) -> None:
    try:
        partial.mkdir(parents=True)
    except (FileExistsError, NotADirectoryError, FileNotFoundError) as error:
        raise InputError(f"output {name} cannot be written ({error.strerror}); choose another folder") from error


def _maker(pid: int | str) -> str:
    """A process, as the names of its folders tell it."""
    return f"{socket.gethostname()[:_NAME]}-{pid}"


def _remove_abandoned(parent: Path, kept: str) -> None:
    """Remove what processes of this machine that were killed left beside a folder, of whose name they kept the end."""
    begin = re.escape(f".{kept}.{_maker('')}")
    pattern = re.compile(rf"{begin}(\d+)\.[0-9a-f]{{8}}{re.escape(_ENDING)}")
    with suppress(OSError):
        for path in parent.iterdir():
            match = pattern.fullmatch(path.name)
            if match and not psutil.pid_exists(int(match[1])):
                shutil.rmtree(path, ignore_errors=True)
