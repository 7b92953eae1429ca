"""HDF5 files that may be damaged, or lead to other files; one thread at a time reads them."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

import h5py
import numpy as np
from numpy.typing import NDArray

from mrviewer.array_files.hdf5_probe import elsewhere
from mrviewer.array_files.hdf5_trial import require_readable
from mrviewer.array_files.recognising import BLOCK, told_by_content
from mrviewer.array_files.stored_bytes import MAX_DEFLATE_RATIO, StoredBytes
from mrviewer.errors import FileFormatError, MrviewerError
from mrviewer.system.memory import require_memory

__all__ = ["as_complex", "is_complex", "is_hdf5", "opened", "require_room", "require_stored"]

_DAMAGED = (OSError, ValueError, KeyError, RuntimeError, TypeError, IndexError, OverflowError, MemoryError, SystemError)
"""What h5py raises, depending on which byte is wrong."""
_TRUNCATED = re.compile(r"truncated file: eof = (\d+),.* stored_eof = (\d+)")
"""As the library tells the bytes that are there, and those that were written."""
_PARTS = (("r", "i"), ("real", "imag"), ("re", "im"))
_LOCK = RLock()
"""Held by who reads. Two threads that read rows of variable length at once crash the process inside the library."""
_KNOWN_WHOLE: set[tuple[Path, int, int]] = set()
"""Files with their size and time, that were looked through and take nothing from others; each slice opens its file."""


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """Open for reading; whatever the library has to say of a damaged file becomes one sentence.

    Other threads of this process that want to read HDF5 wait until the file is closed.

    Raises
    ------
    InputError
        If there is no such file, or no permission to read it.
    FileFormatError
        If it is not an HDF5 file or damaged, now or while it is read, if the library would not survive it, or if it
        takes values from other files.
    """
    stored = StoredBytes.of(path)
    if not is_hdf5(path):
        told = told_by_content(stored.head(BLOCK)) or "not an HDF5 file, whatever its name says; check what it is"
        raise FileFormatError(f"{path.name} is {told}")
    require_readable(path)
    try:
        with _LOCK, h5py.File(path, "r") as file:
            _require_all_inside(file, path)
            yield file
    except MrviewerError:
        raise
    except _DAMAGED as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise
        raise FileFormatError(f"{path.name} is {_fault(error)}; copy or download it again") from error


def is_hdf5(path: Path) -> bool:
    """Whether a file has the signature of HDF5, behind a block of text (as MATLAB writes it) or not."""
    with _LOCK:
        return bool(h5py.is_hdf5(path))


def require_stored(dataset: h5py.Dataset, path: Path) -> None:
    """Refuse an array that announces more than its file can hold, however well it is compressed.

    Raises
    ------
    FileFormatError
        If it does.
    """
    needed = dataset.dtype.itemsize
    for size in dataset.shape:
        needed *= size
    if needed > path.stat().st_size * MAX_DEFLATE_RATIO:
        raise FileFormatError(
            f"{path.name} announces {needed:,} bytes of {dataset.name.strip('/')} and holds {path.stat().st_size:,} "
            "bytes in all; copy or download it again"
        )


def require_room(dataset: h5py.Dataset, path: Path) -> None:
    """Refuse an array that does not fit into memory, or that the file cannot hold.

    Raises
    ------
    InputError
        If it does not fit.
    FileFormatError
        If the file announces more than it can hold.
    """
    require_stored(dataset, path)
    require_memory(dataset.size * dataset.dtype.itemsize, path.name, "save a part of the array")


def is_complex(dtype: np.dtype[np.generic]) -> bool:
    """Whether values are complex, as numbers or as pairs of real and imaginary part."""
    if dtype.fields is None:
        return dtype.kind == "c"
    parts = [field[0] for field in dtype.fields.values()]
    # Damaged files tell of parts that lie on each other, or are references.
    return (
        tuple(dtype.fields) in _PARTS
        and parts[0] == parts[1]
        and parts[0].kind in "fiu"
        and 2 * parts[0].itemsize <= dtype.itemsize
    )


def as_complex(values: NDArray[np.generic]) -> NDArray[np.complex64]:
    """Complex numbers from what was stored."""
    fields = values.dtype.fields
    if fields is not None:
        (real, real_at), (imaginary, imaginary_at) = (field[:2] for field in fields.values())
        parts = values.getfield(real, real_at) + 1j * values.getfield(imaginary, imaginary_at)
        return parts.astype(np.complex64)
    return values.astype(np.complex64, copy=False)


def _require_all_inside(file: h5py.File, path: Path) -> None:
    """Refuse a file that would show the content of other files, which the user never opened, as its own.

    Raises
    ------
    FileFormatError
        If it does.
    """
    status = path.stat()
    key = (path.resolve(), status.st_size, status.st_mtime_ns)
    if key in _KNOWN_WHOLE:
        return
    if found := elsewhere(file):
        raise FileFormatError(
            f"in {path.name} {found}, and a file that opens here holds all its values itself; load them with h5py "
            "where they come from and save them in one file"
        )
    _KNOWN_WHOLE.add(key)


def _fault(error: BaseException) -> str:
    """What is wrong with a file: how much of it is missing, if the library tells."""
    if sizes := _TRUNCATED.search(str(error)):
        return f"cut short: it holds {int(sizes[1]):,} of {int(sizes[2]):,} bytes"
    return f"damaged or cut short ({_one_line(error)})"


def _one_line(error: BaseException) -> str:
    """First sentence of what went wrong, without the path that the library adds."""
    text = " ".join(str(error).split())
    return text.partition(" (file ")[0].partition(", name =")[0].rstrip(".()") or type(error).__name__
