"""The three colours of agreement: on the contours, in the legend and in the tables, from this one place.

The hues are those of Okabe and Ito, which people with any common colour blindness can tell apart.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import ShapeError

__all__ = [
    "CLASS_COLOURS",
    "PLAIN",
    "PLAIN_COLOUR",
    "RIM",
    "RIM_COLOUR",
    "Agreement",
    "agreement",
    "class_code",
    "class_colour",
    "rimmed",
]

RIM = 4
"""Code of the dark rim that keeps an outline visible over the bright parts of an error map."""

RIM_COLOUR = "#000000"

PLAIN = 5
"""Code of a region that is compared with nothing: the reference itself, or a segmentation without one."""

PLAIN_COLOUR = "#F0E442"

CLASS_COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#D55E00", "#0072B2", "#FFFFFF", "#999999")
"""Colours of the classes of a segmentation, none of them that of the reference labels; the ninth is the first again."""

_FIRST_CLASS = 16
"""Code of the first class; smaller ones have other meanings."""


class Agreement(IntEnum):
    """How a segmentation and its reference agree at one voxel; 0 is background in both."""

    AGREED = 1
    MISSED = 2
    FALSE = 3

    @property
    def label(self) -> str:
        """The word in legends and tables."""
        return self.name.lower()

    @property
    def colour(self) -> str:
        """Hexadecimal RGB."""
        return _COLOURS[self]


_COLOURS = {Agreement.AGREED: "#009E73", Agreement.MISSED: "#D55E00", Agreement.FALSE: "#56B4E9"}


def class_code(number: int) -> int:
    """Code of a class, counted from 0, in a map of outlines."""
    return _FIRST_CLASS + number % len(CLASS_COLOURS)


def class_colour(number: int) -> str:
    """Colour of a class, counted from 0."""
    return CLASS_COLOURS[number % len(CLASS_COLOURS)]


def agreement(prediction: NDArray[np.generic], reference: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Compare two segmentations voxel by voxel.

    Parameters
    ----------
    prediction, reference : integer or boolean, any shape
        Two segmentations of one shape; everything but 0 is foreground.

    Returns
    -------
    uint8, shape of the inputs
        0 where neither has a label, else the value of an `Agreement`: both, the reference alone, the prediction alone.

    Raises
    ------
    ShapeError
        If the two shapes differ.
    """
    if prediction.shape != reference.shape:
        raise ShapeError(
            f"the segmentation is {prediction.shape} but the reference is {reference.shape}; bring them to one grid"
        )
    predicted, expected = prediction != 0, reference != 0
    # 2 * expected + 3 * predicted is 5 where both are set; one pass over bytes instead of three masked writes.
    codes = expected.view(np.uint8) * np.uint8(2)
    codes += predicted.view(np.uint8) * np.uint8(3)
    codes[codes == 5] = Agreement.AGREED
    return codes


def rimmed(codes: NDArray[np.uint8], axes: tuple[int, ...]) -> NDArray[np.uint8]:
    """Copy codes and put `RIM` on every background voxel that touches a region along one of `axes`."""
    result = np.array(codes, np.uint8)
    regions = codes != 0
    box = []
    for axis in range(codes.ndim):
        taken = np.flatnonzero(regions.any(axis=tuple(a for a in range(codes.ndim) if a != axis)))
        if not len(taken):
            return result
        box.append(slice(max(taken[0] - 1, 0), taken[-1] + 2))
    inner, outer = regions[tuple(box)], result[tuple(box)]
    touched = np.zeros_like(inner)
    for axis in axes:
        low: list[slice] = [slice(None)] * codes.ndim
        high = list(low)
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        touched[tuple(high)] |= inner[tuple(low)]
        touched[tuple(low)] |= inner[tuple(high)]
    outer[touched & ~inner] = RIM
    return result
