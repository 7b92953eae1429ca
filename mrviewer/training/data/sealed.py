"""Arrays on disk with a checksum, so that a flipped bit is noticed before anything learns from it."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from isal.isal_zlib import crc32
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from mrviewer.files.whole_file import whole_file

__all__ = ["is_sealed", "write_sealed"]

_CHECKSUM = "crc32"


def write_sealed(path: Path, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    """Write arrays as one safetensors file, whole or not at all, with a checksum of them all.

    Raises
    ------
    WriteError
        If the disk is full, or nothing may be written there.
    SafetensorError
        If it cannot be written for another reason.
    """
    made = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    with whole_file(path) as temporary:
        save_file(made, temporary, metadata={_CHECKSUM: _checksum(iter(sorted(made.items())))})


def is_sealed(path: Path) -> bool:
    """Whether a file holds what was written into it; all of it is read."""
    try:
        with safe_open(path, framework="numpy") as file:
            told = (file.metadata() or {}).get(_CHECKSUM)
            arrays = ((name, file.get_tensor(name)) for name in sorted(file.keys()))
            return told is not None and told == _checksum(arrays)
    except (OSError, SafetensorError, ValueError, TypeError, KeyError, AttributeError):
        return False


def _checksum(arrays: Iterator[tuple[str, NDArray[np.generic]]]) -> str:
    """CRC-32 of names, types, shapes and values."""
    value = 0
    for name, array in arrays:
        value = crc32(repr((name, array.dtype.str, array.shape)).encode(), value)
        value = crc32(array.reshape(-1).view(np.uint8), value)
    return f"{value:08x}"
