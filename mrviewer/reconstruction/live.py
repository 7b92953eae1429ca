"""The zero-filled image of one slice while the mask is being changed.

What does not depend on the mask is computed once. The inverse transforms need no shifts: k-space is kept with DC at the
centre, and multiplied by a phase ramp that puts the image in order. Leaving DC where it is changes the image by a phase
that all coils share, and only the magnitude is shown.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import fft as scipy_fft

from mrviewer.errors import ShapeError
from mrviewer.mask import Mask
from mrviewer.study import RawData

__all__ = ["LiveSlice"]

_Y, _X = -2, -1


@dataclass(frozen=True, eq=False)
class LiveSlice:
    """One slice of raw data, ready to be sampled by one mask after another.

    Parameters
    ----------
    raw
        Where the slice comes from; read once, at the first mask.
    index
        Number of the slice.

    Raises
    ------
    ShapeError
        If there is no such slice.
    """

    raw: RawData
    index: int

    def __post_init__(self) -> None:
        """Refuse a slice that does not exist."""
        if not 0 <= self.index < self.raw.shape[0]:
            raise ShapeError(f"slice {self.index} was asked for but there are {self.raw.shape[0]}; count from 0")

    def transform(self) -> None:
        """Do now what does not depend on the mask, which the first mask would have to wait for otherwise."""
        _ = self._hybrid, self._conjugate_maps

    def zero_filled(self, mask: Mask) -> NDArray[np.float32]:
        """Magnitude of the adjoint, ``|sum_c conj(s_c) F^-1(M y_c)|``.

        A mask of whole lines costs one inverse transform along x per coil, any other mask one in two dimensions.

        Parameters
        ----------
        mask
            Must fit the slice.

        Returns
        -------
        float32, (y, x)
            In the units of the raw data; a new array.

        Raises
        ------
        ShapeError
            If mask and slice differ in size.
        """
        height, width = self.raw.shape[2:]
        pattern = mask.pattern
        if pattern.shape not in ((1, width), (height, width)):
            raise ShapeError(f"the mask is {pattern.shape} but slices are {(height, width)} (y, x); make a mask to fit")
        # Real and imaginary part lie side by side, and multiplying reals is quicker than multiplying complex numbers.
        weights = np.repeat(pattern.astype(np.float32), 2, axis=_X)
        if mask.is_line_mask:
            return self._magnitude(self._hybrid, weights, (_X,))
        return self._magnitude(self._ramped, weights, (_Y, _X))

    def _magnitude(
        self, coils: NDArray[np.complex64], weights: NDArray[np.float32], axes: tuple[int, ...]
    ) -> NDArray[np.float32]:
        """Weigh, transform and combine coil by coil, so that all stays in the processor's cache."""
        combined = np.zeros((), np.complex64)
        maps = self._conjugate_maps
        for coil, samples in enumerate(coils):
            masked = (samples.view(np.float32) * weights).view(np.complex64)
            image = scipy_fft.ifftn(masked, axes=axes, norm="ortho", overwrite_x=True)
            if maps is not None:
                image *= maps[coil]
            combined = image if coil == 0 else np.add(combined, image, out=combined)
        magnitude: NDArray[np.float32] = np.abs(combined)
        return magnitude

    @cached_property
    def _ramped(self) -> NDArray[np.complex64]:
        """K-space ``(coil, y, x)`` whose inverse transform without any shift is the image, up to a shared phase."""
        _, _, height, width = self.raw.shape
        ramps = _ramp(height)[:, None] * _ramp(width)
        return np.ascontiguousarray(self.raw.kspace(self.index) * ramps, dtype=np.complex64)

    @cached_property
    def _hybrid(self) -> NDArray[np.complex64]:
        """`_ramped` with y transformed to the image: ``(coil, y, k_x)``."""
        return np.ascontiguousarray(scipy_fft.ifft(self._ramped, axis=_Y, norm="ortho"), dtype=np.complex64)

    @cached_property
    def _conjugate_maps(self) -> NDArray[np.complex64] | None:
        """Conjugate coil maps ``(coil, y, x)``; `None` when they change nothing, as with one coil that sees all."""
        maps = np.conj(self.raw.coil_maps(self.index)).astype(np.complex64, copy=False)
        return None if (maps == 1).all() and len(maps) == 1 else np.ascontiguousarray(maps)


def _ramp(size: int) -> NDArray[np.complex128]:
    """Phase ramp over centred k-space that moves the first sample of the image to index ``size // 2``."""
    frequency = np.arange(size) - size // 2
    ramp: NDArray[np.complex128] = np.exp(-2j * np.pi * frequency * (size // 2) / size)
    return ramp
