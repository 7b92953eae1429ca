"""The grey scale that the network sees: 0 in air, 1 in the brightest hundredth of what is not air."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["scaled"]

_BRIGHTEST = 1.5


def scaled(volume: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale a volume by its own percentiles; a constant one gives zeros, as does what is not finite."""
    finite = np.isfinite(volume)
    values = volume[finite][::3]
    if not values.size:
        return np.zeros(volume.shape, np.float32)
    low = float(np.percentile(values, 1))
    bright = values[values > low + 0.02 * (float(values.max()) - low)]
    high = float(np.percentile(bright, 98)) if bright.size else low
    if high <= low:
        return np.zeros(volume.shape, np.float32)
    result = np.where(finite, (volume - low) / (high - low), 0)
    return np.clip(result, 0, _BRIGHTEST).astype(np.float32)
