"""The wavelet penalty: shrinkage of detail coefficients on a periodic grid."""

import numpy as np
import pywt
from numpy.typing import NDArray

__all__ = ["padded_shape", "shrink_details", "soft_threshold", "usable_levels"]

_TINY = np.finfo(np.float32).tiny


def usable_levels(shape: tuple[int, int], wavelet: str, levels: int) -> int:
    """Depth that a slice ``(y, x)`` can bear: `levels`, or fewer if it is too small for the filter."""
    return min(levels, int(pywt.dwtn_max_level(shape, wavelet)))


def padded_shape(shape: tuple[int, int], levels: int) -> tuple[int, int]:
    """Next larger ``(y, x)`` on which `levels` levels of the periodic transform are orthonormal."""
    factor = 2**levels
    return -(-shape[0] // factor) * factor, -(-shape[1] // factor) * factor


def soft_threshold(values: NDArray[np.complex64], threshold: float) -> NDArray[np.complex64]:
    """Shorten complex numbers by `threshold`, phase kept: ``v max(|v| - t, 0) / |v|``."""
    magnitude = np.abs(values)
    scale = np.maximum(magnitude - np.float32(threshold), 0) / np.maximum(magnitude, _TINY)
    shortened: NDArray[np.complex64] = values * scale
    return shortened


def shrink_details(
    image: NDArray[np.complex64], threshold: float, wavelet: str, levels: int, shift: tuple[int, int] = (0, 0)
) -> NDArray[np.complex64]:
    """Proximal map of ``threshold * sum |detail coefficients of the shifted image|``.

    Parameters
    ----------
    image : complex64, (y, x)
        Sizes must be multiples of ``2**levels`` (`padded_shape`).
    threshold
        In the units of `image`.
    wavelet, levels
        The orthonormal periodic transform; its approximation coefficients are kept.
    shift : (y, x)
        Cyclic shift before the transform, undone after it.

    Returns
    -------
    complex64, (y, x)

    References
    ----------
    Coifman RR, Donoho DL (1995), Translation-invariant de-noising, doi:10.1007/978-1-4612-2544-7_9.
    """
    shifted = np.roll(image, shift, axis=(0, 1)) if any(shift) else image
    approximation, *details = pywt.wavedec2(shifted, wavelet, mode="periodization", level=levels)
    shrunk = [tuple(soft_threshold(band, threshold) for band in level) for level in details]
    smooth: NDArray[np.complex64] = pywt.waverec2([approximation, *shrunk], wavelet, mode="periodization")
    return np.roll(smooth, (-shift[0], -shift[1]), axis=(0, 1)) if any(shift) else smooth
