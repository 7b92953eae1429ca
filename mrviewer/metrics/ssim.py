"""Structural similarity of one slice, by box sums.

The local means of a 7 x 7 window are sums over shifted copies of the slice, made by adding whole arrays; the slice is
cut into bands that stay in the processor's cache.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["K1", "K2", "WINDOW", "SliceSimilarity"]

WINDOW = 7
K1 = 0.01
K2 = 0.03

_N_PIXELS = WINDOW * WINDOW
_BAND_PIXELS = 24_000
"""Pixels of a band: the work arrays of one band then fit in a second-level cache."""


class SliceSimilarity:
    """Mean structural similarity of slices of one size; holds the work arrays.

    Parameters
    ----------
    height, width
        Pixels of a slice; both at least `WINDOW`.

    Notes
    -----
    ``SSIM = (2 m_x m_y + C1)(2 c_xy + C2) / ((m_x^2 + m_y^2 + C1)(v_x + v_y + C2))`` with ``C = (K L)^2``. With
    ``s = x + y`` and ``d = x - y`` the four factors need the box sums of s, d, s^2 and d^2 only, and rounding errors of
    the bright sum cancel in the quotient. The mean of each band is taken off s before it is squared.

    References
    ----------
    Wang Z et al. (2004), Image quality assessment: from error visibility to structural similarity, IEEE Trans Image
    Process 13:600-612, doi:10.1109/TIP.2003.819861. Uniform window and sample covariance are those of scikit-image.
    """

    def __init__(self, height: int, width: int) -> None:
        self._height, self._width = height, width
        n_rows = height - WINDOW + 1
        n_bands = max(1, round(n_rows * width / _BAND_PIXELS))
        self._rows = -(-n_rows // n_bands)
        self._work = np.empty((6, (self._rows + WINDOW - 1) * width), np.float32)

    def mean(self, image: NDArray[np.floating], reference: NDArray[np.floating], data_range: float) -> float:
        """Mean over the pixels whose window lies inside the slice; see `sum_over`."""
        n_windows = (self._height - WINDOW + 1) * (self._width - WINDOW + 1)
        return self.sum_over(None, image, reference, data_range) / n_windows

    def sum_over(
        self,
        region: NDArray[np.bool_] | None,
        image: NDArray[np.floating],
        reference: NDArray[np.floating],
        data_range: float,
    ) -> float:
        """Sum over pixels of a region whose window lies inside the slice.

        Parameters
        ----------
        region : bool, (height - 6, width - 6)
            Which windows count, by their centres; `None` for all.
        image, reference : (height, width)
            Real values in the same units.
        data_range
            L, in these units; greater than 0.
        """
        total = 0.0
        for start in range(0, self._height - WINDOW + 1, self._rows):
            end = min(start + self._rows, self._height - WINDOW + 1)
            stop = end + WINDOW - 1
            counted = True if region is None else region[start:end]
            if np.any(counted):
                total += self._band_sum(image[start:stop], reference[start:stop], 1 / data_range, counted)
        return total

    def _band_sum(
        self,
        image: NDArray[np.floating],
        reference: NDArray[np.floating],
        scale: float,
        counted: NDArray[np.bool_] | bool,
    ) -> float:
        """Sum of the similarity over one band, whose rows lie one behind the other in flat arrays.

        Windows that would run over the end of a row are computed and not counted: flat arrays are worth it.
        """
        shape = image.shape
        work = self._work[:, : image.size]
        total, difference, total_squared, difference_squared, x, y = work
        np.multiply(image, scale, out=x.reshape(shape), casting="same_kind")
        np.multiply(reference, scale, out=y.reshape(shape), casting="same_kind")
        np.add(x, y, out=total)
        np.subtract(x, y, out=difference)
        centre = total.mean()
        total -= centre
        np.multiply(total, total, out=total_squared)
        np.multiply(difference, difference, out=difference_squared)
        sums = [self._box_sum(array, x, y) for array in work[:4]]
        _similarity(sums, float(centre), x, y)
        n_rows, n_columns = shape[0] - WINDOW + 1, shape[1] - WINDOW + 1
        inside = x[: n_rows * shape[1]].reshape(n_rows, shape[1])[:, :n_columns]
        return float(inside.sum(dtype=np.float64, where=counted))

    def _box_sum(
        self, flat: NDArray[np.float32], work_a: NDArray[np.float32], work_b: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Sums over 7 rows and 7 columns in place of `flat`: 7 = 4 + 2 + 1, four additions an axis."""
        for step in (self._width, 1):
            size = flat.size
            n_sums = size - (WINDOW - 1) * step
            pairs = np.add(flat[: size - step], flat[step:], out=work_a[: size - step])
            fours = np.add(pairs[: -2 * step], pairs[2 * step :], out=work_b[: size - 3 * step])[:n_sums]
            fours += pairs[4 * step : 4 * step + n_sums]
            flat = np.add(fours, flat[6 * step :], out=flat[:n_sums])
        return flat


def _similarity(
    sums: list[NDArray[np.float32]], centre: float, numerator: NDArray[np.float32], work: NDArray[np.float32]
) -> None:
    """Write the similarity of every window to the start of `numerator`; all four `sums` are overwritten.

    Sums are of images divided by L. Means are multiplied by 7 and variances by 48, so that no array must be divided.
    """
    total, difference, total_squared, difference_squared = sums
    numerator, work = numerator[: total.size], work[: total.size]
    total *= np.float32(1 / WINDOW)
    difference *= np.float32(1 / WINDOW)
    total_squared -= np.multiply(total, total, out=work)
    total += np.float32(WINDOW * centre)
    total *= total
    difference *= difference
    difference_squared -= difference
    total += np.float32(2 * K1**2 * _N_PIXELS)
    total_squared += np.float32(2 * K2**2 * (_N_PIXELS - 1))
    np.subtract(total, difference, out=numerator)
    total += difference
    numerator *= np.subtract(total_squared, difference_squared, out=work)
    total *= np.add(total_squared, difference_squared, out=work)
    numerator /= total
