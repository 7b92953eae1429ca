"""From the planes of a series to volumes: which belong together, in which order, and where they lie."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import FileFormatError
from mrviewer.geometry import Geometry
from mrviewer.notes import Note, left_out
from mrviewer.readers.dicom.frame import Frame, Kind
from mrviewer.readers.dicom.repetitions import split_repetitions
from mrviewer.readers.dicom.stack_position import Levels, axis_of_slices, find_levels, missing_slices, stack_geometry

__all__ = ["Stack", "build_stacks"]

SAME_DIRECTION = 2e-3
"""Largest difference between orientation vectors of planes that are parallel: about 0.1 degrees."""
SPACING_DIGITS = 3
"""Decimals of a millimetre to which pixel sizes are compared."""


@dataclass(frozen=True, eq=False)
class Stack:
    """One volume, or repetitions of it.

    Parameters
    ----------
    label
        What tells it from the other volumes of the series; empty if there is no other.
    frames : (repetition, slice)
        Planes along the normal; `None` where one is missing.
    geometry
        Their grid.
    notes
        What a person should know.
    missing
        Slices of the internal array that no plane fills, if they are cut along `Geometry.slice_axis`.
    """

    label: str
    frames: tuple[tuple[Frame | None, ...], ...]
    geometry: Geometry
    notes: tuple[str, ...]
    missing: tuple[int, ...] = ()

    @property
    def planes(self) -> Iterator[Frame]:
        """All planes that are there."""
        return (frame for volume in self.frames for frame in volume if frame is not None)


@dataclass(frozen=True)
class _Group:
    """Planes that may be one volume: parallel, of one size and of one kind."""

    kind: Kind
    frames: list[Frame]


def build_stacks(frames: Sequence[Frame]) -> tuple[tuple[Stack, ...], tuple[str, ...]]:
    """Volumes of one series, the largest first and magnitude before phase; and what is left out.

    Raises
    ------
    FileFormatError
        If no volume can be made; the sentence says why.
    """
    groups, notes = _without_strays(_grouped(frames))
    groups.sort(key=lambda group: (group.kind.component != "magnitude", -len(group.frames), group.kind))
    labels = _labels(groups)
    stacks: list[Stack] = []
    failure: FileFormatError | None = None
    for group, label in zip(groups, labels, strict=True):
        try:
            stacks.append(_stack(group.frames, label))
        except FileFormatError as error:
            failure = error
            notes.append(left_out(f"{label or 'a volume'}, {error}"))
    if not stacks and failure is not None:
        raise failure
    return tuple(stacks), tuple(notes)


def _grouped(frames: Sequence[Frame]) -> list[_Group]:
    """Planes by size, spacing, stack, direction and kind."""
    groups: dict[tuple[object, ...], _Group] = {}
    directions: list[NDArray[np.float64]] = []
    for frame in frames:
        _, rows_mm, columns_mm = frame.spacing_mm
        spacing = (round(rows_mm, SPACING_DIGITS), round(columns_mm, SPACING_DIGITS))
        key = (frame.shape, spacing, frame.stack, _direction(frame, directions), frame.kind)
        groups.setdefault(key, _Group(frame.kind, [])).frames.append(frame)
    return list(groups.values())


def _direction(frame: Frame, known: list[NDArray[np.float64]]) -> int:
    """Number of the direction in which a plane lies, -1 without one; directions that differ by rounding are one."""
    if frame.place is None:
        return -1
    orientation = np.asarray(frame.place.orientation)
    for number, other in enumerate(known):
        if np.abs(orientation - other).max() < SAME_DIRECTION:
            return number
    known.append(orientation)
    return len(known) - 1


def _without_strays(groups: list[_Group]) -> tuple[list[_Group], list[Note]]:
    """Leave out single planes that fit no other, where there are volumes."""
    if max(len(group.frames) for group in groups) == 1:
        return groups, []
    kept = [group for group in groups if len(group.frames) > 1]
    strays = [group.frames[0] for group in groups if len(group.frames) == 1]
    notes = [
        left_out(f"{stray.file.name}, a plane of {stray.shape[0]} x {stray.shape[1]} pixels that fits no other")
        for stray in strays[:3]
    ]
    if len(strays) > 3:
        notes.append(left_out(f"{len(strays) - 3} more single planes that fit no other", len(strays) - 3))
    return kept, notes


def _labels(groups: list[_Group]) -> list[str]:
    """What tells each volume from the others: component, echo time, size, else a number."""
    if len(groups) == 1:
        return [""]
    parts: list[list[str]] = [[] for _ in groups]
    facts = (
        [group.kind.component for group in groups],
        [f"echo {group.kind.echo_ms:g} ms" if group.kind.echo_ms else "" for group in groups],
        [f"{group.frames[0].shape[0]} x {group.frames[0].shape[1]}" for group in groups],
    )
    for column in facts:
        if len(set(column)) > 1:
            for part, fact in zip(parts, column, strict=True):
                part.append(fact)
    labels = [", ".join(filter(None, part)) for part in parts]
    return [
        label if labels.count(label) == 1 else f"{label + ', ' if label else ''}volume {number}"
        for number, label in enumerate(labels, 1)
    ]


def _stack(frames: Sequence[Frame], label: str) -> Stack:
    levels = find_levels(frames)
    repetitions, notes = split_repetitions(levels)
    geometry, more = stack_geometry(levels, frames[0].shape)
    volumes = tuple(_with_gaps(volume, levels) for volume in repetitions)
    missing = missing_slices(levels, geometry) if axis_of_slices(geometry) == geometry.slice_axis else ()
    return Stack(label, volumes, geometry, (*levels.notes, *notes, *more), missing)


def _with_gaps(volume: Sequence[Frame | None], levels: Levels) -> tuple[Frame | None, ...]:
    """Planes at their place in the regular stack; `None` where none is."""
    placed: list[Frame | None] = [None] * levels.n_slices
    for frame, slot in zip(volume, levels.slots, strict=True):
        placed[slot] = frame
    return tuple(placed)
