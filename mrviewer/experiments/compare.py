"""What figures of a few trainings and subjects can tell: means, paired differences, order, rank correlation."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

__all__ = ["Correlation", "Difference", "Spread", "agreeing_pairs", "paired_difference", "rank_correlation", "spread"]

Values = NDArray[np.float64]

_DRAWS = 4000


@dataclass(frozen=True)
class Spread:
    """Mean over subjects and seeds, and standard deviation over seeds of the mean over subjects.

    Parameters
    ----------
    mean
    deviation
        `None` with a single seed.
    """

    mean: float
    deviation: float | None


@dataclass(frozen=True)
class Difference:
    """Mean paired difference and its interval of 95 %.

    Parameters
    ----------
    mean, low, high
    n_seeds
        Trainings that it was measured on.
    """

    mean: float
    low: float
    high: float
    n_seeds: int

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out 0; one training alone cannot tell what is chance."""
        return self.n_seeds > 1 and (self.low > 0 or self.high < 0)


@dataclass(frozen=True)
class Correlation:
    """Spearman's rank correlation.

    Parameters
    ----------
    rho
        Between -1 and 1.
    p_value
        Of no correlation, two-sided.
    count
        Pairs of values.
    """

    rho: float
    p_value: float
    count: int


def spread(values: Values) -> Spread | None:
    """Mean and deviation of values ``(seed, subject)``, NaN left out; `None` if nothing was measured."""
    if not np.isfinite(values).any():
        return None
    by_seed = _mean(values, axis=1)
    by_seed = by_seed[np.isfinite(by_seed)]
    deviation = float(by_seed.std(ddof=1)) if len(by_seed) > 1 else None
    return Spread(float(by_seed.mean()), deviation)


def paired_difference(first: Values, second: Values) -> Difference | None:
    """Difference of two rows that share seeds and subjects, with a bootstrap interval over both.

    Seeds and subjects are drawn anew, each with replacement and independently (the pigeonhole bootstrap), because what
    a training gains or loses by chance is common to all of its subjects. The draws are the same at every call.

    Parameters
    ----------
    first, second : (seed, subject)
        NaN where a figure does not exist.

    Returns
    -------
    Difference or None
        Of first minus second; `None` if no pair was measured.

    References
    ----------
    Owen AB (2007), The pigeonhole bootstrap, Ann Appl Stat 1:386-411, doi:10.1214/07-AOAS122.
    """
    paired = first - second
    if not np.isfinite(paired).any():
        return None
    n_seeds, n_subjects = paired.shape
    rng = np.random.default_rng(0)
    seeds = rng.integers(n_seeds, size=(_DRAWS, n_seeds, 1))
    subjects = rng.integers(n_subjects, size=(_DRAWS, 1, n_subjects))
    means = _mean(paired[seeds, subjects].reshape(_DRAWS, -1), axis=1)
    low, high = np.nanpercentile(means, [2.5, 97.5])
    return Difference(float(np.nanmean(paired)), float(low), float(high), n_seeds)


def agreeing_pairs(published: Mapping[str, float], ours: Mapping[str, float]) -> tuple[int, int]:
    """Pairs of rows that stand in the same order in both, and pairs that differ in the publication at all."""
    rows = [row for row in published if row in ours]
    signs = [
        (np.sign(published[one] - published[other]), np.sign(ours[one] - ours[other]))
        for one, other in combinations(rows, 2)
        if published[one] != published[other]
    ]
    return sum(theirs == mine for theirs, mine in signs), len(signs)


def rank_correlation(first: Values, second: Values) -> Correlation | None:
    """Spearman's correlation of two lists of values, pairs with a NaN left out.

    Returns
    -------
    Correlation or None
        `None` with fewer than three pairs, or where all values of a list are equal.
    """
    both = np.isfinite(first) & np.isfinite(second)
    first, second = first[both], second[both]
    if len(first) < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    result = stats.spearmanr(first, second)
    return Correlation(float(result.statistic), float(result.pvalue), len(first))


def _mean(values: Values, axis: int) -> Values:
    """Mean of what is finite; NaN where nothing is."""
    finite = np.isfinite(values)
    total = np.where(finite, values, 0).sum(axis=axis)
    count = finite.sum(axis=axis)
    mean: Values = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean
