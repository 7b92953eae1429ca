"""Planes of labels at places of their own: a DICOM SEG leaves out the slices on which nothing was drawn.

How far apart its slices are need not be stated, and of two frames nobody can tell. So the planes keep their places, and
are laid on the slices of an image one by one; the volume between them is a guess for who has no image.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray

from mrviewer.errors import FileFormatError
from mrviewer.geometry import Geometry
from mrviewer.readers.dicom.frames.frame import Place

__all__ = ["MOST_VOXELS", "LabelPlane", "SegmentPlanes", "segment_grid"]

SAME_VOXEL = 0.1
"""Part of a voxel by which a plane may lie off the slice of an image."""
ALIKE = 0.05
"""Part of a step by which distances of planes may differ from a multiple of it."""
MOST_STEPS = 20
"""Slices between two planes that are nearest neighbours among those that are stored."""
MOST_VOXELS = 1 << 30
_LPS_TO_RAS = np.array([-1.0, -1.0, 1.0])


@dataclass(frozen=True, eq=False)
class LabelPlane:
    """One plane of labels.

    Parameters
    ----------
    place
        Where it lies.
    values : unsigned integers, (row, column)
        Its labels.
    """

    place: Place
    values: NDArray[np.uint16]


@dataclass(frozen=True, eq=False)
class SegmentGrid:
    """Grid on which planes stand in equal steps.

    Parameters
    ----------
    geometry
        The grid.
    slots
        Number of the slice of each plane.
    is_guessed
        Whether the distance of slices is neither stated nor seen.
    """

    geometry: Geometry
    slots: tuple[int, ...]
    is_guessed: bool


class SegmentPlanes:
    """Labels ``(z, y, x)`` of planes, 0 where there is none.

    Parameters
    ----------
    planes
        Along their normal.
    grid
        From `segment_grid`.
    spacing_mm
        Distance of rows and columns.
    """

    def __init__(self, planes: Sequence[LabelPlane], grid: SegmentGrid, spacing_mm: tuple[float, float]) -> None:
        self._planes = tuple(planes)
        self._grid = grid
        self._spacing_mm = spacing_mm

    @property
    def shape(self) -> tuple[int, ...]:
        """Size of every axis."""
        return self._grid.geometry.shape

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Type of the values."""
        return np.dtype(np.uint16)

    def __array__(self, dtype: np.dtype[np.generic] | None = None, copy: bool | None = None) -> NDArray[np.generic]:
        del copy
        values = np.zeros(self.shape, np.uint16)
        stored = self._grid.geometry.to_stored_order(values)
        for slot, plane in zip(self._grid.slots, self._planes, strict=True):
            stored[..., slot] = plane.values.T
        return values if dtype is None else values.astype(dtype)

    def laid_on(self, geometry: Geometry) -> NDArray[np.generic] | None:
        """Labels ``(z, y, x)`` on a grid, each plane on the slice at its own position.

        Returns
        -------
        `None` unless every plane lies on a slice, pixel on voxel, and nothing that is labelled lies outside.
        """
        laid = np.zeros(geometry.shape, np.uint16)
        inverse = np.asarray(np.linalg.inv(geometry.affine), np.float64)
        for plane in self._planes:
            rows, columns = np.nonzero(plane.values)
            if not len(rows):
                continue
            index = apply_affine(inverse, self._positions_mm(plane, rows, columns))
            nearest = np.rint(index).astype(int)
            inside = np.all((nearest >= 0) & (nearest < geometry.shape))
            if not inside or np.abs(index - nearest).max() > SAME_VOXEL or not self._fits(inverse):
                return None
            laid[tuple(nearest.T)] = plane.values[rows, columns]
        return laid

    def _positions_mm(
        self, plane: LabelPlane, rows: NDArray[np.intp], columns: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """RAS+ positions of pixels."""
        row_mm, column_mm = self._spacing_mm
        along_row, along_column = np.array(plane.place.orientation).reshape(2, 3)
        offset = columns[:, None] * column_mm * along_row + rows[:, None] * row_mm * along_column
        positions: NDArray[np.float64] = (np.array(plane.place.position) + offset) * _LPS_TO_RAS
        return positions

    def _fits(self, inverse: NDArray[np.float64]) -> bool:
        """Whether a step to the next pixel is a step to the next voxel: smaller pixels would leave holes."""
        row_mm, column_mm = self._spacing_mm
        directions = np.array(self._planes[0].place.orientation).reshape(2, 3) * _LPS_TO_RAS
        steps = np.abs(directions * np.array([[column_mm], [row_mm]]) @ inverse[:3, :3].T)
        return bool(np.all(np.abs(np.sort(steps, axis=1) - (0, 0, 1)) <= SAME_VOXEL))


def segment_grid(
    places: Sequence[Place], shape: tuple[int, int], spacing_mm: tuple[float, float], steps_mm: Sequence[float]
) -> SegmentGrid:
    """Grid of parallel planes.

    Parameters
    ----------
    places
        Of the planes, along their normal.
    shape
        Rows and columns.
    spacing_mm
        Distance of rows and columns.
    steps_mm
        What the file states of the distance of slices and of their thickness, 0 where it does not.

    Raises
    ------
    ValueError
        If the planes stand in no equal steps.
    FileFormatError
        If the volume would fill the memory.
    """
    heights = np.array([place.height_mm for place in places]) - places[0].height_mm
    step, is_guessed = _step(heights, steps_mm)
    slots = np.rint(heights / step).astype(int)
    n_slices = int(slots[-1]) + 1
    if n_slices * shape[0] * shape[1] > MOST_VOXELS:
        raise FileFormatError(f"a segmentation claims a volume of {n_slices} x {shape[0]} x {shape[1]} voxels")
    along_row, along_column = np.array(places[0].orientation).reshape(2, 3)
    across = (
        (np.array(places[-1].position) - places[0].position) / slots[-1] if n_slices > 1 else places[0].normal * step
    )
    affine = np.eye(4)
    columns = (along_row * spacing_mm[1], along_column * spacing_mm[0], across, np.array(places[0].position))
    affine[:3] = (np.stack(columns, axis=1).T * _LPS_TO_RAS).T
    geometry = Geometry.from_stored((shape[1], shape[0], n_slices), affine)
    return SegmentGrid(geometry, tuple(slots.tolist()), is_guessed)


def _step(heights: NDArray[np.float64], stated_mm: Sequence[float]) -> tuple[float, bool]:
    """Distance of slices: the largest of which all distances are multiples, else what is stated."""
    stated = [abs(step) for step in stated_mm if step]
    if len(heights) == 1:
        return (stated[0], False) if stated else (1.0, True)
    gaps = np.diff(heights)
    for step in stated:
        if _are_multiples(gaps, step):
            return step, False
    for part in range(1, MOST_STEPS):
        step = float(gaps.min()) / part
        if _are_multiples(gaps, step):
            return step, len(set(np.rint(gaps / step))) == 1
    raise ValueError("no regular grid")


def _are_multiples(gaps: NDArray[np.float64], step: float) -> bool:
    counts = np.rint(gaps / step)
    return bool(np.all(counts >= 1) and np.abs(gaps - counts * step).max() <= ALIKE * step)
