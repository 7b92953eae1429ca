"""The rows of the lesion table, and which lesion lies where. No Qt."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mrviewer.geometry import Geometry
from mrviewer.lesions import Lesion, LesionTable, Status
from mrviewer.quality import error_map
from mrviewer_napari.colours import Agreement

__all__ = ["AGREEMENT", "COLUMNS", "LesionRow", "cell", "lesion_at", "lesion_rows", "local_errors", "voxel_of"]

AGREEMENT = {Status.FOUND: Agreement.AGREED, Status.MISSED: Agreement.MISSED, Status.FALSE: Agreement.FALSE}
"""Which colour of the contours a status has in the table."""


@dataclass(frozen=True)
class LesionRow:
    """A lesion and the mean absolute error of the image inside it, in parts of the brightest reference value."""

    lesion: Lesion
    local_error: float | None


@dataclass(frozen=True)
class Column:
    """A column of the table."""

    title: str
    tip: str
    digits: int | None = None


COLUMNS = (
    Column("#", "Number of the lesion, from the largest"),
    Column("status", "found when any predicted region touches it; false when a region touches no lesion"),
    Column("ml", "Volume of the reference lesion, or of the false region", 3),
    Column("Dice", "Overlap with all regions that touch it", 2),
    Column("prec.", "Precision: part of the touching regions that lies in the lesion", 2),
    Column("recall", "Part of the lesion that was found", 2),
    Column("error", "Mean absolute error of the image inside the lesion, in % of the brightest reference value", 1),
)


def lesion_rows(table: LesionTable, errors: dict[int, float]) -> tuple[LesionRow, ...]:
    """Join the lesions with their local errors."""
    return tuple(LesionRow(lesion, errors.get(lesion.id)) for lesion in table.rows)


def cell(row: LesionRow, column: int) -> str | int | float | None:
    """Value of one cell, as it is sorted."""
    lesion = row.lesion
    error = None if row.local_error is None else 100 * row.local_error
    values = (lesion.id, str(lesion.status), lesion.volume_ml, lesion.dice, lesion.precision, lesion.recall, error)
    return values[column]


def local_errors(
    table: LesionTable, image: NDArray[np.float32] | None, reference: NDArray[np.float32] | None, data_range: float
) -> dict[int, float]:
    """Mean absolute error inside each lesion by its number, in parts of `data_range`; empty if it cannot be known.

    Parameters
    ----------
    table
        The lesions; a false one is measured where it was predicted.
    image, reference : float32, (z, y, x)
        Magnitudes.
    data_range
        Brightest reference value.
    """
    if image is None or reference is None or not table.rows:
        return {}
    regions = np.where(table.reference_components > 0, table.reference_components, 0)
    n_reference = table.n_reference
    false_only = (table.predicted_components > n_reference) & (regions == 0)
    regions[false_only] = table.predicted_components[false_only]
    inside = np.nonzero(regions)
    numbers = [lesion.id for lesion in table.rows]
    errors = error_map(image[inside], reference[inside], signed=False)
    means = ndimage.mean(errors, regions[inside], numbers)
    return {number: float(mean) / data_range for number, mean in zip(numbers, means, strict=True)}


def lesion_at(table: LesionTable, voxel: tuple[int, int, int], reach: int = 2) -> int | None:
    """Number of the lesion at a voxel, or the nearest one within `reach` voxels; `None` if there is none.

    A lesion of a few voxels is hard to hit with a mouse.
    """
    for radius in range(reach + 1):
        box = tuple(slice(max(0, place - radius), place + radius + 1) for place in voxel)
        for components in (table.reference_components, table.predicted_components):
            numbers = components[box]
            if (numbers := numbers[numbers > 0]).size:
                return int(np.bincount(numbers).argmax())
    return None


def voxel_of(table: LesionTable, lesion: Lesion, geometry: Geometry, slice_axis: int) -> tuple[float, float, float]:
    """Where to look at a lesion: the middle of its largest cross-section along the slice axis."""
    components = table.predicted_components if lesion.status is Status.FALSE else table.reference_components
    centre = np.linalg.inv(geometry.affine) @ (*lesion.centroid_mm, 1.0)
    voxels = np.argwhere(components == lesion.id)
    if not len(voxels):
        return float(centre[0]), float(centre[1]), float(centre[2])
    best = np.bincount(voxels[:, slice_axis]).argmax()
    z, y, x = voxels[voxels[:, slice_axis] == best].mean(0)
    return float(z), float(y), float(x)
