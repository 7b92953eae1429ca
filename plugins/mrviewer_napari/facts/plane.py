"""Which plane of the patient is shown. No Qt."""

from enum import Enum

from mrviewer.geometry import Geometry

__all__ = ["ViewPlane"]


class ViewPlane(Enum):
    """What the tiles show; the value is the order of the axes, the last two on the screen."""

    AXIAL = (0, 1, 2)
    CORONAL = (1, 0, 2)
    SAGITTAL = (2, 0, 1)
    THREE_D = "3-D"

    @property
    def shown(self) -> tuple[int, ...]:
        """Axes on the screen."""
        return (0, 1, 2) if self is ViewPlane.THREE_D else self.value[1:]

    def picture_mm(self, geometry: Geometry) -> tuple[float, float]:
        """Height and width of one picture; in 3-D that of the axial one."""
        height, width = (geometry.shape[axis] * geometry.voxel_size_mm[axis] for axis in self.shown[-2:])
        return height, width
