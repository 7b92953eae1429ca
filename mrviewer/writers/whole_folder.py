"""A folder of results is written whole or not at all."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mrviewer.errors import InputError
from mrviewer.writers.whole import hidden_name, writing

__all__ = ["new_folder", "require_writable", "whole_folder"]

MOST_NUMBERED = 1000


@contextmanager
def whole_folder(folder: Path, names: Sequence[str]) -> Iterator[Path]:
    """Give a temporary folder beside `folder`, whose files move there when the block ends without an error.

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
    partial = _make_partial(folder)
    try:
        with writing(folder, partial):
            yield partial
            if folder.exists():
                _replace_files(partial, folder, names)
            else:
                partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


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
        If the name is none of a folder, or nothing can be written there.
    """
    if Path(name).name != name or name in ("", ".", ".."):
        raise InputError(f"{name!r} is no name of a folder; give one without slashes")
    path = _free(parent.resolve(), name)
    made = NewFolder(_make_partial(path), path)
    try:
        with writing(path, made.partial):
            yield made
            made.path = _free(path.parent, name)
            made.partial.rename(made.path)
    finally:
        shutil.rmtree(made.partial, ignore_errors=True)


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
    _make_partial(folder.resolve()).rmdir()


def _make_partial(folder: Path) -> Path:
    partial = hidden_name(folder).with_suffix(".partial")
    with writing(folder, partial):
        if folder.exists() and not folder.is_dir():
            raise InputError(f"output {folder.name} is a file; give a folder")
        try:
            partial.mkdir(parents=True)
        except (FileExistsError, NotADirectoryError, FileNotFoundError) as error:
            raise InputError(
                f"output {folder.name} cannot be written ({error.strerror}); choose another folder"
            ) from error
    return partial


def _replace_files(partial: Path, folder: Path, names: Sequence[str]) -> None:
    (folder / names[-1]).unlink(missing_ok=True)
    for name in names:
        if (partial / name).exists():
            (partial / name).replace(folder / name)
        else:
            (folder / name).unlink(missing_ok=True)
