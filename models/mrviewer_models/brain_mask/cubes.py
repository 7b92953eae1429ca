"""From the grid of a study to cubes of one size and back: one small matrix along each axis, none is turned."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Cubes"]

FloatArray = NDArray[np.float32]
_MOST = 192
"""Cubes along an axis; where the voxels of a header would give more, cubes are larger."""


@dataclass(frozen=True)
class Cubes:
    """Cubes over a volume, the first and the last of which share their outer faces with its voxels.

    Parameters
    ----------
    shape
        Voxels of the volume.
    voxel_size_mm
        Their edges.
    cube_mm
        Wanted edge of the cubes.
    """

    shape: tuple[int, int, int]
    voxel_size_mm: tuple[float, float, float]
    cube_mm: float

    @property
    def counts(self) -> tuple[int, int, int]:
        """Cubes along each axis."""
        z, y, x = (
            min(max(round(n * size / self.cube_mm), 1), _MOST)
            for n, size in zip(self.shape, self.voxel_size_mm, strict=True)
        )
        return z, y, x

    @property
    def cube_ml(self) -> float:
        """Volume of one."""
        extent = np.multiply(self.shape, self.voxel_size_mm)
        return float(np.prod(extent) / np.prod(self.counts) / 1000)

    def to_cubes(self, volume: NDArray[np.generic]) -> FloatArray:
        """Resample a volume: means where cubes are larger than voxels, else linearly."""
        return _along_each(np.asarray(volume, np.float32), self.counts)

    def to_volume(self, cubes: FloatArray) -> FloatArray:
        """Resample cubes to the voxels of the volume."""
        return _along_each(cubes, self.shape)


def _along_each(volume: FloatArray, counts: tuple[int, int, int]) -> FloatArray:
    """Resample every axis, those that shrink most first, so that little is left for the others."""
    for axis in sorted(range(3), key=lambda each: counts[each] / volume.shape[each]):
        if counts[axis] != volume.shape[axis]:
            moved = np.moveaxis(volume, axis, -1)
            volume = np.moveaxis(moved @ _weights(volume.shape[axis], counts[axis]), -1, axis)
    return np.ascontiguousarray(volume)


def _weights(n_from: int, n_to: int) -> FloatArray:
    """Share of every old voxel in every new one ``(old, new)``; the columns sum to 1."""
    step = n_from / n_to
    if step > 1:
        edges = np.arange(n_to + 1) * step
        old = np.arange(n_from)[:, None]
        shares = np.clip(np.minimum(edges[1:], old + 1) - np.maximum(edges[:-1], old), 0, None)
    else:
        centres = np.clip((np.arange(n_to) + 0.5) * step - 0.5, 0, n_from - 1)
        shares = np.clip(1 - np.abs(np.arange(n_from)[:, None] - centres), 0, None)
    return np.asarray(shares / shares.sum(axis=0), np.float32)
