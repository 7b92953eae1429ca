"""Dice, precision and recall of two masks, voxel by voxel."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import ShapeError

__all__ = ["CONVENTION", "Overlap", "binarise", "overlap"]

CONVENTION = (
    "Dice, precision, recall: of the voxels greater than 0. Dice is 1 if both masks are empty and 0 if one is; there "
    "is no precision without a prediction and no recall without a reference."
)


@dataclass(frozen=True)
class Overlap:
    """How two masks overlap.

    Parameters
    ----------
    n_reference, n_predicted, n_common
        Voxels of the reference, of the prediction, and of both.
    """

    n_reference: int
    n_predicted: int
    n_common: int

    @property
    def dice(self) -> float:
        """``2 TP / (2 TP + FP + FN)``; 1 if both masks are empty, 0 if one is."""
        total = self.n_reference + self.n_predicted
        return 2 * self.n_common / total if total else 1.0

    @property
    def precision(self) -> float | None:
        """``TP / (TP + FP)``; `None` if nothing was predicted."""
        return self.n_common / self.n_predicted if self.n_predicted else None

    @property
    def recall(self) -> float | None:
        """``TP / (TP + FN)``; `None` if the reference is empty."""
        return self.n_common / self.n_reference if self.n_reference else None


def overlap(reference: NDArray[np.generic], prediction: NDArray[np.generic]) -> Overlap:
    """Count the voxels greater than 0 of two masks, and their common ones.

    Parameters
    ----------
    reference, prediction : any shape
        Numbers or booleans; what is greater than 0 belongs to the mask.

    Raises
    ------
    ShapeError
        If the two differ in size.
    """
    known, predicted = binarise(reference, prediction)
    return Overlap(
        int(np.count_nonzero(known)), int(np.count_nonzero(predicted)), int(np.count_nonzero(known & predicted))
    )


def binarise(
    reference: NDArray[np.generic], prediction: NDArray[np.generic]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Turn a reference and a prediction into masks of what is greater than 0.

    Raises
    ------
    ShapeError
        If the two differ in size.
    """
    if reference.shape != prediction.shape:
        raise ShapeError(
            f"the segmentation is {prediction.shape} but its reference is {reference.shape}; give two masks on one grid"
        )
    return _mask(reference), _mask(prediction)


def _mask(labels: NDArray[np.generic]) -> NDArray[np.bool_]:
    mask: NDArray[np.bool_] = labels if labels.dtype == np.bool_ else labels > 0  # type: ignore[assignment,operator]
    return mask
