"""The Laplacian of Gaussian of two slices, of which the high-frequency error norm is made."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

__all__ = ["REACH", "SIZE", "EdgeFilter"]

SIZE = 15
REACH = SIZE // 2
"""Pixels from the centre of the filter to its edge."""
_SIGMA = 1.5


class EdgeFilter:
    """Filters slices of one size; holds the work array.

    Parameters
    ----------
    height, width
        Pixels of a slice; both at least `SIZE`.
    """

    def __init__(self, height: int, width: int) -> None:
        self._height, self._width = height, width
        self._transfer = _transfer(fft.next_fast_len(height), fft.next_fast_len(width))
        self._both = np.empty(self._transfer.shape, np.complex128)

    def energies(
        self, image: NDArray[np.floating], reference: NDArray[np.floating], centres: NDArray[np.bool_] | None
    ) -> NDArray[np.float64]:
        """Sums of squares ``(3,)``: of the filtered error, of the filtered reference, and of the reference itself.

        Parameters
        ----------
        image, reference : (height, width)
            Real values in the same units.
        centres : bool, (height - 14, width - 14)
            Which windows count, by their centres; `None` for all that lie inside the slice.
        """
        # One complex transform filters both: the error as real, the reference as imaginary part.
        both = self._both
        both[:] = 0
        np.subtract(image, reference, out=both.real[: self._height, : self._width], dtype=np.float64)
        both.imag[: self._height, : self._width] = reference
        energy = _sum_of_squares(both.imag)
        filtered = fft.ifft2(fft.fft2(both) * self._transfer)[SIZE - 1 : self._height, SIZE - 1 : self._width]
        counted = filtered if centres is None else filtered[centres]
        return np.array([_sum_of_squares(counted.real), _sum_of_squares(counted.imag), energy])


@lru_cache(maxsize=4)
def _transfer(height: int, width: int) -> NDArray[np.complex128]:
    """Transfer function of the Laplacian of Gaussian, with zero mean as in MATLAB's ``fspecial("log", 15, 1.5)``."""
    squared = np.arange(-REACH, REACH + 1) ** 2
    radius_squared = squared[:, None] + squared
    gaussian = np.exp(-radius_squared / (2 * _SIGMA**2))
    kernel = gaussian / gaussian.sum() * (radius_squared - 2 * _SIGMA**2) / _SIGMA**4
    transfer: NDArray[np.complex128] = fft.fft2(kernel - kernel.mean(), (height, width))
    return transfer


def _sum_of_squares(array: NDArray[np.floating]) -> float:
    flat = array.ravel()
    return float(np.dot(flat, flat))
