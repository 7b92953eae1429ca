"""Files are written whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mrviewer.errors import InputError

__all__ = ["flush", "whole_file"]


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
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise InputError(f"folder {path.parent.name} does not exist, so {path.name} cannot be written; make it first")
    if path.is_dir():
        raise InputError(f"{path.name} is a folder and a file was to be written there; choose another name")
    temporary = path.with_name(f".{secrets.token_hex(4)}-{path.name}")
    try:
        yield temporary
        flush(temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    flush(path.parent)


def flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
