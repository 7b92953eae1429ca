"""Probability maps: how likely each sample of k-space is acquired, at an exact rate, on any grid."""

import numpy as np
from numpy.typing import NDArray

from mrviewer.sampling.center import normalised_radius

__all__ = ["at_rate", "most_probable", "ranking", "resampled"]


def at_rate(probability: NDArray[np.floating], rate: float) -> NDArray[np.float64]:
    """Scale probabilities so that their mean is the rate and none leaves 0 to 1.

    ``P' = P a / mean(P)`` where there is too much, ``P' = 1 - (1 - P) (1 - a) / (1 - mean(P))`` where too little. The
    order of the samples stays.

    Parameters
    ----------
    probability : real, any shape
        Between 0 and 1.
    rate
        The mean a that is wanted, 0 to 1.

    References
    ----------
    Bahadir CD et al. (2020), Deep-learning-based optimization of the under-sampling pattern in MRI, IEEE Trans Comput
    Imaging 6:1139-1152, doi:10.1109/TCI.2020.3006727.
    """
    exact = probability.astype(np.float64)
    mean = float(exact.mean())
    if mean >= rate:
        return exact * (rate / mean) if mean > 0 else exact
    scaled: NDArray[np.float64] = 1 - (1 - exact) * ((1 - rate) / (1 - mean))
    return scaled


def ranking(probability: NDArray[np.floating]) -> NDArray[np.intp]:
    """Place of every sample in the order of their probabilities, 0 for the highest; of equals the nearer to DC first.

    Parameters
    ----------
    probability : real, (y, x) or (1, x)
        DC at index ``N // 2``.

    Returns
    -------
    int, as `probability`
    """
    height, width = probability.shape
    distance = normalised_radius(height, width) if height > 1 else np.abs(np.arange(width) - width // 2)[None]
    order = np.lexsort((distance.ravel(), -probability.ravel()))
    places = np.empty(probability.size, dtype=np.intp)
    places[order] = np.arange(probability.size)
    return places.reshape(probability.shape)


def most_probable(probability: NDArray[np.floating], count: int) -> NDArray[np.bool_]:
    """Mark the first `count` samples of the `ranking`."""
    chosen: NDArray[np.bool_] = ranking(probability) < count
    return chosen


def resampled(probability: NDArray[np.floating], shape: tuple[int, int]) -> NDArray[np.float64]:
    """Interpolate a map on another grid, at equal fractions of the sampled part of k-space; DC stays DC.

    Parameters
    ----------
    probability : real, (y, x) or (1, x)
        DC at index ``N // 2``.
    shape : (y, x)
        Wanted grid; a map of lines keeps its one row.

    Returns
    -------
    float64, (y, x) or (1, x)
    """
    resized = probability.astype(np.float64)
    for axis, size in enumerate(shape):
        old = probability.shape[axis]
        if old not in (1, size):
            resized = np.apply_along_axis(_interpolated, axis, resized, size)
    return resized


def _interpolated(line: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Linear interpolation between fractions ``(i - N // 2) / N``; beyond the outermost sample its value goes on."""
    old = (np.arange(line.size) - line.size // 2) / line.size
    new = (np.arange(size) - size // 2) / size
    values: NDArray[np.float64] = np.interp(new, old, line)
    return values
