"""Where a pattern of unknown origin has its DC term: at the centre, or at the corner as an FFT leaves it."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["center_dc"]

WINDOW = 8
"""One part in so many of each axis is looked at around either place."""

MIN_DEVIATIONS = 2.3
"""How much denser than chance a place must be: by 2.3 standard deviations, about one in a hundred by luck."""

MIN_LEAD = 2.0
"""How many standard deviations it must be denser than the other place."""


def center_dc(pattern: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], str]:
    """Turn a pattern so that DC lies at index ``N // 2``.

    Nearly every mask samples the surroundings of DC more densely than the rest; the place where this is so is taken for
    DC, and the centre if neither is.

    Parameters
    ----------
    pattern : bool, (1, x) or (y, x)

    Returns
    -------
    bool, as `pattern`
    str
        One sentence on what was found.
    """
    turned = np.fft.fftshift(pattern)
    if np.array_equal(turned, pattern):
        return pattern, "Both places of DC give the same mask."
    at_center, at_corner = _excess(pattern), _excess(turned)
    if at_center >= MIN_DEVIATIONS and at_center >= at_corner + MIN_LEAD:
        return pattern, "DC was found at the centre."
    if at_corner >= MIN_DEVIATIONS and at_corner >= at_center + MIN_LEAD:
        return turned, "DC was found at the corner and moved to the centre."
    return pattern, "No region is clearly denser, so DC is assumed at the centre; check it in the picture of the mask."


def _excess(pattern: NDArray[np.bool_]) -> float:
    """Samples in a window around index ``N // 2``, in standard deviations above what chance would put there."""
    window = pattern[tuple(_window(size) for size in pattern.shape)]
    density = np.count_nonzero(pattern) / pattern.size
    spread = np.sqrt(window.size * density * (1 - density))
    return float((np.count_nonzero(window) - window.size * density) / spread) if spread > 0 else 0.0


def _window(size: int) -> slice:
    half = max(size // (2 * WINDOW), 1)
    return slice(max(size // 2 - half, 0), size // 2 + half + size % 2)
