"""A first picture of what is being opened, long before all of it is read. No Qt."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrviewer.coils import root_sum_of_squares
from mrviewer.physics import ifft2c
from mrviewer.study import RawData

__all__ = ["FirstPicture", "grey", "of_array", "of_raw"]

_DARKEST, _BRIGHTEST = 1.0, 99.5
"""Percentiles that become black and white."""


@dataclass(frozen=True, eq=False)
class FirstPicture:
    """One slice, ready to be shown.

    Parameters
    ----------
    grey : uint8, (y, x)
        From black to white.
    pixel_mm : (y, x)
        Edges of a pixel.
    title
        What it is.
    """

    grey: NDArray[np.uint8]
    pixel_mm: tuple[float, float]
    title: str


def grey(plane: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Gray values of a slice between its percentiles; black where all values are equal."""
    values = np.nan_to_num(np.abs(plane) if np.iscomplexobj(plane) else np.asarray(plane, np.float32))
    low, high = np.percentile(values, (_DARKEST, _BRIGHTEST))
    if not high > low:
        return np.zeros(plane.shape, np.uint8)
    shown: NDArray[np.uint8] = np.clip((values - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    return shown


def of_array(plane: NDArray[np.generic], pixel_mm: tuple[float, float], title: str) -> FirstPicture:
    """Picture of a slice of an image."""
    return FirstPicture(grey(plane), pixel_mm, title)


def of_raw(raw: RawData, title: str) -> FirstPicture:
    """Picture of the middle slice of raw data: root sum of squares over its coils, no sensitivities needed."""
    coils = ifft2c(raw.kspace(raw.shape[0] // 2))
    edges = [edge for axis, edge in enumerate(raw.geometry.voxel_size_mm) if axis != raw.slice_axis]
    return of_array(root_sum_of_squares(coils), (edges[0], edges[1]), title)
