"""One scale for a whole volume: the level of its white matter, so that lesions on a slice do not shift the others."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["white_matter_level"]

_BINS = 200
_SMOOTHING_BINS = 2.5
_LOWEST_SHARE = 0.3
"""Of the bright end: air, skull and fluid lie below it wherever white matter is the largest tissue."""


def white_matter_level(volume: NDArray[np.generic]) -> float:
    """Intensity of the largest tissue of a head: the highest peak of its histogram above fluid and air.

    In FLAIR, T1 and T1Gd of an adult brain that is white matter, or white and grey matter where they share one peak.

    Parameters
    ----------
    volume : (z, y, x)
        Magnitudes in arbitrary units; values that are not finite or not above 0 are not looked at.

    Returns
    -------
    float
        In the units of the volume; 1 where there is nothing to be seen.
    """
    values = np.asarray(volume, np.float32)
    values = values[np.isfinite(values) & (values > 0)]
    if not values.size:
        return 1.0
    # Air with noise is most of a whole head: only what is brighter than a tenth of the bright end is tissue.
    tissue = values[values > 0.1 * np.percentile(values, 99.5)]
    bright = float(np.percentile(tissue, 98))
    counts, edges = np.histogram(tissue, bins=_BINS, range=(0.0, 1.2 * bright))
    smooth = ndimage.gaussian_filter1d(counts.astype(np.float64), _SMOOTHING_BINS)
    centres = (edges[:-1] + edges[1:]) / 2
    smooth[centres < _LOWEST_SHARE * bright] = 0
    return float(centres[int(smooth.argmax())])
