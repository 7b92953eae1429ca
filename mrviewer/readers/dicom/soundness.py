"""Which of several copies of an image is sound, so that a damaged one never displaces a good one."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import FileFormatError
from mrviewer.readers.dicom.decoding import decode, value_type
from mrviewer.readers.dicom.frame import Frame

__all__ = ["soundest"]

Pixels = list[NDArray[np.generic]]


def soundest(copies: Sequence[Sequence[Frame]]) -> tuple[int, bool]:
    """Look at the pixels of copies of one image.

    Parameters
    ----------
    copies
        Planes of each; none where its file does not open.

    Returns
    -------
    Number of the first one that can be decoded and is not a cut version of another, and whether the copies differ.
    """
    found = [(number, pixels) for number, copy in enumerate(copies) if (pixels := _pixels(copy))]
    if not found:
        return 0, False
    best, chosen = found[0]
    for number, pixels in found[1:]:
        if _is_cut(chosen, pixels):
            best, chosen = number, pixels
    is_equal = all(_shapes(pixels) == _shapes(chosen) and _differing(pixels, chosen) == 0 for _, pixels in found)
    return best, len(found) < len(copies) or not is_equal


def _pixels(frames: Sequence[Frame]) -> Pixels:
    """Values of planes; none if they are damaged."""
    if not frames:
        return []
    try:
        return list(decode(frames, value_type(frames)))
    except FileFormatError:
        return []


def _shapes(pixels: Pixels) -> list[tuple[int, ...]]:
    return [plane.shape for plane in pixels]


def _differing(one: Pixels, other: Pixels) -> int:
    return sum(int(np.count_nonzero(a != b)) for a, b in zip(one, other, strict=True))


def _is_cut(one: Pixels, other: Pixels) -> bool:
    """Whether one image is the other with pixels that were never filled: they all hold the value of its last one."""
    if _shapes(one) != _shapes(other) or not _differing(one, other):
        return False
    last = one[-1].flat[-1]
    return all(bool(np.all(a[a != b] == last)) for a, b in zip(one, other, strict=True))
