"""Raw data of a Cartesian scan, read slice by slice from where they are stored."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mrviewer.coils.estimation import estimate_maps
from mrviewer.errors import ShapeError
from mrviewer.geometry import Geometry
from mrviewer.raw.finite import finite_samples
from mrviewer.raw.pattern import measured_block
from mrviewer.raw.slice_cache import SliceCache
from mrviewer.study import Origin

__all__ = ["CartesianRawData", "KspaceSource"]


class KspaceSource(Protocol):
    """K-space of a stack of slices, wherever it is stored; nothing of it is held in memory."""

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Sizes ``(slice, coil, y, x)``."""
        ...

    def read(self, index: int) -> NDArray[np.complex64]:
        """K-space ``(coil, y, x)`` of one slice, DC at the centre, zero where nothing was acquired."""
        ...

    def calibration(self, index: int) -> NDArray[np.complex64] | None:
        """Fully sampled centre ``(coil, y, x)`` from a calibration scan; `None` if the scan itself has to do."""
        ...


@dataclass(frozen=True, eq=False)
class CartesianRawData:
    """K-space of a scanner; satisfies `mrviewer.study.RawData`.

    Parameters
    ----------
    modality
        Of the image that it makes.
    geometry
        Grid of that image.
    source
        Where k-space is stored.
    acquired : bool, (y | 1, x)
        Samples that were acquired; `None` for a fully sampled scan.
    slice_axis
        Axis of `geometry` along which slices are counted.
    """

    modality: str
    geometry: Geometry
    source: KspaceSource
    acquired: NDArray[np.bool_] | None = None
    slice_axis: int = 0
    _maps: SliceCache = field(default_factory=SliceCache, repr=False)
    _finite_slices: set[int] = field(default_factory=set, repr=False)

    def __post_init__(self) -> None:
        """Refuse a grid that is not that of the slices."""
        sizes = list(self.geometry.shape)
        n_slices = sizes.pop(self.slice_axis)
        if (n_slices, *sizes) != (self.shape[0], *self.shape[2:]):
            raise ShapeError(
                f"k-space is {self.shape} (slice, coil, y, x) but its grid {self.geometry.shape} (z, y, x)"
            )

    @property
    def origin(self) -> Origin:
        """Always `Origin.SCANNER`."""
        return Origin.SCANNER

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Sizes ``(slice, coil, y, x)``."""
        return self.source.shape

    def kspace(self, index: int) -> NDArray[np.complex64]:
        """K-space ``(coil, y, x)`` of one slice, read from its file; samples that are not finite are 0."""
        self._require(index)
        return self._read(index)

    def coil_maps(self, index: int) -> NDArray[np.complex64]:
        """Sensitivities ``(coil, y, x)`` of one slice, estimated at the first call and kept while there is room.

        See `mrviewer.coils.estimate_maps`.
        """
        self._require(index)
        return self._maps.get(index, self._estimate)

    def _estimate(self, index: int) -> NDArray[np.complex64]:
        kspace = self._read(index)
        acquired = self.acquired if self.acquired is not None else measured_block(kspace)
        return estimate_maps(kspace, acquired, self.source.calibration(index))

    def _read(self, index: int) -> NDArray[np.complex64]:
        """K-space of one slice; it is looked through at its first reading, which takes a quarter of the time."""
        kspace = self.source.read(index)
        if index in self._finite_slices:
            return kspace
        finite = finite_samples(kspace)
        if finite is kspace:
            self._finite_slices.add(index)
        return finite

    def _require(self, index: int) -> None:
        if not 0 <= index < self.shape[0]:
            raise ShapeError(f"slice {index} was asked for but there are {self.shape[0]}; count from 0")
