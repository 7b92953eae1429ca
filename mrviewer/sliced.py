"""Volumes of which a few slices at a time are in memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["SlicedVolume", "Volume", "block_of", "cropped", "without_slices"]


@dataclass(frozen=True, eq=False)
class SlicedVolume:
    """A volume ``(z, y, x)`` whose slices are computed whenever they are looked at.

    Parameters
    ----------
    shape
        Sizes ``(z, y, x)``.
    axis
        Along which it is cut.
    slice_of
        Gives a slice, float32, by its number.
    """

    shape: tuple[int, int, int]
    axis: int
    slice_of: Callable[[int], NDArray[np.float32]]

    @property
    def dtype(self) -> np.dtype[np.float32]:
        """Type of the values."""
        return np.dtype(np.float32)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of voxels."""
        return int(np.prod(self.shape))

    def __array__(self, dtype: np.dtype[np.generic] | None = None, copy: bool | None = None) -> NDArray[np.generic]:
        del copy
        whole = np.moveaxis(self.block(self.axis, 0, self.shape[self.axis]), 0, self.axis)
        return whole if dtype is None else whole.astype(dtype)

    def block(self, axis: int, start: int, stop: int) -> NDArray[np.float32]:
        """Compute neighbouring slices along any axis, which becomes the first; along another one, all are gone through.

        Returns
        -------
        float32, (stop - start, ..., ...)
        """
        if axis == self.axis:
            return np.stack([self.slice_of(index) for index in range(start, stop)])
        sizes = list(self.shape)
        sizes[axis] = stop - start
        part = np.empty(sizes, np.float32)
        within = axis if axis < self.axis else axis - 1
        for index, plane in enumerate(np.moveaxis(part, self.axis, 0)):
            plane[...] = np.moveaxis(np.moveaxis(self.slice_of(index), within, 0)[start:stop], 0, within)
        return np.moveaxis(part, axis, 0)


Volume: TypeAlias = NDArray[np.generic] | SlicedVolume
"""Real or complex numbers of any type, in memory or slice by slice."""


def block_of(volume: Volume, axis: int, start: int, stop: int) -> NDArray[np.generic]:
    """Neighbouring slices along an axis, which becomes the first; a view where the volume is in memory."""
    if isinstance(volume, SlicedVolume):
        return volume.block(axis, start, stop)
    return np.moveaxis(volume, axis, 0)[start:stop]


def cropped(volume: Volume, box: tuple[slice, slice, slice]) -> Volume:
    """Cut a box out of a volume; its edges lie inside, with a step of 1."""
    if not isinstance(volume, SlicedVolume):
        return volume[box]
    first = box[volume.axis].start
    within = tuple(edge for axis, edge in enumerate(box) if axis != volume.axis)
    z, y, x = (edge.stop - edge.start for edge in box)
    return SlicedVolume((z, y, x), volume.axis, lambda index: volume.slice_of(first + index)[within])


def without_slices(volume: Volume, left_out: Sequence[int], axis: int) -> Volume:
    """Leave slices out of a volume."""
    if not isinstance(volume, SlicedVolume):
        return np.delete(volume, left_out, axis)
    kept = [index for index in range(volume.shape[axis]) if index not in set(left_out)]
    sizes = list(volume.shape)
    sizes[axis] = len(kept)
    z, y, x = sizes
    return SlicedVolume((z, y, x), axis, lambda index: volume.block(axis, kept[index], kept[index] + 1)[0])
