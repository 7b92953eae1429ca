"""Arrays in .npz files: a zip of .npy files, none of which can run code or unpack to more than it says."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tokenize import TokenError
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from mrviewer.array_files.named_array import NamedArray
from mrviewer.array_files.recognising import BLOCK, told_by_content
from mrviewer.array_files.stored_bytes import MAX_DEFLATE_RATIO, StoredBytes
from mrviewer.errors import FileFormatError, MrviewerError
from mrviewer.system.memory import require_memory

__all__ = ["NpzArray", "list_npz_arrays", "npz_array"]

_ENDING = ".npy"
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, TypeError, KeyError, SyntaxError, TokenError,
    NotImplementedError, RuntimeError, OverflowError, MemoryError,
)  # fmt: skip
"""What zipfile and numpy raise, depending on which byte is wrong."""


@dataclass(frozen=True)
class NpzArray(NamedArray):
    """One array of a .npz file, which is unpacked whole."""

    def part(self, selection: tuple[slice, ...]) -> NDArray[np.generic]:
        """Some of it; all of the last two that were read is kept."""
        return _read(self.path, self.name, self.path.stat().st_mtime_ns)[selection]


def list_npz_arrays(path: Path) -> dict[str, tuple[int, ...]]:
    """Name and shape of the arrays of numbers in a file; only their headers are unpacked.

    Raises
    ------
    FileFormatError
        If it is damaged, or holds objects instead of numbers.
    """
    return {name: shape for name, (shape, dtype) in _headers(path).items() if dtype.kind in "fciub"}


def npz_array(path: Path, name: str) -> NpzArray:
    """One array of a file, with the shape and type that its header says."""
    shape, dtype = _headers(path)[name]
    return NpzArray(path, name, shape, dtype)


def _headers(path: Path) -> dict[str, tuple[tuple[int, ...], np.dtype[np.generic]]]:
    headers: dict[str, tuple[tuple[int, ...], np.dtype[np.generic]]] = {}
    with _archive(path) as archive:
        for info in archive.infolist():
            if info.filename.endswith(_ENDING):
                with archive.open(info) as member:
                    headers[info.filename.removesuffix(_ENDING)] = _header(path, info, member)  # type: ignore[arg-type]
    return headers


def _header(path: Path, info: zipfile.ZipInfo, member: BinaryIO) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    version = np.lib.format.read_magic(member)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(member)
    needed = dtype.itemsize
    for size in shape:
        needed *= size
    most = info.compress_size * (1 if info.compress_type == zipfile.ZIP_STORED else MAX_DEFLATE_RATIO)
    if info.compress_type not in _PACKINGS or needed > info.file_size or info.file_size > most:
        raise FileFormatError(
            f"{path.name} announces {needed:,} bytes of {info.filename}, more than it can hold; save it again"
        )
    return shape, dtype


@lru_cache(maxsize=2)
def _read(path: Path, name: str, changed: int) -> NDArray[np.generic]:
    del changed
    with _archive(path) as archive:
        info = archive.getinfo(name + _ENDING)
        with archive.open(info) as member:
            _header(path, info, member)  # type: ignore[arg-type]
        require_memory(info.file_size, f"the array {name} of {path.name}", "save a part of it")
        with archive.open(info) as member:
            values: NDArray[np.generic] = np.lib.format.read_array(member, allow_pickle=False)
    values.setflags(write=False)
    return values


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    stored = StoredBytes.of(path)
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except MrviewerError:
        raise
    except _DAMAGED as error:
        told = "" if zipfile.is_zipfile(path) else told_by_content(stored.head(BLOCK))
        reason = " ".join(str(error).split())[:120].rstrip(".") or type(error).__name__
        raise FileFormatError(
            f"{path.name} is {told}" if told else f"{path.name} is not a readable .npz file ({reason}); save it again"
        ) from error
