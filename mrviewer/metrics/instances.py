"""Which instances of two label maps correspond, and how well they overlap.

For label maps whose numbers mean something (vertebra 3 here and there), or whose instances must be matched one to one
by their overlap. The lesions of two masks, where one may touch many, are the business of `mrviewer.metrics.lesions`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import ShapeError
from mrviewer.metrics.overlap import Overlap

__all__ = ["InstanceMatch", "InstanceTable", "match_by_label", "match_by_overlap"]


@dataclass(frozen=True)
class InstanceMatch:
    """An instance of the reference and the predicted one that stands for it; labels, IoU and Dice."""

    reference: int
    predicted: int
    iou: float
    dice: float


@dataclass(frozen=True)
class InstanceTable:
    """Matched and unmatched instances of two label maps.

    Parameters
    ----------
    matches
        By label of the reference.
    missed, false
        Labels of the reference and of the prediction without a partner.
    """

    matches: tuple[InstanceMatch, ...]
    missed: tuple[int, ...]
    false: tuple[int, ...]

    @property
    def f1(self) -> float:
        """``2 TP / (2 TP + FP + FN)``; 1 if both maps are empty."""
        n_matches = len(self.matches)
        return Overlap(n_matches + len(self.missed), n_matches + len(self.false), n_matches).dice

    @property
    def mean_iou(self) -> float | None:
        """Mean IoU of the matches, the segmentation quality; `None` if there are none."""
        return float(np.mean([match.iou for match in self.matches])) if self.matches else None

    @property
    def mean_dice(self) -> float | None:
        """Mean Dice of the matches; `None` if there are none."""
        return float(np.mean([match.dice for match in self.matches])) if self.matches else None

    @property
    def panoptic_quality(self) -> float:
        """``sum of IoU / (TP + FP / 2 + FN / 2)``; 1 if both maps are empty.

        References
        ----------
        Kirillov A et al. (2019), Panoptic segmentation, CVPR, doi:10.1109/CVPR.2019.00963.
        """
        return self.f1 * (1.0 if self.mean_iou is None else self.mean_iou)


def match_by_label(
    reference: NDArray[np.integer], prediction: NDArray[np.integer], min_iou: float = 0.0
) -> InstanceTable:
    """Match instances that carry the same label in both maps.

    Parameters
    ----------
    reference, prediction : integers, any shape
        Instance of every voxel; 0 is background.
    min_iou
        Instances that overlap less are not matched.

    Raises
    ------
    ShapeError
        If the two maps differ in size.
    """
    counts = _count(reference, prediction)
    pairs = [(label, label) for label in counts.reference if label in counts.predicted]
    return _table(counts, [match for match in (counts.match(*pair) for pair in pairs) if match.iou >= min_iou])


def match_by_overlap(
    reference: NDArray[np.integer], prediction: NDArray[np.integer], min_iou: float = 0.5
) -> InstanceTable:
    """Match instances one to one by their overlap, the best pairs first.

    Above an IoU of 0.5 an instance has one partner at most, so that the order does not matter.

    Parameters
    ----------
    reference, prediction : integers, any shape
        Instance of every voxel; 0 is background.
    min_iou
        Instances that overlap less are not matched.

    Raises
    ------
    ShapeError
        If the two maps differ in size.
    """
    counts = _count(reference, prediction)
    candidates = sorted((counts.match(*pair) for pair in counts.common), key=lambda match: -match.iou)
    free_reference, free_predicted = set(counts.reference), set(counts.predicted)
    matches = []
    for match in candidates:
        if match.iou >= min_iou and match.reference in free_reference and match.predicted in free_predicted:
            matches.append(match)
            free_reference.remove(match.reference)
            free_predicted.remove(match.predicted)
    return _table(counts, matches)


@dataclass(frozen=True)
class _Counts:
    """Voxels of every instance, and of every pair of instances that meet."""

    reference: dict[int, int]
    predicted: dict[int, int]
    common: dict[tuple[int, int], int]

    def match(self, reference: int, predicted: int) -> InstanceMatch:
        voxels = Overlap(
            self.reference[reference], self.predicted[predicted], self.common.get((reference, predicted), 0)
        )
        iou = voxels.n_common / (voxels.n_reference + voxels.n_predicted - voxels.n_common)
        return InstanceMatch(reference, predicted, iou, voxels.dice)


def _count(reference: NDArray[np.integer], prediction: NDArray[np.integer]) -> _Counts:
    if reference.shape != prediction.shape:
        raise ShapeError(
            f"the predicted labels are {prediction.shape} but the reference is {reference.shape}; give maps on one grid"
        )
    both = (reference != 0) & (prediction != 0)
    pairs, n_common = np.unique(np.stack([reference[both], prediction[both]]), axis=1, return_counts=True)
    return _Counts(
        _sizes(reference),
        _sizes(prediction),
        dict(zip(zip(*pairs.tolist(), strict=True), n_common.tolist(), strict=True)),
    )


def _sizes(labels: NDArray[np.integer]) -> dict[int, int]:
    found, sizes = np.unique(labels[labels != 0], return_counts=True)
    return dict(zip(found.tolist(), sizes.tolist(), strict=True))


def _table(counts: _Counts, matches: list[InstanceMatch]) -> InstanceTable:
    taken = {match.reference for match in matches}, {match.predicted for match in matches}
    return InstanceTable(
        tuple(sorted(matches, key=lambda match: match.reference)),
        tuple(label for label in counts.reference if label not in taken[0]),
        tuple(label for label in counts.predicted if label not in taken[1]),
    )
