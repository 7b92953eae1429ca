"""Where things are: voxels of the study, world coordinates of napari, and the slice that is shown."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrviewer.geometry import Geometry

__all__ = ["Coordinates"]


class Coordinates:
    """The grid of the open study in the world of a viewer: minus (S, A, R) in mm.

    Parameters
    ----------
    viewer
        The napari model.
    """

    def __init__(self, viewer: Any) -> None:  # noqa: ANN401 -- napari is not typed here
        self._viewer = viewer
        self.geometry = Geometry.axial((1, 1, 1), (1.0, 1.0, 1.0))
        self.slice_axis = 0

    @property
    def middle(self) -> NDArray[np.float64]:
        """World coordinates of the middle voxel."""
        return self.to_world((np.array(self.geometry.shape) - 1) // 2)

    @property
    def current_slice(self) -> int:
        """Index of the shown place along the slice axis."""
        axis = self.slice_axis
        index = self.to_index(self._viewer.dims.point)[axis]
        return int(np.clip(np.rint(index), 0, self.geometry.shape[axis] - 1))

    @property
    def shown_voxel(self) -> tuple[int, int, int]:
        """Voxel ``(z, y, x)`` of the grid that is nearest to the shown place."""
        last = np.array(self.geometry.shape) - 1
        z, y, x = map(int, np.clip(np.rint(self.to_index(self._viewer.dims.point)), 0, last))
        return z, y, x

    def show_slice(self, index: int) -> None:
        """Move along the slice axis."""
        place = np.zeros(3)
        place[self.slice_axis] = index
        self._viewer.dims.set_point(self.slice_axis, self.to_world(place)[self.slice_axis])

    def voxel_at(self, world: Sequence[float]) -> tuple[int, int, int] | None:
        """Voxel ``(z, y, x)`` at world coordinates; `None` outside the grid."""
        index = np.rint(self.to_index(world)).astype(int)
        inside = bool(np.all((index >= 0) & (index < self.geometry.shape)))
        z, y, x = map(int, index)
        return (z, y, x) if inside else None

    def to_world(self, index: NDArray[np.generic]) -> NDArray[np.float64]:
        """World coordinates of a voxel ``(z, y, x)``."""
        world: NDArray[np.float64] = index * np.array(self.geometry.voxel_size_mm) - self.geometry.affine[2::-1, 3]
        return world

    def to_index(self, world: Sequence[float]) -> NDArray[np.float64]:
        """Voxel ``(z, y, x)``, not rounded, at world coordinates."""
        offset = np.asarray(world, float)[-3:] + self.geometry.affine[2::-1, 3]
        index: NDArray[np.float64] = offset / np.array(self.geometry.voxel_size_mm)
        return index
