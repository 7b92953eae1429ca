"""Masks that a person brings: read, checked, and turned to DC at the centre."""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import MaskError
from mrviewer.mask import Mask
from mrviewer.sampling.array_file import read_pattern_array
from mrviewer.sampling.dc_position import center_dc
from mrviewer.sampling.family import MaskFamily
from mrviewer.sampling.request import MaskRequest

__all__ = ["FILE", "load_mask"]

MAX_SAMPLES = 4096 * 4096
"""Largest mask that is looked at."""

_ON_VALUES = (1, 255, 65535)
"""What may stand for an acquired sample: true or 1, and white in images of 8 and 16 bit."""


def load_mask(path: str | Path, shape: tuple[int, int] | None = None) -> Mask:
    """Read a mask from a file.

    Parameters
    ----------
    path
        ``.npy``, ``.png`` or ``.mat``. It holds one mask ``(x,)``, ``(1, x)`` or ``(y, x)``, or a stack
        ``(n, y, x)`` of which ``PATH#3`` is number 3 counted from 0, and ``PATH`` number 0. Samples are true and false,
        0 and 1, 0 and 255, or 0 and 65535. DC may lie at the centre or at the corner.
    shape : (y, x)
        Size of k-space that the mask must fit; `None` to take any.

    Returns
    -------
    Mask
        Named ``file:PATH``, with a note on what was decided. Rows that are all alike become a line mask.

    Raises
    ------
    MaskError
        If the file holds no mask, or one of another size.
    FileFormatError
        If the file is damaged, or not what its name says.
    """
    file, index = _split_index(str(path))
    array = read_pattern_array(file)
    notes = []
    if array.ndim == 3 and array.shape[0] > 1:
        notes.append(f"mask {index or 0} of a stack of {array.shape[0]}, counted from 0; choose one with #NUMBER.")
    pattern = _to_pattern(_choose(array, index, file), file)
    if shape is not None:
        _require_fit(pattern, shape, file)
    pattern, note = center_dc(pattern)
    notes.append(note)
    if (pattern == pattern[:1]).all():
        pattern = pattern[:1]
    return Mask(pattern, FILE.named(str(path)), note=" ".join(notes))


def _split_index(path: str) -> tuple[Path, int | None]:
    """Separate ``PATH#3`` into path and number, unless a file of that whole name exists."""
    match = re.fullmatch(r"(.+)#(\d+)", path)
    if match is None or Path(path).exists():
        return Path(path), None
    return Path(match[1]), int(match[2])


def _choose(array: NDArray[np.generic], index: int | None, file: Path) -> NDArray[np.generic]:
    """One mask ``(y | 1, x)`` of what a file holds."""
    if array.size == 0 or not 1 <= array.ndim <= 3:
        raise MaskError(
            f"{file.name} holds an array of shape {array.shape}; a mask is (x,), (y, x) or a stack (n, y, x)"
        )
    if array[(0,) * (array.ndim - min(array.ndim, 2))].size > MAX_SAMPLES:
        raise MaskError(f"{file.name} holds an array of shape {array.shape}; masks up to 4096 x 4096 are read")
    stack = array if array.ndim == 3 else np.atleast_2d(array)[None]
    if (index or 0) >= len(stack):
        raise MaskError(f"mask {index} of {file.name} was asked for but it holds {len(stack)}; count from 0")
    mask: NDArray[np.generic] = stack[index or 0]
    return mask


def _to_pattern(array: NDArray[np.generic], file: Path) -> NDArray[np.bool_]:
    """Two values to true and false; refuse everything else."""
    if array.dtype.kind not in "buifc":
        raise MaskError(f"{file.name} holds {array.dtype} values; a mask holds 0 and 1")
    values = np.unique(array)
    if not np.isfinite(values).all():
        raise MaskError(f"{file.name} holds values that are not finite; a mask holds 0 and 1")
    if values.size > 2 or not all(value in (0, *_ON_VALUES) for value in values.tolist()):
        raise MaskError(f"{file.name} {_describe(array, values)}; a mask holds 0 and 1, or 0 and 255")
    if values.size == 2 and values[0] != 0:
        raise MaskError(f"{file.name} holds {values[0]} and {values[1]}; a mask holds 0 and 1, or 0 and 255")
    if values[-1] == 0:
        raise MaskError(f"{file.name} holds only zeros, which acquires nothing; give a mask with acquired samples")
    if min(array.shape[1], max(array.shape)) < 2:
        raise MaskError(
            f"{file.name} holds a mask of shape {array.shape} (y, x); transpose it so that lines run along y"
        )
    return np.asarray(array != 0)


def _describe(array: NDArray[np.generic], values: NDArray[np.generic]) -> str:
    if array.shape[1] in (2, 3) and array.shape[0] > 3:
        return f"has {array.shape[0]} rows of {array.shape[1]} values and looks like coordinates of samples"
    if values.size <= 2:
        return f"holds {' and '.join(str(value) for value in values.tolist())}"
    return f"holds {values.size} different values"


def _require_fit(pattern: NDArray[np.bool_], shape: tuple[int, int], file: Path) -> None:
    height, width = shape
    if pattern.shape in ((1, width), (height, width)):
        return
    if pattern.shape[::-1] == (height, width):
        raise MaskError(
            f"{file.name} is {pattern.shape} but k-space is {(height, width)} (y, x); transpose the mask and save it"
        )
    came = f"{pattern.shape[1]} lines" if pattern.shape[0] == 1 else f"{pattern.shape} samples (y, x)"
    raise MaskError(
        f"{file.name} has {came} but k-space is {(height, width)} (y, x); "
        f"give a mask of {width} lines or of {height} x {width} samples"
    )


def _mask_of_file(name: str, request: MaskRequest) -> Mask:
    _, _, path = name.partition(":")
    return load_mask(path, (request.height, request.width))


FILE = MaskFamily(
    name="file",
    title="From a file",
    dimensions=None,
    description="A pattern that you bring, of the size of a slice or of a line.",
    citation="",
    settings=frozenset(),
    argument="PATH",
    make=_mask_of_file,
)
"""Not among the families that are listed, because it cannot be had without a file."""
