"""The centre of k-space that is sampled without gaps: what sensitivities are estimated from."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["calibration_region"]


def calibration_region(
    acquired: NDArray[np.bool_] | None, shape: tuple[int, int], largest: int = 24
) -> tuple[slice, slice]:
    """Find the largest block around DC in which every sample was acquired.

    Parameters
    ----------
    acquired : bool, (y | 1, x)
        Acquired samples with DC at the centre; `None` for all.
    shape : (y, x)
        Size of k-space.
    largest
        Edge beyond which the block does not grow.

    Returns
    -------
    Slices along y and x; empty ones where DC itself was not acquired.
    """
    pattern = np.ones(shape, bool) if acquired is None else np.broadcast_to(acquired, shape)
    best = (0, 0)
    for height in range(min(largest, shape[0]), 0, -1):
        rows = _centred(shape[0], height)
        width = _centred_run(np.logical_and.reduce(pattern[rows], axis=0), min(largest, shape[1]))
        # A block that is long but one sample wide determines nothing, so that the shorter edge counts first.
        if (min(height, width), height * width) > (min(best), best[0] * best[1]):
            best = (height, width)
    return _centred(shape[0], best[0]), _centred(shape[1], best[1])


def _centred(size: int, width: int) -> slice:
    start = size // 2 - width // 2
    return slice(start, start + width)


def _centred_run(acquired: NDArray[np.bool_], largest: int) -> int:
    """Width of the widest centred run of acquired samples."""
    return next((width for width in range(largest, 0, -1) if acquired[_centred(len(acquired), width)].all()), 0)
