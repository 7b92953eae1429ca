"""Where readouts lie in the scanner, and what follows for the grid of their image."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrviewer.geometry import Geometry

__all__ = ["Placement", "placed_geometry"]

_TO_RAS = np.array([-1.0, -1.0, 1.0])
"""ISMRMRD counts as DICOM does: to the patient's left, back and head."""
_SAME_PLACE_MM = 1e-3
_UNEVEN = 0.02
"""Part of the distance of slices by which one of them may lie elsewhere."""


@dataclass(frozen=True, eq=False)
class Placement:
    """Position and directions of every readout; zero where the file leaves them out.

    Parameters
    ----------
    position_mm : (readout, 3)
        Middle of the slice, or of the slab, in the patient's L, P, S.
    directions : (readout, 3, 3)
        Unit vectors of readout, phase encoding and slices, one a row.
    """

    position_mm: NDArray[np.float64]
    directions: NDArray[np.float64]

    def along_slices(self, row: int) -> float:
        """Position of a readout's slice along its normal in mm, towards the head if that is nearly the normal."""
        normal = self.directions[row, 2]
        return float(self.position_mm[row] @ (-normal if self.is_axial(row) and normal[2] < 0 else normal))

    def is_axial(self, row: int) -> bool:
        """Whether the normal of a readout's slice runs from the feet to the head, more or less."""
        normal = np.abs(self.directions[row, 2])
        return bool(normal.any() and normal.argmax() == 2)

    def gaps_mm(self, rows: Sequence[int]) -> NDArray[np.float64]:
        """Distances of neighbouring slices, of each of which a readout is given; none if positions tell no order."""
        places = np.sort([self.along_slices(row) for row in rows])
        gaps: NDArray[np.float64] = np.diff(places)
        return gaps if np.isfinite(places).all() and (gaps > _SAME_PLACE_MM).all() else gaps[:0]


def placed_geometry(
    placement: Placement,
    slices: Sequence[int],
    shape: tuple[int, int, int],
    voxel_size_mm: tuple[float, float, float],
) -> Geometry | None:
    """Grid of the stored volume ``(z, y, x)``, with z along the slices, y along phase and x along readout.

    Parameters
    ----------
    placement
        Of all readouts of the file.
    slices
        A readout of every slice, in the order in which they are stored; of a three-dimensional scan one.
    shape, voxel_size_mm
        Of the stored volume.

    Returns
    -------
    `None` if the file leaves out what is needed, or if slices do not lie side by side at equal distances.
    """
    rows = list(slices)
    position, directions = placement.position_mm[rows], placement.directions[rows]
    frame = directions[0]
    if not (np.isfinite(position).all() and np.allclose(frame @ frame.T, np.eye(3), atol=1e-2)):
        return None
    if not np.allclose(directions, frame, atol=1e-3):
        return None
    read, phase, along = frame
    step = along * voxel_size_mm[0]
    first = position[0]
    if len(rows) > 1:
        step = (position[-1] - position[0]) / (len(rows) - 1)
        size = float(np.linalg.norm(step))
        expected = first + np.arange(len(rows))[:, None] * step
        if (
            size < _SAME_PLACE_MM
            or np.abs(position - expected).max() > _UNEVEN * size
            or abs(step @ along) < 0.99 * size
        ):
            return None
    else:
        first = first - (shape[0] // 2) * step
    affine = np.eye(4)
    affine[:3, :3] = np.stack([step, phase * voxel_size_mm[1], read * voxel_size_mm[2]], axis=1)
    affine[:3, 3] = first - affine[:3, 1] * (shape[1] // 2) - affine[:3, 2] * (shape[2] // 2)
    affine[:3] *= _TO_RAS[:, None]
    return Geometry.from_stored(shape, affine)
