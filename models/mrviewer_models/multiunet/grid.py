"""From the grid of a study to cubic voxels and back, without turning the axes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrviewer_models.blocks.resampling import counts_of, resampled

__all__ = ["CubicGrid"]

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class CubicGrid:
    """Cubic voxels laid over a volume so that both begin at the same corner and end at the same one or a voxel later.

    Parameters
    ----------
    shape : (z, y, x)
        Voxels of the study.
    voxel_size_mm : (z, y, x)
        Their edges.
    voxel_mm
        Edge of the cubes.
    """

    shape: tuple[int, int, int]
    voxel_size_mm: tuple[float, float, float]
    voxel_mm: float

    @property
    def steps(self) -> NDArray[np.float64]:
        """Edge of a cube in voxels of the study, along each axis."""
        steps = self.voxel_mm / np.asarray(self.voxel_size_mm)
        return np.where(np.abs(steps - 1) < 1e-3, 1.0, steps)

    @property
    def cubic_shape(self) -> tuple[int, int, int]:
        """Cubes along each axis."""
        return counts_of(self.shape, self.steps)

    def to_cubes(self, volume: NDArray[np.generic]) -> FloatArray:
        """Resample linearly a volume ``(z, y, x)`` of the study; smoothed before where cubes are larger than voxels."""
        return resampled(volume, self.steps, self.cubic_shape)

    def to_study(self, cubes: NDArray[np.generic]) -> FloatArray:
        """Resample linearly a volume of cubes onto the grid of the study."""
        return resampled(cubes, 1 / self.steps, self.shape)
