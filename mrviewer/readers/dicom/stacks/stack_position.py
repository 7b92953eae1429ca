"""Where the planes of a stack lie: sorted along their normal, with equal steps, gaps named."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import FileFormatError
from mrviewer.geometry import Geometry
from mrviewer.notes import Note, NoteKind
from mrviewer.readers.dicom.frames.frame import Frame

__all__ = [
    "MOST_MISSING",
    "Levels",
    "axis_of_slices",
    "find_levels",
    "is_regular",
    "missing_slices",
    "places_of",
    "stack_geometry",
]

SAME_HEIGHT_MM = 0.01
"""Planes nearer than this lie at one place; headers round positions to about a micrometre."""
JITTER = 0.25
"""Part of the distance between places, or of the thickness of a slice, over which the planes of one may scatter."""
UNEVEN = 0.05
"""Largest deviation from equal steps, as a part of a step, that rounding and jitter explain."""
MOST_MISSING = 0.25
"""Largest part of the slices that may be missing."""
TILTED = 2e-3
"""Sideways move per step, as a part of it, above which a stack is sheared: about 0.1 degrees."""
OBLIQUE_DEGREES = 0.5
_FROM = ("the head", "the front", "the right")
"""Where each axis of an internal array begins."""
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class Levels:
    """Planes of one volume by the place at which they lie.

    Parameters
    ----------
    frames : (level,)
        Plane of each place, in the order along the normal.
    slots : (level,)
        Number of each place in the regular stack.
    n_slices
        Places of that stack, those that are missing included.
    notes
        What a person should know.
    """

    frames: tuple[Frame, ...]
    slots: tuple[int, ...]
    n_slices: int
    notes: tuple[Note, ...] = ()


def places_of(frames: Sequence[Frame]) -> list[int]:
    """Number of the place at which each plane lies, counted along the normal from 0.

    Planes whose positions differ by rounding, or by the small shifts that motion correction writes into headers, lie at
    one place. Planes that do not say where they lie have a place each, in the order of their numbers.
    """
    places = [0] * len(frames)
    heights = [frame.height_mm for frame in frames if frame.height_mm is not None]
    if len(heights) < len(frames):
        numbered = sorted(range(len(frames)), key=lambda index: _number(frames[index]))
        for place, index in enumerate(numbered):
            places[index] = place
        return places
    order = np.argsort(heights, kind="stable")
    starts = _starts(np.sort(np.array(heights)), frames[0].spacing_mm[0])
    for place, index in zip((np.cumsum(starts) - 1).tolist(), order.tolist(), strict=True):
        places[index] = place
    return places


def is_regular(frames: Sequence[Frame]) -> bool:
    """Whether the places of planes stand in equal steps, none missing."""
    heights = np.sort([_height(frame) for frame in frames])
    steps = np.diff(heights[_starts(heights, frames[0].spacing_mm[0])])
    return bool(len(steps) < 2 or np.abs(steps - np.median(steps)).max() <= UNEVEN * float(np.median(steps)))


def _starts(heights: NDArray[np.float64], stated_mm: float) -> NDArray[np.bool_]:
    """Whether each of sorted heights begins a new place.

    Where steps fall into small and large ones, the small ones are jitter, as long as no place grows wider than a part
    of the distance to the next.
    """
    steps = np.diff(heights)
    counted = np.sort(steps[steps > SAME_HEIGHT_MM])
    if len(counted) > 1:
        cut = int(np.argmax(counted[1:] / counted[:-1]))
        small, large = float(counted[cut]), float(counted[cut + 1])
        starts = np.concatenate([[True], steps > small])
        first = np.flatnonzero(starts)
        last = np.concatenate([first[1:] - 1, [len(heights) - 1]])
        widest = float((heights[last] - heights[first]).max())
        if widest <= JITTER * min(large, stated_mm or large):
            return starts
    starts = np.ones(len(heights), bool)
    begin = heights[0]
    for index, height in enumerate(heights[1:], 1):
        starts[index] = height - begin > SAME_HEIGHT_MM
        begin = height if starts[index] else begin
    return starts


def find_levels(frames: Sequence[Frame]) -> Levels:
    """Find the step from one plane of a volume to the next.

    Parameters
    ----------
    frames
        Planes of one volume, along the normal.

    Raises
    ------
    FileFormatError
        If the steps are unequal, or too many slices are missing.
    """
    if any(frame.height_mm is None for frame in frames):
        said = "the slices do not say where they lie; they are ordered by their number"
        return Levels(tuple(frames), tuple(range(len(frames))), len(frames), (Note(said, NoteKind.ORDER),))
    slots = _slots(np.array([_height(frame) for frame in frames]), frames[0])
    return Levels(tuple(frames), slots, slots[-1] + 1)


def stack_geometry(levels: Levels, shape: tuple[int, int]) -> tuple[Geometry, tuple[Note, ...]]:
    """Grid of a stack whose planes have `shape` (rows, columns), and what is unusual about it.

    Raises
    ------
    FileFormatError
        If the planes move sideways by unequal steps.
    """
    first = levels.frames[0]
    spacing, notes = _stated_spacing(first, levels)
    if first.place is None:
        said = "the file does not say where it lies; it is taken as axial from foot to head"
        notes.append(Note(f"{said}, so sides may be swapped and sizes wrong", NoteKind.POSITION))
        geometry = Geometry.axial((levels.n_slices, *shape), spacing)
        # Slices count from the foot, as they were sorted; the internal order begins at the head.
        return Geometry(geometry.shape, geometry.affine, _STORED_FROM_FOOT, is_placed=False), tuple(notes)
    step = _step(levels, spacing[0])
    affine = np.eye(4)
    affine[:3, 0] = np.array(first.place.orientation[:3]) * spacing[2]
    affine[:3, 1] = np.array(first.place.orientation[3:]) * spacing[1]
    affine[:3, 2] = step
    affine[:3, 3] = first.place.position
    geometry = Geometry.from_stored((shape[1], shape[0], levels.n_slices), _LPS_TO_RAS @ affine)
    gaps = _gap_note(missing_slices(levels, geometry), geometry)
    return geometry, (*gaps, *notes, *_tilt(step, first.place.normal), *_obliquity(geometry))


def missing_slices(levels: Levels, geometry: Geometry) -> tuple[int, ...]:
    """Slices that no plane fills, as the internal array of `geometry` counts them."""
    absent = sorted(set(range(levels.n_slices)) - set(levels.slots))
    axis = axis_of_slices(geometry)
    if geometry.to_stored[axis, 1] < 0:
        absent = [levels.n_slices - 1 - slot for slot in reversed(absent)]
    return tuple(absent)


_STORED_FROM_FOOT = np.array([[2.0, -1.0], [1.0, 1.0], [0.0, 1.0]])
"""From internal order to (column, row, slice from the foot)."""


def _height(frame: Frame) -> float:
    return frame.height_mm or 0.0


def _number(frame: Frame) -> tuple[object, ...]:
    """What orders planes that do not say where they lie."""
    return frame.moment.instance, frame.number, frame.file


def _slots(heights: NDArray[np.float64], frame: Frame) -> tuple[int, ...]:
    """Number of each place in a stack of equal steps."""
    if len(heights) < 3:
        return tuple(range(len(heights)))
    steps = np.diff(heights)
    step = float(np.median(steps))
    # The median of rounded steps is refined over the whole stack.
    counts = np.maximum(np.rint(steps / step), 1)
    step = float((heights[-1] - heights[0]) / counts.sum())
    slots = np.concatenate([[0], np.cumsum(counts)])
    if np.abs(heights - heights[0] - slots * step).max() > UNEVEN * step:
        raise FileFormatError(
            f"the series of {frame.file.name} has slices {steps.min():.2f} to {steps.max():.2f} mm apart, and a volume "
            "needs equal steps; export it complete, or resample it"
        )
    missing = sorted(set(range(int(slots[-1]) + 1)) - set(slots.astype(int).tolist()))
    if len(missing) > MOST_MISSING * (slots[-1] + 1):
        raise FileFormatError(
            f"the series of {frame.file.name} lacks {len(missing)} of {int(slots[-1]) + 1} slices; export it complete"
        )
    return tuple(int(slot) for slot in slots)


def axis_of_slices(geometry: Geometry) -> int:
    """Axis of the internal array along which the planes were stored."""
    return int(np.flatnonzero(geometry.to_stored[:, 0] == 2)[0])


def _gap_note(missing: tuple[int, ...], geometry: Geometry) -> list[Note]:
    if not missing:
        return []
    axis = axis_of_slices(geometry)
    which = "slice" if len(missing) == 1 else "slices"
    are = "is" if len(missing) == 1 else "are"
    is_cut = axis == geometry.slice_axis
    way = f"counted from {_FROM[axis]}{' as the slider does' if is_cut else ''}"
    told = "leave" if is_cut else "do not leave"
    numbers = f"{', '.join(map(str, missing))} (of 0 to {geometry.shape[axis] - 1}, {way})"
    said = f"{which} {numbers} {are} missing and left empty; figures {told} {'it' if len(missing) == 1 else 'them'} out"
    return [Note(said, NoteKind.MISSING_SLICES, len(missing))]


def _stated_spacing(frame: Frame, levels: Levels) -> tuple[tuple[float, float, float], list[Note]]:
    """Distance of slices, rows and columns in mm; 1 mm where it is not stated and cannot be seen."""
    across, rows, columns = frame.spacing_mm
    notes: list[Note] = []
    if not rows or not columns:
        rows = columns = 1.0
        notes.append(Note("the file does not state the size of a pixel; 1 mm is taken", NoteKind.VOXEL_SIZE))
    heights = [_height(frame) for frame in levels.frames]
    if frame.height_mm is not None and len(heights) > 1:
        across = (heights[-1] - heights[0]) / (levels.n_slices - 1)
    elif not across:
        across = 1.0
        notes.append(Note("the file does not state the thickness of a slice; 1 mm is taken", NoteKind.VOXEL_SIZE))
    return (across, rows, columns), notes


def _step(levels: Levels, across_mm: float) -> NDArray[np.float64]:
    """Vector from one slice to the next, in mm."""
    places = [frame.place for frame in levels.frames]
    positions = np.array([place.position for place in places if place is not None])
    normal = places[0].normal if places[0] is not None else np.array([0.0, 0.0, 1.0])
    if len(positions) < 2:
        return normal * across_mm
    slots = np.array(levels.slots, float)
    step: NDArray[np.float64] = (positions[-1] - positions[0]) / slots[-1]
    if np.abs(positions - positions[0] - slots[:, None] * step).max() > max(UNEVEN * float(np.linalg.norm(step)), 0.05):
        frame = levels.frames[0]
        raise FileFormatError(
            f"the slices of the series of {frame.file.name} do not lie on one line; export it as straight stacks"
        )
    return step


def _tilt(step: NDArray[np.float64], normal: NDArray[np.float64]) -> list[Note]:
    across = float(step @ normal)
    sideways = float(np.linalg.norm(step - across * normal))
    if sideways <= TILTED * across:
        return []
    said = f"the slices are shifted sideways by {sideways:.2f} mm from one to the next (as with a tilted gantry)"
    return [Note(f"{said}; the grid is sheared, and it is shown by its nearest axes", NoteKind.POSITION)]


def _obliquity(geometry: Geometry) -> list[Note]:
    if geometry.is_sheared or geometry.obliquity_degrees <= OBLIQUE_DEGREES:
        return []
    said = f"the volume lies oblique in the scanner, by {geometry.obliquity_degrees:.1f} degrees"
    return [Note(f"{said}; it is shown along its own axes", NoteKind.POSITION)]
