"""What figures of the same subjects can tell of two methods: means, paired differences, order, rank correlation."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

__all__ = [
    "ENOUGH",
    "LEVEL",
    "Correlation",
    "Paired",
    "Spread",
    "agreeing_pairs",
    "paired_difference",
    "rank_correlation",
    "spread",
]

Values = NDArray[np.float64]

ENOUGH = 6
"""Pairs that a signed-rank test needs: fewer cannot reach `LEVEL`, however they fall."""
LEVEL = 0.05
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
class Paired:
    """Two rows of figures of the same subjects, one held against the other.

    Parameters
    ----------
    first, second
        Means over the pairs that were measured on both sides.
    mean, low, high
        Mean difference, first minus second, and its bootstrap interval of 95 %.
    n_seeds
        Trainings that were measured.
    n_subjects, n_higher, n_lower
        Subjects with a pair, and those in which the first is the higher, and the lower, in the mean over seeds.
    p
        Two-sided Wilcoxon signed-rank test over the subjects; `None` where there are fewer than `ENOUGH` of them, or
        none differs.
    rank_sum
        Sum of the signed ranks, above 0 where the first is the higher by the test.
    """

    first: float
    second: float
    mean: float
    low: float
    high: float
    n_seeds: int
    n_subjects: int
    n_higher: int
    n_lower: int
    p: float | None
    rank_sum: float

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out 0; one training alone cannot tell what is chance."""
        return self.n_seeds > 1 and (self.low > 0 or self.high < 0)

    @property
    def tested(self) -> int:
        """By the test: 1 if the first is the higher, -1 if it is the lower, 0 if that is not decided."""
        return 0 if self.p is None or self.p >= LEVEL else int(np.sign(self.rank_sum))


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


def paired_difference(first: Values, second: Values) -> Paired | None:
    """Hold two rows that share seeds and subjects against each other.

    The interval is a bootstrap over both: seeds and subjects are drawn anew, each with replacement and independently
    (the pigeonhole bootstrap), because what a training gains or loses by chance is common to all of its subjects. The
    draws are the same at every call. The test is over subjects, each with its mean over seeds.

    Parameters
    ----------
    first, second : (seed, subject)
        NaN where a figure does not exist.

    Returns
    -------
    Paired or None
        `None` if no pair was measured.

    References
    ----------
    Owen AB (2007), The pigeonhole bootstrap, Ann Appl Stat 1:386-411, doi:10.1214/07-AOAS122.
    Wilcoxon F (1945), Individual comparisons by ranking methods, Biometrics Bull 1:80-83, doi:10.2307/3001968.
    """
    paired = first - second
    known = np.isfinite(paired)
    if not known.any():
        return None
    n_seeds, n_subjects = paired.shape
    rng = np.random.default_rng(0)
    seeds = rng.integers(n_seeds, size=(_DRAWS, n_seeds, 1))
    subjects = rng.integers(n_subjects, size=(_DRAWS, 1, n_subjects))
    means = _mean(paired[seeds, subjects].reshape(_DRAWS, -1), axis=1)
    low, high = np.nanpercentile(means, [2.5, 97.5])
    of_subjects = _mean(paired, axis=0)
    of_subjects = of_subjects[np.isfinite(of_subjects)]
    p, rank_sum = _signed_rank_test(of_subjects)
    return Paired(
        first=float(first[known].mean()),
        second=float(second[known].mean()),
        mean=float(np.nanmean(paired)),
        low=float(low),
        high=float(high),
        n_seeds=n_seeds,
        n_subjects=len(of_subjects),
        n_higher=int(np.count_nonzero(of_subjects > 0)),
        n_lower=int(np.count_nonzero(of_subjects < 0)),
        p=p,
        rank_sum=rank_sum,
    )


def _signed_rank_test(differences: Values) -> tuple[float | None, float]:
    """P-value, and the sum of signed ranks."""
    if len(differences) < ENOUGH or not differences.any():
        return None, 0.0
    p = float(stats.wilcoxon(differences, zero_method="zsplit").pvalue)
    return p, float(stats.rankdata(np.abs(differences)) @ np.sign(differences))


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
