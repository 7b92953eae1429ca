"""Where a pattern of unknown origin has its DC term: at the centre, or at the corner as an FFT leaves it."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["center_dc"]

WINDOWS = (8, 12, 16)
"""One part in so many of each axis is looked at around either place; the size that stands out most counts."""

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
    density = np.count_nonzero(pattern) / pattern.size
    excess = 0.0
    for part in WINDOWS:
        window = pattern[tuple(_window(size, part) for size in pattern.shape)]
        spread = float(np.sqrt(window.size * density * (1 - density)))
        excess = max(excess, (np.count_nonzero(window) - window.size * density) / spread)
    return excess


def _window(size: int, part: int) -> slice:
    half = size // (2 * part)
    return slice(size // 2 - half, size // 2 + half + 1)
