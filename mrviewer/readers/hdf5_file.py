"""HDF5 files that may be damaged."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import FileFormatError, MrviewerError
from mrviewer.readers.hdf5_trial import require_readable
from mrviewer.readers.recognising import BLOCK, told_by_content
from mrviewer.readers.stored_bytes import MAX_DEFLATE_RATIO, StoredBytes

__all__ = ["as_complex", "is_complex", "opened", "require_stored"]

_DAMAGED = (OSError, ValueError, KeyError, RuntimeError, TypeError, IndexError, OverflowError, MemoryError, SystemError)
"""What h5py raises, depending on which byte is wrong."""
_PARTS = (("r", "i"), ("real", "imag"), ("re", "im"))


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """Open for reading; whatever the library has to say of a damaged file becomes one sentence.

    Raises
    ------
    InputError
        If there is no such file, or no permission to read it.
    FileFormatError
        If it is no HDF5 file or damaged, now or while it is read, or if the library would not survive it.
    """
    stored = StoredBytes.of(path)
    # MATLAB writes its own text before the signature.
    if not h5py.is_hdf5(path):
        told = told_by_content(stored.head(BLOCK)) or "no HDF5 file, whatever its name says; check what it is"
        raise FileFormatError(f"{path.name} is {told}")
    require_readable(path)
    try:
        with h5py.File(path, "r") as file:
            yield file
    except MrviewerError:
        raise
    except _DAMAGED as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise
        raise FileFormatError(
            f"{path.name} is damaged or cut short ({_one_line(error)}); copy or download it again"
        ) from error


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


def _one_line(error: BaseException) -> str:
    """First sentence of what went wrong, without the path that the library adds."""
    text = " ".join(str(error).split())
    return text.partition(" (file ")[0].partition(", name =")[0].rstrip(".()") or type(error).__name__
