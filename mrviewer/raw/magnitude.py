"""The image that fully sampled raw data make."""

from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from mrviewer.physics import adjoint
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

    def __post_init__(self) -> None:
        """Start without pixels."""
        self._lock = Lock()
        self._volume: NDArray[np.float32] | None = None

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
        with self._lock:
            if self._volume is None:
                self._volume = self._compute()
        return np.array(self._volume, dtype=dtype, copy=copy)

    def __getstate__(self) -> dict[str, object]:
        """Travel to another process without lock and pixels: they are computed again there."""
        return {"raw": self.raw}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state, _lock=Lock(), _volume=None)

    def _compute(self) -> NDArray[np.float32]:
        volume = np.empty(self.shape, np.float32)
        slices = np.moveaxis(volume, self.raw.slice_axis, 0)
        for index in range(len(slices)):
            slices[index] = np.abs(adjoint(self.raw.kspace(index), self.raw.coil_maps(index)))
        volume.setflags(write=False)
        return volume
