"""The image that fully sampled raw data make."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mrviewer.physics import adjoint
from mrviewer.raw.kept_volume import KeptVolume
from mrviewer.study import RawData

__all__ = ["MagnitudeVolume"]


@dataclass(eq=False)
class MagnitudeVolume:
    """Magnitude ``(z, y, x)`` of the coil-combined image, computed when it is first looked at.

    Parameters
    ----------
    raw
        Fully sampled.
    """

    raw: RawData
    _volume: KeptVolume[np.float32] = field(default_factory=KeptVolume, repr=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """Size of every axis."""
        return self.raw.geometry.shape

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Single precision."""
        return np.dtype(np.float32)

    def __array__(self, dtype: np.dtype[np.generic] | None = None, copy: bool | None = None) -> NDArray[np.generic]:
        """Return the whole volume in memory."""
        return np.array(self._volume.get(self._compute), dtype=dtype, copy=copy)

    def _compute(self) -> NDArray[np.float32]:
        volume = np.empty(self.shape, np.float32)
        slices = np.moveaxis(volume, self.raw.slice_axis, 0)
        for index in range(len(slices)):
            slices[index] = np.abs(adjoint(self.raw.kspace(index), self.raw.coil_maps(index)))
        return volume
