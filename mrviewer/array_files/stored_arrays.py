"""Arrays in .npy, .mat, .h5 and .cfl files: what is in a file, and its values."""

import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tokenize import TokenError

import h5py
import numpy as np
from numpy.typing import NDArray
from scipy.io import whosmat
from scipy.io.matlab import MatReadError

from mrviewer.array_files.hdf5_file import as_complex, is_complex, opened, require_room, require_stored
from mrviewer.array_files.matlab_elements import load_array
from mrviewer.array_files.named_array import NamedArray
from mrviewer.array_files.recognising import BLOCK, NPY_MAGIC, told_by_content
from mrviewer.array_files.stored_bytes import MAX_DEFLATE_RATIO, StoredBytes
from mrviewer.errors import FileFormatError, MrviewerError

__all__ = [
    "DAMAGED_MATLAB",
    "MATLAB_NUMBERS",
    "CflArray",
    "Hdf5Array",
    "MatArray",
    "NpyArray",
    "damaged_matlab",
    "hdf5_array",
    "is_matlab_hdf5",
    "list_arrays",
    "list_classic_arrays",
    "list_hdf5_arrays",
    "mat_array",
    "require_plausible",
]

MOST_ARRAYS = 1000
MATLAB_NUMBERS = ("double", "single", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)))
DAMAGED_MATLAB = (
    MatReadError, ValueError, TypeError, KeyError, IndexError, NotImplementedError, OSError, EOFError, MemoryError,
    OverflowError, AttributeError, ZeroDivisionError, zlib.error, struct.error,
)  # fmt: skip
"""What scipy raises, depending on which byte is wrong."""
_DAMAGED_NPY = (
    ValueError, EOFError, OSError, OverflowError, SyntaxError, TypeError, KeyError, MemoryError, TokenError,
)  # fmt: skip
"""What numpy raises; it reads the header as a line of Python."""


@dataclass(frozen=True)
class NpyArray:
    """The array of a .npy file, mapped from it."""

    path: Path

    @property
    def file_name(self) -> str:
        """The file."""
        return self.path.name

    @property
    def shape(self) -> tuple[int, ...]:
        """Size of every axis."""
        return self.open().shape

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Type of one element."""
        return self.open().dtype

    def open(self) -> NDArray[np.generic]:
        """Map the file; its size is compared with its header before memory is taken.

        Raises
        ------
        FileFormatError
            If the file is damaged, or holds objects.
        """
        block = StoredBytes.of(self.path).head(BLOCK)
        if not block.startswith(NPY_MAGIC) and (told := told_by_content(block)):
            raise FileFormatError(f"{self.path.name} is {told}")
        try:
            mapped: NDArray[np.generic] = np.lib.format.open_memmap(self.path, mode="r")
        except _DAMAGED_NPY as error:
            reason = " ".join(str(error).split())[:120].rstrip(".")
            raise FileFormatError(
                f"{self.path.name} is no readable .npy array of numbers ({reason}); save it again"
            ) from error
        return mapped

    def part(self, selection: tuple[slice, ...]) -> NDArray[np.generic]:
        """Some of it."""
        return self.open()[selection]


@dataclass(frozen=True)
class CflArray:
    """Samples of BART, in C order: axes are those of the header from last to first."""

    path: Path
    shape: tuple[int, ...]

    @property
    def file_name(self) -> str:
        """The file."""
        return self.path.name

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Single-precision complex numbers."""
        return np.dtype("<c8")

    def part(self, selection: tuple[slice, ...]) -> NDArray[np.generic]:
        """Some of it, mapped from the file."""
        return np.memmap(self.path, np.dtype("<c8"), mode="r", shape=self.shape)[selection]


@dataclass(frozen=True)
class MatArray(NamedArray):
    """One array of a MATLAB file of any version; such files are read whole."""

    def part(self, selection: tuple[slice, ...]) -> NDArray[np.generic]:
        """Some of it; all of the last one that was read is kept."""
        return _read_mat(self.path, self.name, self.path.stat().st_mtime_ns)[selection]


@dataclass(frozen=True)
class Hdf5Array(NamedArray):
    """One array of an HDF5 file, read in part."""

    def part(self, selection: tuple[slice, ...]) -> NDArray[np.generic]:
        """Some of it."""
        with opened(self.path) as file:
            require_stored(file[self.name], self.path)
            return _numbers(file[self.name][selection])


def is_matlab_hdf5(path: Path) -> bool:
    """Whether a MATLAB file is of version 7.3, which is HDF5."""
    magic = StoredBytes.of(path).head(128)
    return magic.startswith(b"\x89HDF") or b"MATLAB 7.3" in magic


def list_arrays(path: Path) -> dict[str, tuple[int, ...]]:
    """Name and shape of the arrays of numbers in a MATLAB file.

    Raises
    ------
    FileFormatError
        If it is damaged.
    """
    if is_matlab_hdf5(path):
        with opened(path) as file:
            # MATLAB counts axes from the fastest; h5py from the slowest.
            return {
                name: tuple(reversed(item.shape))
                for name, item in file.items()
                if isinstance(item, h5py.Dataset) and _holds_numbers(item)
            }
    return list_classic_arrays(path)


def list_classic_arrays(path: Path) -> dict[str, tuple[int, ...]]:
    """The same for a file of a version up to 7, which is not HDF5."""
    try:
        return {name: shape for name, shape, kind in whosmat(path) if kind in MATLAB_NUMBERS}
    except DAMAGED_MATLAB as error:
        raise damaged_matlab(path, error) from error


def list_hdf5_arrays(path: Path) -> dict[str, tuple[int, ...]]:
    """Path within the file and shape of the arrays of numbers in an HDF5 file.

    Raises
    ------
    FileFormatError
        If it is damaged.
    """
    found: dict[str, tuple[int, ...]] = {}

    def note(name: str, item: object) -> bool | None:
        if isinstance(item, h5py.Dataset) and item.ndim and _holds_numbers(item):
            found[name] = item.shape
        return True if len(found) >= MOST_ARRAYS else None

    with opened(path) as file:
        file.visititems(note)
    return found


def hdf5_array(path: Path, name: str) -> Hdf5Array:
    """One array of an HDF5 file; its values stay there."""
    with opened(path) as file:
        item = file[name]
        return Hdf5Array(path, name, item.shape, np.dtype(np.complex64) if is_complex(item.dtype) else item.dtype)


def mat_array(path: Path, name: str) -> MatArray:
    """One array of a MATLAB file; it is read, since nothing else tells whether it is complex."""
    values = _read_mat(path, name, path.stat().st_mtime_ns)
    return MatArray(path, name, values.shape, values.dtype)


@lru_cache(maxsize=2)
def _read_mat(path: Path, name: str, changed: int) -> NDArray[np.generic]:
    del changed
    if is_matlab_hdf5(path):
        with opened(path) as file:
            require_room(file[name], path)
            values = _numbers(file[name][()]).T
    else:
        try:
            values = np.asarray(load_array(path, name))
        except MrviewerError:
            raise
        except DAMAGED_MATLAB as error:
            raise damaged_matlab(path, error) from error
    values.setflags(write=False)
    return values


def _holds_numbers(item: h5py.Dataset) -> bool:
    return item.dtype.kind in "fiu" or is_complex(item.dtype)


def _numbers(values: NDArray[np.generic]) -> NDArray[np.generic]:
    return as_complex(values) if is_complex(values.dtype) else values


def require_plausible(path: Path, shape: tuple[int, ...]) -> None:
    """Refuse an array of more bytes than its file can hold, however well it is compressed."""
    needed = 1
    for size in shape:
        needed *= size
    if needed > path.stat().st_size * MAX_DEFLATE_RATIO:
        raise FileFormatError(f"{path.name} announces an array of {shape}, more than it can hold; save it again")


def damaged_matlab(path: Path, error: BaseException) -> FileFormatError:
    """Say in one sentence that a MATLAB file is damaged, and how scipy sees it."""
    reason = " ".join(str(error).split())[:120].rstrip(".") or type(error).__name__
    return FileFormatError(
        f"{path.name} cannot be read as a MATLAB file ({reason}); save it again with -v7, or as NIfTI"
    )
