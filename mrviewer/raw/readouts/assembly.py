"""From readouts to k-space: oversampling removed, noise whitened, averages averaged, echoes put where they belong."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrviewer.coils.whitening import whiten
from mrviewer.errors import FileFormatError
from mrviewer.raw.readouts.ismrmrd_header import Encoding
from mrviewer.raw.readouts.oversampling import crop_field_of_view, kept_samples
from mrviewer.raw.readouts.readouts import IntArray, ReadoutReader, ReadoutTable

__all__ = ["Grid", "Readouts", "grid_of"]


@dataclass(frozen=True)
class Grid:
    """Where readouts go.

    Parameters
    ----------
    n_partitions, n_phases, n_samples
        Encoded matrix.
    n_kept
        Samples of a readout without oversampling.
    center_1, center_2
        Encoding steps at which DC lies.
    """

    n_partitions: int
    n_phases: int
    n_samples: int
    n_kept: int
    center_1: int
    center_2: int

    def rows_of(self, steps: IntArray) -> IntArray:
        """Row of k-space along y for phase encoding steps."""
        return steps - self.center_1 + self.n_phases // 2

    def partitions_of(self, steps: IntArray) -> IntArray:
        """Row of k-space along z for partition encoding steps."""
        return steps - self.center_2 + self.n_partitions // 2


def grid_of(encoding: Encoding) -> Grid:
    """Grid of an encoding of the header; where it does not tell the step of DC that is the middle."""
    n_samples, n_phases, n_partitions = encoding.encoded.matrix
    step_1, step_2 = encoding.center
    return Grid(
        n_partitions,
        n_phases,
        n_samples,
        kept_samples(n_samples, encoding.encoded.field_of_view_mm[0], encoding.image.field_of_view_mm[0]),
        n_phases // 2 if step_1 is None else step_1,
        n_partitions // 2 if step_2 is None else step_2,
    )


@dataclass(frozen=True, eq=False)
class Readouts:
    """Readouts of a file with what belongs to all of them.

    Parameters
    ----------
    name
        The file, for what is refused.
    table, reader
        Their places, and their samples.
    whitening
        Matrix of `mrviewer.coils.whitening_matrix`; `None` to leave noise as it is.
    """

    name: str
    table: ReadoutTable
    reader: ReadoutReader
    whitening: NDArray[np.complex64] | None = None

    def assemble(self, rows: IntArray, grid: Grid) -> NDArray[np.complex64]:
        """K-space ``(coil, z, y, x)`` of some readouts, averaged where several have the same place."""
        table = self.table
        n_coils = int(table.n_coils[rows[0]])
        kspace = np.zeros((n_coils, grid.n_partitions, grid.n_phases, grid.n_samples), np.complex64)
        times = np.zeros((grid.n_partitions, grid.n_phases), np.int64)
        places = zip(grid.partitions_of(table.step_2[rows]), grid.rows_of(table.step_1[rows]), strict=True)
        for row, (z, y), samples in zip(rows, places, self.reader.read(rows.tolist()), strict=True):
            part, offset = self._trimmed(int(row), samples, grid)
            kspace[:, z, y, offset : offset + part.shape[1]] += part
            times[z, y] += 1
        with np.errstate(invalid="ignore"):
            # Samples that are not finite stay so until somebody counts them.
            kspace /= np.maximum(times, 1)[None, :, :, None]
        if self.whitening is not None:
            kspace = whiten(kspace, self.whitening).astype(np.complex64, copy=False)
        return crop_field_of_view(kspace, -1, grid.n_kept).astype(np.complex64, copy=False)

    def pattern(self, rows: IntArray, grid: Grid) -> NDArray[np.bool_]:
        """Acquired steps ``(z, y)``."""
        acquired = np.zeros((grid.n_partitions, grid.n_phases), bool)
        acquired[grid.partitions_of(self.table.step_2[rows]), grid.rows_of(self.table.step_1[rows])] = True
        return acquired

    def require_inside(self, rows: IntArray, grid: Grid) -> None:
        """Refuse readouts that lie outside of k-space, or of different numbers of coils.

        Raises
        ------
        FileFormatError
            If there are any.
        """
        table = self.table
        y, z = grid.rows_of(table.step_1[rows]), grid.partitions_of(table.step_2[rows])
        if y.min() < 0 or z.min() < 0 or y.max() >= grid.n_phases or z.max() >= grid.n_partitions:
            raise FileFormatError(
                f"{self.name} has readouts outside of its matrix of {grid.n_phases} x {grid.n_partitions} encoding "
                "steps; its header and its data do not belong together"
            )
        if np.ptp(table.n_coils[rows]) or table.n_coils[rows[0]] < 1:
            raise FileFormatError(
                f"the readouts of {self.name} have different numbers of coils; convert the scan again"
            )
        if table.n_samples[rows].min() < 1 or table.n_samples[rows].max() > grid.n_samples:
            raise FileFormatError(
                f"{self.name} has readouts of {table.n_samples[rows].max()} samples and its header announces "
                f"{grid.n_samples}; its header and its data do not belong together"
            )

    def _trimmed(self, row: int, samples: NDArray[np.complex64], grid: Grid) -> tuple[NDArray[np.complex64], int]:
        """Samples without dead ends, and the column of the first one: DC goes to the middle."""
        table = self.table
        first = int(table.before[row])
        part = samples[:, first : first + int(table.n_samples[row])]
        center = int(table.center[row])
        if table.reverse[row]:
            part, center = part[:, ::-1], part.shape[1] - 1 - center
        offset = grid.n_samples // 2 - center
        # A reversed readout of an even number of samples has its DC one sample beside the middle.
        return part, min(max(offset, 0), grid.n_samples - part.shape[1])
