"""An exact number of draws without replacement, each sample with its own weight."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["GAUSSIAN_DEVIATION", "add_weighted_draws"]

GAUSSIAN_DEVIATION = 0.7 / (2 * np.sqrt(2 * np.log(2)))
"""Of the Gaussian families: a full width at half maximum of 0.7, where an axis runs from -1 to 1."""


def add_weighted_draws(
    taken: NDArray[np.bool_], log_weight: NDArray[np.float64], count: int, generator: np.random.Generator
) -> NDArray[np.bool_]:
    """Take samples until `count` are taken, each draw with a chance in proportion to its weight.

    Adding Gumbel noise to the logarithm of the weights and taking the largest sums is the same as drawing one by one. A
    smaller count with the same generator state takes a part of the same samples.

    Parameters
    ----------
    taken : bool, any shape
        Samples taken already; they count.
    log_weight : float64, as `taken`
        Logarithm of the weights, up to a constant.
    count
        Samples in all, at least those taken already.
    generator
        Source of the noise.

    References
    ----------
    Efraimidis PS and Spirakis PG (2006), Weighted random sampling with a reservoir, Inf Process Lett 97:181-185,
    doi:10.1016/j.ipl.2005.11.003.
    """
    keys = np.where(taken, np.inf, log_weight + generator.gumbel(size=taken.shape))
    chosen = np.zeros(taken.size, dtype=bool)
    if count == taken.size:
        chosen[:] = True
    else:
        chosen[np.argpartition(-keys, count, axis=None)[:count]] = True
    return chosen.reshape(taken.shape)
