"""How good regressed values and classes are, over many studies. What cannot be computed is `None`."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from mrviewer.errors import InputError, ShapeError

__all__ = [
    "ClassQuality",
    "ClassificationQuality",
    "RegressionQuality",
    "area_under_curve",
    "classification_quality",
    "regression_quality",
]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class RegressionQuality:
    """Figures of one regressed value.

    Parameters
    ----------
    mae, rmse
        Mean absolute difference, and root of the mean squared one, in the units of the value.
    pearson_r
        Correlation; `None` where either side is constant.
    r2
        ``1 - sum (p - t)^2 / sum (t - mean t)^2``: 1 is perfect, 0 is as good as the mean, less is worse; `None` where
        the truth is constant.
    n
        Studies that it was computed from.
    """

    mae: float
    rmse: float
    pearson_r: float | None
    r2: float | None
    n: int


@dataclass(frozen=True)
class ClassQuality:
    """Figures of one class against all others; `None` where the class, or everything else, is absent.

    Parameters
    ----------
    sensitivity, specificity
        Part of the studies of the class that were given to it, and of the others that were not.
    f1
        ``2 TP / (2 TP + FP + FN)``.
    auc
        Area under the receiver operating characteristic, see `area_under_curve`.
    n
        Studies of the class.
    """

    sensitivity: float | None
    specificity: float | None
    f1: float | None
    auc: float | None
    n: int


@dataclass(frozen=True)
class ClassificationQuality:
    """Figures of a classification.

    Parameters
    ----------
    accuracy
        Part of the studies whose most probable class is the true one.
    classes
        Figures of each class.
    """

    accuracy: float
    classes: tuple[ClassQuality, ...]


def regression_quality(predicted: ArrayLike, true: ArrayLike) -> RegressionQuality:
    """Compare one value over studies; pairs of which either is not finite are left out.

    Parameters
    ----------
    predicted, true : (study,)
        In one unit.

    Raises
    ------
    ShapeError
        If the two differ in length.
    InputError
        If no pair is left.
    """
    first, second = np.asarray(predicted, np.float64), np.asarray(true, np.float64)
    if first.shape != second.shape or first.ndim != 1:
        raise ShapeError(f"predictions are {first.shape} and truths {second.shape}; give one number a study for both")
    both = np.isfinite(first) & np.isfinite(second)
    if not both.any():
        raise InputError("no study has both a prediction and a truth; give at least one")
    first, second = first[both], second[both]
    difference = first - second
    spread = float(np.square(second - second.mean()).sum())
    varies = np.ptp(first) > 0 and np.ptp(second) > 0
    return RegressionQuality(
        mae=float(np.abs(difference).mean()),
        rmse=float(np.sqrt(np.square(difference).mean())),
        pearson_r=float(np.corrcoef(first, second)[0, 1]) if varies else None,
        r2=1 - float(np.square(difference).sum()) / spread if spread > 0 else None,
        n=len(first),
    )


def classification_quality(probabilities: ArrayLike, true: Sequence[int]) -> ClassificationQuality:
    """Compare classes over studies.

    Parameters
    ----------
    probabilities : (study, class)
        Finite; the most probable class is the answer, the first of those that are equal.
    true : (study,)
        Number of the true class, from 0.

    Raises
    ------
    ShapeError
        If the two differ in length, or a class has no column.
    InputError
        If there is no study.
    """
    shares, truth = np.asarray(probabilities, np.float64), np.asarray(true, np.int64)
    if (
        shares.ndim != 2
        or len(shares) != len(truth)
        or (len(truth) and not 0 <= truth.min() <= truth.max() < shares.shape[1])
    ):
        raise ShapeError(
            f"probabilities are {shares.shape} (study, class) and {len(truth)} classes are true; "
            "give one row a study, with a column for every class"
        )
    if not len(truth):
        raise InputError("there is no study to classify; give at least one")
    answer = shares.argmax(axis=1)
    classes = tuple(
        _class_quality(answer == number, truth == number, shares[:, number]) for number in range(shares.shape[1])
    )
    return ClassificationQuality(float((answer == truth).mean()), classes)


def area_under_curve(scores: ArrayLike, positive: ArrayLike) -> float | None:
    """Chance that a positive study has a higher score than a negative one, a tie counting half (Mann and Whitney).

    Returns
    -------
    float or None
        `None` where all studies are positive, or none is.
    """
    values, marked = np.asarray(scores, np.float64), np.asarray(positive, bool)
    n_positive, n_negative = int(marked.sum()), int((~marked).sum())
    if not n_positive or not n_negative:
        return None
    ranks: FloatArray = rankdata(values)
    return float((ranks[marked].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def _class_quality(answered: NDArray[np.bool_], true: NDArray[np.bool_], scores: FloatArray) -> ClassQuality:
    hits, misses = int((answered & true).sum()), int((~answered & true).sum())
    false, others = int((answered & ~true).sum()), int((~true).sum())
    named = 2 * hits + false + misses
    return ClassQuality(
        sensitivity=hits / (hits + misses) if hits + misses else None,
        specificity=(others - false) / others if others else None,
        f1=2 * hits / named if named else None,
        auc=area_under_curve(scores, true),
        n=hits + misses,
    )
