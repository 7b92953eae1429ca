"""Raw data of readouts, turned as their positions in the scanner say."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrviewer.geometry import Geometry
from mrviewer.notes import Note, NoteKind
from mrviewer.raw.cartesian import KspaceSource
from mrviewer.raw.pattern import interpret
from mrviewer.raw.readouts.placement import Placement, placed_geometry
from mrviewer.raw.turning import Turn, TurnedKspace, turn_to
from mrviewer.readers.contents import FileContents
from mrviewer.readers.scans.raw_contents import POSITION_NOTE, SIDES_NOTE, Position, raw_contents

__all__ = ["ReadoutStack", "placed_contents"]

OBLIQUE_DEGREES = 0.5
UNEVEN = 0.05
"""Part of their distance by which gaps between slices may differ."""
_PHASE_NOTE = Note(
    "phase was encoded along y: a mask of lines, which run along y too, drops parts of readouts", NoteKind.RAW_DATA
)


@dataclass(frozen=True, eq=False)
class ReadoutStack:
    """K-space of one image as it is stored: z along slices, y along phase, x along the readout.

    Parameters
    ----------
    source, pattern
        K-space, and the samples ``(y, x)`` of a slice that were acquired.
    rows
        A readout of every slice; one of a three-dimensional scan.
    voxel_size_mm : (z, y, x)
        Of the stored volume.
    slice_axis
        Axis of the stored volume along which slices are counted.
    is_flat
        Whether it was acquired slice by slice.
    """

    source: KspaceSource
    pattern: NDArray[np.bool_]
    rows: Sequence[int]
    voxel_size_mm: tuple[float, float, float]
    slice_axis: int = 0
    is_flat: bool = False


def placed_contents(
    name: str, title: str, placement: Placement, stack: ReadoutStack, notes: Sequence[str]
) -> FileContents:
    """Raw data turned as their position says; slices from the head to the feet where nothing else is known.

    Parameters
    ----------
    name, title
        The file, and what its image is called.
    placement
        Of all readouts of the file.
    stack
        The image.
    notes
        What else the user should know.

    Raises
    ------
    FileFormatError
        If the sizes are none of a scan.
    """
    n_slices, _, height, width = stack.source.shape
    sizes = [height, width]
    sizes.insert(stack.slice_axis, n_slices)
    geometry = placed_geometry(placement, stack.rows, (sizes[0], sizes[1], sizes[2]), stack.voxel_size_mm)
    gaps = placement.gaps_mm(stack.rows)
    if geometry is not None:
        turn, position = turn_to(geometry, stack.slice_axis), Position(geometry, _oblique(geometry))
    elif gaps.size and placement.is_axial(stack.rows[0]):
        turn, position = Turn(stack.slice_axis, slices=True), Position(None, SIDES_NOTE)
    else:
        turn, position = Turn(stack.slice_axis), Position(None, POSITION_NOTE)
    along_y = [_PHASE_NOTE] if stack.is_flat and not turn.swapped else []
    return raw_contents(
        name,
        title,
        TurnedKspace(stack.source, turn),
        interpret(turn.pattern(stack.pattern)),
        stack.voxel_size_mm,
        [*along_y, *_uneven(gaps, stack.voxel_size_mm[0]), *notes],
        turn.slice_axis,
        position,
    )


def _uneven(gaps_mm: NDArray[np.float64], shown_mm: float) -> list[Note]:
    """Say that slices do not lie at equal distances, as a grid has them."""
    if not gaps_mm.size or np.ptp(gaps_mm) <= UNEVEN * np.median(gaps_mm):
        return []
    said = f"slices lie {gaps_mm.min():.3g} to {gaps_mm.max():.3g} mm apart and are shown {shown_mm:.3g} mm apart"
    return [Note(f"{said}: lengths and volumes across slices are wrong", NoteKind.VOXEL_SIZE)]


def _oblique(geometry: Geometry) -> Note | None:
    if geometry.obliquity_degrees <= OBLIQUE_DEGREES:
        return None
    said = f"the volume lies oblique in the scanner, by {geometry.obliquity_degrees:.1f} degrees"
    return Note(f"{said}; it is shown along its own axes", NoteKind.POSITION)
