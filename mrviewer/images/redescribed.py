"""Raw data of which something else is said: another modality, or another grid."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrviewer.geometry import Geometry
from mrviewer.study import Origin, RawData

__all__ = ["RedescribedRawData"]


@dataclass(frozen=True, eq=False)
class RedescribedRawData:
    """Raw data under another modality or on another grid; what has been read or estimated of them stays.

    Parameters
    ----------
    original
        The raw data.
    modality, geometry
        What is said of them.
    """

    original: RawData
    modality: str
    geometry: Geometry

    @property
    def origin(self) -> Origin:
        """Where this k-space comes from."""
        return self.original.origin

    @property
    def slice_axis(self) -> int:
        """Axis of the study's grid along which slices are counted."""
        return self.original.slice_axis

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Sizes ``(slice, coil, y, x)``."""
        return self.original.shape

    @property
    def acquired(self) -> NDArray[np.bool_] | None:
        """Pattern ``(y | 1, x)`` on which the scan was really acquired."""
        return self.original.acquired

    def kspace(self, index: int) -> NDArray[np.complex64]:
        """K-space ``(coil, y, x)`` of one slice."""
        return self.original.kspace(index)

    def coil_maps(self, index: int) -> NDArray[np.complex64]:
        """Sensitivities ``(coil, y, x)`` of one slice."""
        return self.original.coil_maps(index)
