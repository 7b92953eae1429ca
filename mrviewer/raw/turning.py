"""K-space turned so that its image runs Inferior, Posterior, Left, as a position in the scanner says."""

from dataclasses import dataclass

import numpy as np
from nibabel import orientations
from numpy.typing import NDArray

from mrviewer.geometry import Geometry
from mrviewer.raw.cartesian import KspaceSource

__all__ = ["Turn", "TurnedKspace", "turn_to"]


@dataclass(frozen=True)
class Turn:
    """How slices of stored k-space become slices of the internal order.

    Parameters
    ----------
    slice_axis
        Axis of the internal volume along which slices are counted.
    slices, rows, columns
        Whether each runs the other way, as stored.
    swapped
        Whether rows and columns change places afterwards.
    """

    slice_axis: int = 0
    slices: bool = False
    rows: bool = False
    columns: bool = False
    swapped: bool = False

    def pattern(self, acquired: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Acquired samples ``(y, x)`` of the turned k-space."""
        for axis, is_reversed in enumerate((self.rows, self.columns)):
            if is_reversed:
                acquired = acquired.take(_opposite(acquired.shape[axis]), axis)
        return acquired.T if self.swapped else acquired

    def kspace(self, samples: NDArray[np.complex64], matrix: tuple[int, int]) -> NDArray[np.complex64]:
        """K-space ``(coil, y, x)`` of the turned image.

        Parameters
        ----------
        samples : complex, (coil, y, x)
            As stored, DC at ``N // 2``; all of it, or its middle.
        matrix : (y, x)
            Sizes of all of it, as stored.
        """
        for axis, is_reversed in ((1, self.rows), (2, self.columns)):
            if is_reversed:
                samples = _reversed(samples, axis, matrix[axis - 1])
        turned = samples.swapaxes(1, 2) if self.swapped else samples
        return np.ascontiguousarray(turned, np.complex64)


def turn_to(geometry: Geometry, slice_axis: int) -> Turn:
    """The turn from a stored volume ``(z, y, x)`` to a geometry that was made of its affine.

    Parameters
    ----------
    geometry
        From `Geometry.from_stored`.
    slice_axis
        Axis of the stored volume along which slices are counted.
    """
    to_internal = orientations.ornt_transform(np.array([[0, 1], [1, 1], [2, 1]]), geometry.to_stored)
    first, second = (axis for axis in range(3) if axis != slice_axis)
    return Turn(
        int(to_internal[slice_axis, 0]),
        slices=to_internal[slice_axis, 1] < 0,
        rows=to_internal[first, 1] < 0,
        columns=to_internal[second, 1] < 0,
        swapped=to_internal[first, 0] > to_internal[second, 0],
    )


def _opposite(size: int) -> NDArray[np.int64]:
    """Index of the sample on the other side of DC."""
    return (2 * (size // 2) - np.arange(size)) % size


def _reversed(samples: NDArray[np.complex64], axis: int, n_pixels: int) -> NDArray[np.complex64]:
    """K-space of the image that runs the other way; an even number of pixels has no pixel in its middle."""
    size = samples.shape[axis]
    if size < n_pixels and size % 2 == 0:
        # The middle of k-space with one sample more on one side, which has none opposite to it.
        samples = samples.take(range(1, size), axis)
        size -= 1
    opposite = samples.take(_opposite(size), axis)
    if n_pixels % 2:
        return opposite
    shape = [1, 1, 1]
    shape[axis] = size
    ramp = np.exp(2j * np.pi * (np.arange(size) - size // 2) / n_pixels).astype(np.complex64)
    ramped: NDArray[np.complex64] = opposite * ramp.reshape(shape)
    return ramped


@dataclass(frozen=True, eq=False)
class TurnedKspace:
    """K-space of another source, turned; see `mrviewer.raw.KspaceSource`."""

    source: KspaceSource
    turn: Turn

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Sizes ``(slice, coil, y, x)``."""
        n_slices, n_coils, height, width = self.source.shape
        return (n_slices, n_coils, width, height) if self.turn.swapped else (n_slices, n_coils, height, width)

    def read(self, index: int) -> NDArray[np.complex64]:
        """K-space ``(coil, y, x)`` of one slice."""
        return self.turn.kspace(self.source.read(self._place(index)), self._matrix)

    def calibration(self, index: int) -> NDArray[np.complex64] | None:
        """Centre of the calibration scan of one slice; `None` without one."""
        middle = self.source.calibration(self._place(index))
        return None if middle is None else self.turn.kspace(middle, self._matrix)

    @property
    def _matrix(self) -> tuple[int, int]:
        return self.source.shape[2:]

    def _place(self, index: int) -> int:
        return self.source.shape[0] - 1 - index if self.turn.slices else index
