"""The columns of the lesion table on the screen, and which lesion lies where. No Qt."""

import numpy as np

from mrviewer.geometry import Geometry
from mrviewer.metrics.lesions import LESION_COLUMNS, Lesion, LesionTable, Status
from mrviewer_napari.facts.colours import Agreement

__all__ = ["AGREEMENT", "COLUMNS", "lesion_at", "voxel_of"]

AGREEMENT = {Status.FOUND: Agreement.AGREED, Status.MISSED: Agreement.MISSED, Status.FALSE: Agreement.FALSE}
"""Which colour of the contours a status has in the table."""


COLUMNS = tuple(column for column in LESION_COLUMNS if column.title)
"""Those of the table on the screen."""


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
