"""From the grid of a study to cubic voxels and back, without turning the axes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

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
        z, y, x = np.maximum(np.ceil(np.asarray(self.shape) / self.steps - 1e-6), 1).astype(int)
        return int(z), int(y), int(x)

    def to_cubes(self, volume: NDArray[np.generic]) -> FloatArray:
        """Resample linearly a volume ``(z, y, x)`` of the study; smoothed before where cubes are larger than voxels."""
        return _resampled(volume, self.steps, self.cubic_shape)

    def to_study(self, cubes: NDArray[np.generic]) -> FloatArray:
        """Resample linearly a volume of cubes onto the grid of the study."""
        return _resampled(cubes, 1 / self.steps, self.shape)


def _resampled(volume: NDArray[np.generic], steps: NDArray[np.float64], shape: tuple[int, int, int]) -> FloatArray:
    result = np.asarray(volume, np.float32)
    if np.all(steps == 1) and result.shape == shape:
        return result
    for axis, step in enumerate(steps):
        if step > 1:
            result = ndimage.gaussian_filter1d(result, (step - 1) / 2, axis, mode="nearest")
    # Centres of voxels meet centres of voxels: position (i + 1/2) step - 1/2.
    resampled: FloatArray = ndimage.affine_transform(
        result, steps, offset=steps / 2 - 0.5, output_shape=shape, order=1, mode="nearest"
    )
    return resampled
