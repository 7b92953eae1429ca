"""From the planes of a series to volumes: which belong together, in which order, and where they lie."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mrviewer.errors import FileFormatError
from mrviewer.geometry import Geometry
from mrviewer.notes import Note, left_out
from mrviewer.readers.dicom.frames.components import component_rank
from mrviewer.readers.dicom.frames.frame import Frame
from mrviewer.readers.dicom.stacks.frame_order import OrderedVolumes, in_order, past_midnight
from mrviewer.readers.dicom.stacks.parts import Part, part_labels, split_into_parts
from mrviewer.readers.dicom.stacks.repetitions import volume_sets
from mrviewer.readers.dicom.stacks.stack_position import (
    Levels,
    axis_of_slices,
    find_levels,
    missing_slices,
    stack_geometry,
)
from mrviewer.readers.dicom.stacks.time_zones import in_one_zone
from mrviewer.study import FrameAxis

__all__ = ["Stack", "build_stacks"]


@dataclass(frozen=True, eq=False)
class Stack:
    """One volume, or repetitions of it.

    Parameters
    ----------
    label
        What tells it from the other volumes of the series; empty if there is no other and it shows magnitude.
    frames : (repetition, slice)
        Planes along the normal; `None` where one is missing.
    geometry
        Their grid.
    notes
        What a person should know.
    missing
        Slices of the internal array that no plane fills, if they are cut along `Geometry.slice_axis`.
    component
        What it shows: see `mrviewer.readers.dicom.frames.components`.
    frame_axis, frame_names
        Along what the repetitions differ, and what tells each apart; `None` and empty if there is one.
    """

    label: str
    frames: tuple[tuple[Frame | None, ...], ...]
    geometry: Geometry
    notes: tuple[str, ...]
    missing: tuple[int, ...] = ()
    component: str = ""
    frame_axis: FrameAxis | None = None
    frame_names: tuple[str, ...] = ()

    @property
    def planes(self) -> Iterator[Frame]:
        """All planes that are there."""
        return (frame for volume in self.frames for frame in volume if frame is not None)

    @property
    def reference(self) -> str:
        """Frame of reference in which it lies; empty where no plane names one."""
        return next((frame.reference for frame in self.planes if frame.reference), "")


def build_stacks(frames: Sequence[Frame]) -> tuple[tuple[Stack, ...], tuple[str, ...]]:
    """Volumes of one series, magnitude before phase and the largest first; and what is left out.

    Raises
    ------
    FileFormatError
        If no volume can be made; the sentence says why.
    """
    compared, of_times = in_one_zone(frames)
    parts, notes = _without_strays(split_into_parts(past_midnight(compared)))
    notes += of_times
    found: list[tuple[Part, OrderedVolumes, tuple[Note, ...]]] = []
    failure: FileFormatError | None = None
    for part in parts:
        try:
            sets, more = volume_sets(part.frames)
        except FileFormatError as error:
            failure = error
            notes.append(left_out(f"{part_labels([part, *parts])[0]}, {error}"))
            continue
        notes += more
        found += [(replace(part, frames=tuple(each.volumes[0])), in_order(each.volumes), each.notes) for each in sets]
    found.sort(key=lambda item: _offered(item[0], item[1]))
    labels = part_labels([part for part, _, _ in found])
    stacks: list[Stack] = []
    for (part, ordered, shifts), label in zip(found, labels, strict=True):
        try:
            stacks.append(_stack(part, ordered, shifts, label))
        except FileFormatError as error:
            failure = error
            notes.append(left_out(f"{label or 'a volume'}, {error}"))
    if not stacks and failure is not None:
        raise failure
    return tuple(stacks), tuple(notes)


def _offered(part: Part, ordered: OrderedVolumes) -> tuple[object, ...]:
    """What puts parts of a series in the order in which they are offered: combined coils before single ones."""
    n_planes = sum(map(len, ordered.volumes))
    return component_rank(part.kind.component), -part.kind.coil.count(";"), -n_planes, part.kind


def _without_strays(parts: list[Part]) -> tuple[list[Part], list[Note]]:
    """Leave out single planes that fit no other, where there are volumes."""
    if max(len(part.frames) for part in parts) == 1:
        return parts, []
    kept = [part for part in parts if len(part.frames) > 1]
    strays = [part.frames[0] for part in parts if len(part.frames) == 1]
    notes = [
        left_out(f"{stray.file.name}, a plane of {stray.shape[0]} x {stray.shape[1]} pixels that fits no other")
        for stray in strays[:3]
    ]
    if len(strays) > 3:
        notes.append(left_out(f"{len(strays) - 3} more single planes that fit no other", len(strays) - 3))
    return kept, notes


def _stack(part: Part, ordered: OrderedVolumes, shifts: Sequence[Note], label: str) -> Stack:
    levels = find_levels(ordered.volumes[0])
    geometry, more = stack_geometry(levels, part.frames[0].shape)
    volumes = tuple(_with_gaps(volume, levels) for volume in ordered.volumes)
    missing = missing_slices(levels, geometry) if axis_of_slices(geometry) == geometry.slice_axis else ()
    notes = (*levels.notes, *shifts, *ordered.notes, *more)
    component = part.kind.component
    return Stack(label, volumes, geometry, notes, missing, component, ordered.axis, ordered.names)


def _with_gaps(volume: Sequence[Frame], levels: Levels) -> tuple[Frame | None, ...]:
    """Planes at their place in the regular stack; `None` where none is."""
    placed: list[Frame | None] = [None] * levels.n_slices
    for frame, slot in zip(volume, levels.slots, strict=True):
        placed[slot] = frame
    return tuple(placed)
