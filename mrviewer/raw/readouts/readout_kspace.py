"""K-space of the images of a file of readouts: slices, or a volume cut into slices."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrviewer.coils.calibration import calibration_region
from mrviewer.raw.kept_volume import VolumeCutIntoSlices, slices_along
from mrviewer.raw.readouts.assembly import Grid, Readouts
from mrviewer.raw.readouts.readouts import IntArray

__all__ = ["ReadoutKspace", "VolumeKspace"]


@dataclass(frozen=True, eq=False)
class ReadoutKspace:
    """K-space of one image of a file of readouts; see `mrviewer.raw.KspaceSource`.

    Parameters
    ----------
    readouts
        Of the whole file.
    grid
        Where they go.
    slices
        Numbers of the readouts of every slice, in the order of the slices in space.
    calibrations
        Numbers of the readouts of the calibration scan of every slice; empty arrays without one.
    calibration_grid
        Where those go.
    """

    readouts: Readouts
    grid: Grid
    slices: tuple[IntArray, ...]
    calibrations: tuple[IntArray, ...] = ()
    calibration_grid: Grid | None = None

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Sizes ``(slice, coil, y, x)``."""
        n_coils = int(self.readouts.table.n_coils[self.slices[0][0]])
        return len(self.slices), n_coils, self.grid.n_phases, self.grid.n_kept

    def read(self, index: int) -> NDArray[np.complex64]:
        """K-space ``(coil, y, x)`` of one slice."""
        return self.readouts.assemble(self.slices[index], self.grid)[:, 0]

    def calibration(self, index: int) -> NDArray[np.complex64] | None:
        """Centre of the calibration scan of one slice; `None` without one."""
        rows = self.calibrations[index] if self.calibrations else None
        if rows is None or not rows.size or self.calibration_grid is None:
            return None
        grid = self.calibration_grid
        lines = self.readouts.pattern(rows, grid)[0]
        shape = (grid.n_phases, grid.n_kept)
        part = calibration_region(np.broadcast_to(lines[:, None], shape), shape)
        return self.readouts.assemble(rows, grid)[:, 0, part[0], part[1]]


@dataclass(eq=False)
class VolumeKspace(VolumeCutIntoSlices):
    """K-space of a three-dimensional scan, transformed along one axis and cut into slices there.

    Parameters
    ----------
    readouts, grid, rows
        As in `ReadoutKspace`; one image with all its partitions.
    along_readout
        Whether slices are cut along the readout, so that both phase encodings stay in k-space, or along the partitions.
    """

    readouts: Readouts
    grid: Grid
    rows: IntArray
    along_readout: bool

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Sizes ``(slice, coil, y, x)``."""
        n_coils = int(self.readouts.table.n_coils[self.rows[0]])
        grid = self.grid
        if self.along_readout:
            return grid.n_kept, n_coils, grid.n_partitions, grid.n_phases
        return grid.n_partitions, n_coils, grid.n_phases, grid.n_kept

    def _transformed(self) -> NDArray[np.complex64]:
        return slices_along(self.readouts.assemble(self.rows, self.grid), -1 if self.along_readout else -3)
