"""Volumes on another spacing, corner on corner, without turning the axes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["FineGrid", "counts_of", "resampled"]

FloatArray = NDArray[np.float32]
Sizes = tuple[int, int, int]

_FINE_MM = 1.0
_ALIKE = 0.15
_THICK_MM = 1.6


@dataclass(frozen=True)
class FineGrid:
    """Axes of fine voxels brought to 1 mm, axes of thick ones left as they are.

    Parameters
    ----------
    shape : (z, y, x)
        Voxels of the study.
    voxel_size_mm : (z, y, x)
        Their edges. Voxels within 15 % of 1 mm, and those above 1.6 mm, are not resampled.
    """

    shape: Sizes
    voxel_size_mm: tuple[float, float, float]

    @property
    def steps(self) -> NDArray[np.float64]:
        """Edge of a new voxel in voxels of the study, along each axis."""
        sizes = np.asarray(self.voxel_size_mm)
        kept = (np.abs(sizes / _FINE_MM - 1) < _ALIKE) | (sizes > _THICK_MM)
        return np.where(kept, 1.0, _FINE_MM / sizes)

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Edges of the new voxels, in millimetres."""
        z, y, x = (float(size) for size in self.steps * np.asarray(self.voxel_size_mm))
        return z, y, x

    @property
    def fine_shape(self) -> Sizes:
        """New voxels along each axis."""
        return counts_of(self.shape, self.steps)

    def to_fine(self, volume: NDArray[np.generic]) -> FloatArray:
        """Resample linearly a volume ``(z, y, x)`` of the study."""
        return resampled(volume, self.steps, self.fine_shape)

    def to_study(self, fine: NDArray[np.generic]) -> FloatArray:
        """Resample linearly a volume of new voxels onto the grid of the study."""
        return resampled(fine, 1 / self.steps, self.shape)


def counts_of(shape: Sizes, steps: NDArray[np.float64]) -> Sizes:
    """New voxels along each axis that cover all of the old ones, by the edges of the new in old ones."""
    z, y, x = np.maximum(np.ceil(np.asarray(shape) / steps - 1e-6), 1).astype(int)
    return int(z), int(y), int(x)


def resampled(volume: NDArray[np.generic], steps: NDArray[np.float64], shape: Sizes) -> FloatArray:
    """Resample linearly; smoothed before along axes whose new voxels are larger.

    Parameters
    ----------
    volume : (z, y, x)
    steps : (3,)
        Edge of a new voxel in old ones, along each axis.
    shape : (z, y, x)
        New voxels; both grids begin at the same corner.
    """
    result = np.asarray(volume, np.float32)
    if np.all(steps == 1) and result.shape == shape:
        return result
    for axis, step in enumerate(steps):
        if step > 1:
            result = ndimage.gaussian_filter1d(result, (step - 1) / 2, axis, mode="nearest")
    # Centres of voxels meet centres of voxels: position (i + 1/2) step - 1/2.
    fine: FloatArray = ndimage.affine_transform(
        result, steps, offset=steps / 2 - 0.5, output_shape=shape, order=1, mode="nearest"
    )
    return fine
