"""Which lesions were found, lesion by lesion.

A lesion is a 26-connected component of the reference. Everything is counted on the voxels of the two masks, never on
whole volumes; arrays are ``(z, y, x)`` in internal order and positions are RAS+ millimetres (`mrviewer.geometry`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import ShapeError
from mrviewer.geometry import Geometry
from mrviewer.metrics.components import Components, find_components
from mrviewer.metrics.overlap import Overlap, binarise

__all__ = [
    "CONVENTIONS",
    "LESION_COLUMNS",
    "Lesion",
    "LesionColumn",
    "LesionTable",
    "LesionValue",
    "Status",
    "lesion_table",
]

LesionValue: TypeAlias = float | int | str | None

CONVENTIONS = (
    "Lesions: 26-connected components of the reference; one is found when any predicted component touches it; a "
    "predicted component that touches none is false.",
    "Dice, precision and recall of a lesion: against the union of all predicted components that touch it; Dice is 0 "
    "for a missed lesion.",
    "Lesion F1: 2 found / (2 found + missed + false); 1 if there is neither a lesion nor a prediction.",
    "Lesion F1 at IoU 0.1: the same, where a lesion counts as found only if its intersection over union with all "
    "predicted components that touch it is 0.1 or more, and as false every predicted component that touches no such "
    "lesion.",
)

_UNIONS_PER_COMMON = 10
"""Largest union, as a multiple of the intersection, of a match: an intersection over union of 0.1."""


class Status(StrEnum):
    """What became of a lesion; ``FALSE`` is a predicted component that touches none."""

    FOUND = "found"
    MISSED = "missed"
    FALSE = "false"


@dataclass(frozen=True)
class Lesion:
    """One row of the lesion table.

    Parameters
    ----------
    id
        Number in the label volumes of the table.
    status
        Found, missed, or false.
    volume_ml
        Of the reference lesion; of the predicted component if it is false.
    dice, precision, recall
        Against the union of the predicted components that touch it. A missed lesion has no precision, a false one no
        recall.
    centroid_mm : (x, y, z)
        RAS+.
    error_percent
        Mean absolute error of the image inside the lesion, in % of the brightest reference value; `None` where there is
        no image, or nothing to hold it against. See `mrviewer.metrics.lesion_errors`.
    """

    id: int
    status: Status
    volume_ml: float
    dice: float
    precision: float | None
    recall: float | None
    centroid_mm: tuple[float, float, float]
    error_percent: float | None = None

    def to_json(self) -> dict[str, LesionValue]:
        """Return the row of ``lesions.csv`` by its columns."""
        return {column.name: column.value(self) for column in LESION_COLUMNS}


@dataclass(frozen=True)
class LesionColumn:
    """A column of the lesion table, in files and on the screen.

    Parameters
    ----------
    name
        In CSV, TSV and JSON.
    title
        Heading on the screen; empty for a column that stands in files only.
    description
        What it holds.
    value
        Gives the cell of a lesion; `None` for what is not known.
    unit
        Empty for a name or a ratio.
    digits
        After the point, on the screen; `None` for what is not a fraction.
    """

    name: str
    title: str
    description: str
    value: Callable[[Lesion], LesionValue]
    unit: str = ""
    digits: int | None = None


LESION_COLUMNS = (
    LesionColumn("lesion", "#", "Number of the lesion in the label volumes, from the largest", lambda row: row.id),
    LesionColumn(
        "status",
        "status",
        "found when any predicted region touches it, else missed; false for a region that touches no lesion",
        lambda row: row.status.value,
    ),
    LesionColumn(
        "volume_ml",
        "ml",
        "Volume of the reference lesion; of the predicted region if it is false",
        lambda row: row.volume_ml,
        "mL",
        3,
    ),
    LesionColumn(
        "dice", "Dice", "Dice coefficient with all predicted regions that touch it", lambda row: row.dice, digits=2
    ),
    LesionColumn(
        "precision",
        "prec.",
        "Precision: share of the touching regions that lies in the lesion",
        lambda row: row.precision,
        digits=2,
    ),
    LesionColumn("recall", "recall", "Share of the lesion that was predicted", lambda row: row.recall, digits=2),
    LesionColumn(
        "centroid_x_mm",
        "",
        "Centroid, towards the right in the coordinates of the scanner (RAS+)",
        lambda row: row.centroid_mm[0],
        "mm",
    ),
    LesionColumn("centroid_y_mm", "", "Centroid, towards anterior", lambda row: row.centroid_mm[1], "mm"),
    LesionColumn("centroid_z_mm", "", "Centroid, towards superior", lambda row: row.centroid_mm[2], "mm"),
    LesionColumn(
        "error_percent",
        "error",
        "Mean absolute error of the image inside the lesion, in % of the brightest reference value",
        lambda row: row.error_percent,
        "%",
        1,
    ),
)
"""The one list of columns: files, JSON, BIDS and the panel read it. Other programs read the files: only add to it."""


@dataclass(frozen=True, eq=False)
class LesionTable:
    """Every lesion of the reference, then every false one, each from the largest to the smallest.

    Parameters
    ----------
    rows
        The lesions.
    reference_components : int32, (z, y, x)
        Each lesion of the reference as the `Lesion.id` of its row, 0 elsewhere.
    predicted_components : int32, (z, y, x)
        Each predicted component as the `Lesion.id` of the lesion it overlaps most, or of its own row if it is false.
    n_predicted
        Predicted components.
    min_lesion_ml
        Components smaller than this were dropped on both sides.
    n_matched
        Lesions of the reference whose intersection over union with what touches them is 0.1 or more.
    n_unmatched
        Predicted components that touch none of these.
    """

    rows: tuple[Lesion, ...]
    reference_components: NDArray[np.int32]
    predicted_components: NDArray[np.int32]
    n_predicted: int
    min_lesion_ml: float = 0.0
    n_matched: int = 0
    n_unmatched: int = 0

    @property
    def n_reference(self) -> int:
        """Lesions of the reference."""
        return len(self.rows) - self.n_false

    @property
    def n_found(self) -> int:
        """Lesions of the reference that a predicted component touches."""
        return self._count(Status.FOUND)

    @property
    def n_false(self) -> int:
        """Predicted components that touch no lesion."""
        return self._count(Status.FALSE)

    @property
    def precision(self) -> float | None:
        """``found / (found + false)``; `None` if nothing was predicted."""
        return Overlap(self.n_reference, self.n_found + self.n_false, self.n_found).precision

    @property
    def recall(self) -> float | None:
        """``found / (found + missed)``, the lesion sensitivity; `None` if the reference has no lesion."""
        return Overlap(self.n_reference, self.n_found + self.n_false, self.n_found).recall

    @property
    def lesion_f1(self) -> float:
        """``2 found / (2 found + missed + false)``; 1 if there is neither a lesion nor a prediction."""
        return Overlap(self.n_reference, self.n_found + self.n_false, self.n_found).dice

    @property
    def lesion_f1_iou10(self) -> float:
        """The same of matches: one blob over a whole head touches every lesion, and matches none."""
        return Overlap(self.n_reference, self.n_matched + self.n_unmatched, self.n_matched).dice

    @property
    def mean_dice(self) -> float | None:
        """Mean Dice over the lesions of the reference, missed ones as 0; `None` if there are none."""
        return _mean([row.dice for row in self._reference_rows])

    @property
    def _reference_rows(self) -> list[Lesion]:
        return [row for row in self.rows if row.status is not Status.FALSE]

    def _count(self, status: Status) -> int:
        return sum(row.status is status for row in self.rows)


def lesion_table(
    reference: NDArray[np.generic],
    prediction: NDArray[np.generic],
    geometry: Geometry,
    min_lesion_ml: float = 0.0,
    missing: Sequence[int] = (),
    slice_axis: int = 0,
) -> LesionTable:
    """Compare a segmentation with its reference, lesion by lesion; see `CONVENTIONS`.

    Parameters
    ----------
    reference, prediction : (z, y, x)
        What is greater than 0 belongs to a lesion.
    geometry
        The grid of both.
    min_lesion_ml
        Smaller components are dropped on both sides; 0 drops none.
    missing, slice_axis
        Slices along an axis that count for nothing; what lies on both sides of them may still be one component.

    Raises
    ------
    ShapeError
        If the masks and the geometry differ in size.
    """
    known, predicted = binarise(reference, prediction)
    if known.shape != geometry.shape:
        raise ShapeError(f"the masks are {known.shape} but their grid is {geometry.shape} (z, y, x); give masks on it")
    min_voxels = min_lesion_ml / geometry.voxel_volume_ml * (1 - 1e-9)
    lesions, guesses = (_components(mask, min_voxels, missing, slice_axis) for mask in (known, predicted))
    guess_volume = _volume(guesses, geometry.shape)
    touching = _count_pairs(lesions, guess_volume, guesses.n_components)
    row_of_guess = _rows_of_guesses(touching, lesions.n_components, guesses.n_components)
    guess_volume[tuple(guesses.voxels)] = row_of_guess[guesses.ids - 1]
    matched = _matched(lesions, guesses, touching)
    return LesionTable(
        (
            *_reference_rows(lesions, guesses, touching, geometry),
            *_false_rows(guesses, row_of_guess, lesions, geometry),
        ),
        _volume(lesions, geometry.shape),
        guess_volume,
        guesses.n_components,
        min_lesion_ml,
        int(np.count_nonzero(matched)),
        guesses.n_components - np.unique(touching.guess[matched[touching.lesion]]).size,
    )


def _components(mask: NDArray[np.bool_], min_voxels: float, missing: Sequence[int], axis: int) -> Components:
    """Components as if the missing slices had been cut out, in the indices of the whole mask."""
    if not missing:
        return find_components(mask, min_voxels)
    kept = np.delete(np.arange(mask.shape[axis]), missing)
    found = find_components(np.take(mask, kept, axis), min_voxels)
    voxels = found.voxels.copy()
    voxels[axis] = kept[voxels[axis]]
    return replace(found, voxels=voxels)


@dataclass(frozen=True, eq=False)
class _Touching:
    """Pairs of a lesion and a predicted component with common voxels, by lesion and then by component; from 0."""

    lesion: NDArray[np.intp]
    guess: NDArray[np.intp]
    n_common: NDArray[np.intp]


def _count_pairs(lesions: Components, guess_volume: NDArray[np.int32], n_guesses: int) -> _Touching:
    """Joint histogram of lesion and predicted component over the voxels of the lesions."""
    guess = guess_volume[tuple(lesions.voxels)]
    common = guess > 0
    keys = (lesions.ids[common] - 1).astype(np.intp) * max(n_guesses, 1) + guess[common] - 1
    pairs, n_common = np.unique(keys, return_counts=True)
    return _Touching(*np.divmod(pairs, max(n_guesses, 1)), n_common)


def _matched(lesions: Components, guesses: Components, touching: _Touching) -> NDArray[np.bool_]:
    """Which lesions match all that touches them together, by intersection over union."""
    common = np.bincount(touching.lesion, touching.n_common, minlength=lesions.n_components)
    guessed = np.bincount(touching.lesion, guesses.sizes[touching.guess], minlength=lesions.n_components)
    matched: NDArray[np.bool_] = (common > 0) & (_UNIONS_PER_COMMON * common >= lesions.sizes + guessed - common)
    return matched


def _rows_of_guesses(touching: _Touching, n_lesions: int, n_guesses: int) -> NDArray[np.int32]:
    """Row of each predicted component: the lesion it overlaps most, else a row of its own after all lesions."""
    row = np.zeros(n_guesses, np.int32)
    largest_last = np.argsort(touching.n_common, kind="stable")
    row[touching.guess[largest_last]] = touching.lesion[largest_last] + 1
    row[row == 0] = n_lesions + 1 + np.arange(np.count_nonzero(row == 0))
    return row


def _reference_rows(
    lesions: Components, guesses: Components, touching: _Touching, geometry: Geometry
) -> Iterator[Lesion]:
    n_lesions = lesions.n_components
    n_common = np.bincount(touching.lesion, touching.n_common, minlength=n_lesions)
    n_guessed = np.bincount(touching.lesion, guesses.sizes[touching.guess], minlength=n_lesions)
    volumes_ml, positions = lesions.sizes * geometry.voxel_volume_ml, geometry.to_mm(lesions.centroids)
    for index, size in enumerate(lesions.sizes):
        voxels = Overlap(int(size), int(n_guessed[index]), int(n_common[index]))
        status = Status.FOUND if voxels.n_common else Status.MISSED
        yield _row(index + 1, status, voxels, volumes_ml[index], positions[index])


def _false_rows(
    guesses: Components, row_of_guess: NDArray[np.int32], lesions: Components, geometry: Geometry
) -> Iterator[Lesion]:
    volumes_ml, positions = guesses.sizes * geometry.voxel_volume_ml, geometry.to_mm(guesses.centroids)
    for index in np.flatnonzero(row_of_guess > lesions.n_components):
        voxels = Overlap(0, int(guesses.sizes[index]), 0)
        yield _row(int(row_of_guess[index]), Status.FALSE, voxels, volumes_ml[index], positions[index])


def _row(number: int, status: Status, voxels: Overlap, volume_ml: float, position: NDArray[np.float64]) -> Lesion:
    x, y, z = (float(value) for value in position)
    return Lesion(number, status, float(volume_ml), voxels.dice, voxels.precision, voxels.recall, (x, y, z))


def _volume(components: Components, shape: tuple[int, int, int]) -> NDArray[np.int32]:
    volume = np.zeros(shape, np.int32)
    volume[tuple(components.voxels)] = components.ids
    return volume


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
