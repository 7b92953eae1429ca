"""K-space out of an array whose axes are named."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mrviewer.physics import fft2c
from mrviewer.raw.arrays.array_layout import ArrayLayout, Domain
from mrviewer.raw.finite import finite_samples
from mrviewer.raw.kept_volume import VolumeCutIntoSlices, slices_along
from mrviewer.system.memory import require_memory

__all__ = ["ArrayKspace", "StoredArray", "VolumeArrayKspace", "part_of"]

ORDER = ("frame", "slice", "coil", "z", "y", "x")


class StoredArray(Protocol):
    """An array in a file."""

    @property
    def file_name(self) -> str:
        """The file, for a person."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Size of every axis."""
        ...

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Type of one element."""
        ...

    def part(self, selection: tuple[slice, ...]) -> NDArray[np.generic]:
        """Some of the array, read from its file: a slice of every axis, or of the first ones."""
        ...


def part_of(stored: StoredArray, layout: ArrayLayout, places: Mapping[str, int]) -> NDArray[np.generic]:
    """Read an array at one place along some axes, with the axes of `ORDER`; those that are not there have size 1.

    Raises
    ------
    InputError
        If there is not enough memory for it.
    """
    selection = tuple(slice(places[axis], places[axis] + 1) if axis in places else slice(None) for axis in layout.axes)
    sizes = [1 if axis in places else size for axis, size in zip(layout.axes, stored.shape, strict=True)]
    require_memory(math.prod(sizes) * stored.dtype.itemsize, stored.file_name, "save a part of the array")
    values = stored.part(selection)
    present = [axis for axis in ORDER if axis in layout.axes]
    view = values.transpose([layout.axes.index(axis) for axis in present])
    return view[tuple(slice(None) if axis in present else None for axis in ORDER)]


@dataclass(frozen=True)
class ArrayKspace:
    """K-space of one frame of an array of slices; see `mrviewer.raw.KspaceSource`.

    Parameters
    ----------
    stored, layout
        The array, and what its axes are.
    frame
        Which one.
    """

    stored: StoredArray
    layout: ArrayLayout
    frame: int = 0

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Sizes ``(slice, coil, y, x)``."""
        sizes = dict(zip(self.layout.axes, self.stored.shape, strict=True))
        return sizes.get("slice", 1), sizes.get("coil", 1), sizes["y"], sizes["x"]

    def read(self, index: int) -> NDArray[np.complex64]:
        """K-space ``(coil, y, x)`` of one slice."""
        places = {"frame": self.frame, "slice": index}
        values = np.array(part_of(self.stored, self.layout, places)[0, 0, :, 0], np.complex64)
        if self.layout.corner:
            values = np.fft.fftshift(values, axes=(-2, -1))
        if self.layout.domain is Domain.IMAGE:
            values = fft2c(values).astype(np.complex64, copy=False)
        return values

    def calibration(self, index: int) -> None:
        """The centre of k-space itself."""
        del index


@dataclass(eq=False)
class VolumeArrayKspace(VolumeCutIntoSlices):
    """K-space with a third axis z, transformed along one axis and cut into slices there.

    Parameters
    ----------
    stored, layout, frame
        As in `ArrayKspace`.
    axis
        0, 1 or 2 for z, y or x: an axis without gaps.
    """

    stored: StoredArray
    layout: ArrayLayout
    frame: int = 0
    axis: int = 0

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Sizes ``(slice, coil, y, x)``."""
        sizes = dict(zip(self.layout.axes, self.stored.shape, strict=True))
        plane = [sizes[axis] for axis in "zyx"]
        n_slices = plane.pop(self.axis)
        return n_slices, sizes.get("coil", 1), plane[0], plane[1]

    def samples(self) -> NDArray[np.complex64]:
        """K-space ``(coil, z, y, x)`` with DC in the middle."""
        values = np.array(part_of(self.stored, self.layout, {"frame": self.frame})[0, 0], np.complex64)
        return np.fft.fftshift(values, axes=(-3, -2, -1)) if self.layout.corner else values

    def _transformed(self) -> NDArray[np.complex64]:
        # One sample that is not finite would spread along the whole axis.
        return slices_along(finite_samples(self.samples()), self.axis + 1)
