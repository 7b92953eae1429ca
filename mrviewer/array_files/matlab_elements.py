"""The elements of a MATLAB file, looked at before scipy believes them.

scipy looks up how numbers are stored by a code in the file, and the process dies where the code is none.

References
----------
The MathWorks, MAT-File Format: level 5 MAT-files, "MAT-File Data Types" and "Array Subelements".
"""

import math
import mmap
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat, whosmat

from mrviewer.array_files.stored_bytes import MAX_DEFLATE_RATIO
from mrviewer.system.memory import require_memory

__all__ = ["load_array", "require_known_types"]

FILE_HEADER = 128
MATRIX, COMPRESSED = 14, 15
NUMBERS = frozenset({1, 2, 3, 4, 5, 6, 7, 9, 12, 13})
"""Types of numbers that MATLAB stores: 8 to 64 bits, with and without sign, single and double."""
NUMERIC_CLASSES = range(6, 16)
_BYTES = {
    "double": 8, "single": 4, "logical": 1, "char": 4,
    **{f"{sign}int{bits}": bits // 8 for sign in ("", "u") for bits in (8, 16, 32, 64)},
}  # fmt: skip
"""Of one number, by the class of its matrix."""
_ADVICE = "save less in one array"
SPARSE_CLASS = 5
COMPLEX_FLAG = 0x08
BEGINNING = 4096
"""Bytes of an array within which its real part begins."""


@dataclass(frozen=True)
class _Element:
    """One piece of a file: its type, where its content begins, and where the next piece does."""

    type: int
    start: int
    end: int


def load_array(path: Path, name: str) -> NDArray[np.generic]:
    """Read one array of a MATLAB file up to version 7.

    Raises
    ------
    InputError
        If there is not enough memory for it.
    ValueError
        If the numbers of an array are of a type that MATLAB does not know. scipy may raise others.
    """
    for found, shape, kind in whosmat(path):
        if found == name and kind in _BYTES:
            require_memory(math.prod(shape) * _BYTES[kind], f"the array {name} of {path.name}", _ADVICE)
    require_known_types(path)
    try:
        array: NDArray[np.generic] = loadmat(path, variable_names=[name])[name]
    except UnboundLocalError as error:
        # So scipy meets a class of variables that does not exist.
        raise ValueError(f"{name} is stored as something that is unknown") from error
    return array


def require_known_types(path: Path) -> None:
    """Look at the type of the numbers of every array in a file of version 5 to 7.

    Raises
    ------
    InputError
        If there is not enough memory for a complex one.
    ValueError
        If MATLAB does not know one, or an array announces more than its bytes can hold.
    """
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        order = {b"IM": "<", b"MI": ">"}.get(content[FILE_HEADER - 2 : FILE_HEADER])
        if order is None:
            return
        for element in _elements(content, FILE_HEADER, order, is_outer=True):
            array = content[element.start : element.end]
            if element.type == COMPRESSED:
                array = _inflated(array, order, path.name)
            elif element.type == MATRIX:
                array = struct.pack(f"{order}II", MATRIX, len(array)) + array
            else:
                continue
            _require_known_types_of(array, order)


def _inflated(packed: bytes, order: str, file: str) -> bytes:
    """The beginning of an array; all that it announces if complex or sparse, since further parts follow the first."""
    beginning = zlib.decompressobj().decompress(packed, BEGINNING)
    if not _flags(beginning, order) & COMPLEX_FLAG and _class(beginning, order) != SPARSE_CLASS:
        return beginning
    announced = 8 + int(struct.unpack_from(f"{order}I", beginning, 4)[0])
    if announced > len(packed) * MAX_DEFLATE_RATIO:
        raise ValueError(f"an array announces {announced:,} bytes, more than its {len(packed):,} can hold")
    require_memory(announced, f"an array of {file}", _ADVICE)
    return zlib.decompressobj().decompress(packed, announced)


def _flags(array: bytes, order: str) -> int:
    return struct.unpack_from(f"{order}I", array, 16)[0] >> 8 if len(array) >= 20 else 0


def _class(array: bytes, order: str) -> int:
    """Class of an array as MATLAB numbers them; 0 if it is too short to say."""
    return int(struct.unpack_from(f"{order}I", array, 16)[0] & 0xFF) if len(array) >= 20 else 0


def _require_known_types_of(array: bytes, order: str) -> None:
    """Check the parts that follow flags, sizes and name; of a sparse array the places of its values come first."""
    kind = _class(array, order)
    if kind not in (*NUMERIC_CLASSES, SPARSE_CLASS):
        return
    n_parts = (2 if _flags(array, order) & COMPLEX_FLAG else 1) + (2 if kind == SPARSE_CLASS else 0)
    elements = list(_elements(array, 8, order))
    if kind == SPARSE_CLASS and len(elements) < 3 + n_parts:
        raise ValueError("a sparse array ends before its numbers")
    for number, element in enumerate(elements):
        if 3 <= number < 3 + n_parts and element.type not in NUMBERS:
            raise ValueError(f"its numbers are of type {element.type}, which MATLAB does not know")


def _elements(content: "bytes | mmap.mmap", position: int, order: str, *, is_outer: bool = False) -> Iterator[_Element]:
    """Elements one after the other; up to four bytes may stand in the tag itself."""
    while position + 8 <= len(content):
        kind, size = struct.unpack_from(f"{order}II", content, position)
        if kind >> 16:
            yield _Element(kind & 0xFFFF, position + 4, position + 8)
            position += 8
            continue
        end = position + 8 + size
        yield _Element(kind, position + 8, min(end, len(content)))
        # Everything is padded to eight bytes, apart from what is compressed.
        position = end if is_outer and kind == COMPRESSED else end + (-size) % 8
