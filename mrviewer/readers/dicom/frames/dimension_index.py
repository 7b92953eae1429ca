"""The index of an enhanced multi-frame file: which number each frame has along slices, time and contrast.

A file says which elements it counts in `DimensionIndexSequence`, and each frame has one number for each of them (PS3.3,
C.7.6.17). The index tells frames apart where nothing else does; where it contradicts what the frames state of their
position, time or contrast, what they state decides, and a note says so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pydicom

from mrviewer.errors import FileFormatError
from mrviewer.notes import Note, NoteKind
from mrviewer.readers.dicom.frames.frame import Frame

__all__ = ["FrameIndex", "contradictions", "indices_of"]

_STACK = (0x00209056,)
_SLICE = (0x00209057, 0x00200032, 0x00209113, 0x00201041)
"""In-stack position, position, its sequence, location."""
_TIME = (0x00209128, 0x0020930D)
"""Temporal position and its offset; times of acquisition may count every slice and are among the others."""
_ECHO, _B_VALUE, _TRIGGER, _FLIP, _INVERSION = 0x00189082, 0x00189087, 0x00209153, 0x00181314, 0x00189079
SAME_HEIGHT_MM = 0.01


@dataclass(frozen=True)
class FrameIndex:
    """Numbers of one frame, from 1; 0 where the file does not count.

    Parameters
    ----------
    stack, slice, time
        Number of the stack, of the slice within it, and of the time point.
    others
        Tag of each other element that is counted, and its number.
    """

    stack: int = 0
    slice: int = 0
    time: int = 0
    others: tuple[tuple[int, int], ...] = ()

    @property
    def repetition(self) -> tuple[float, ...]:
        """Numbers that tell frames of one place apart."""
        return (self.time, *(number for _, number in self.others))


def indices_of(dataset: pydicom.Dataset, contents: Sequence[pydicom.Dataset]) -> list[FrameIndex]:
    """Index of each frame; empty ones where the file has none that fits.

    Parameters
    ----------
    dataset
        The file.
    contents
        Frame content of each frame.
    """
    pointers = [int(item.get("DimensionIndexPointer") or 0) for item in dataset.get("DimensionIndexSequence") or ()]
    rows = [np.atleast_1d(content.get("DimensionIndexValues") or []).tolist() for content in contents]
    if not pointers or any(len(row) != len(pointers) for row in rows):
        return [FrameIndex()] * len(contents)
    return [_index(list(zip(pointers, map(int, row), strict=True))) for row in rows]


def _index(counted: Sequence[tuple[int, int]]) -> FrameIndex:
    def first(tags: Sequence[int]) -> int:
        return next((number for tag, number in counted if tag in tags), 0)

    known = (*_STACK, *_SLICE, *_TIME)
    return FrameIndex(
        first(_STACK), first(_SLICE), first(_TIME), tuple(pair for pair in counted if pair[0] not in known)
    )


def contradictions(frames: Sequence[Frame], indices: Sequence[FrameIndex], stated_times: Sequence[float]) -> list[Note]:
    """Notes on frames that state another order than the index of their file.

    Parameters
    ----------
    frames, indices
        The frames.
    stated_times
        Temporal position that each states; 0 where it does not.

    Raises
    ------
    FileFormatError
        If the index counts several slices, and all state one place.
    """
    named = []
    if not _slices_agree(frames, indices):
        named.append("position")
    if not _is_order(
        (index.time, time) for index, time in zip(indices, stated_times, strict=True) if index.time and time
    ):
        named.append("temporal position")
    named += [name for tag, name in _CONTRASTS.items() if not _is_function(frames, indices, tag)]
    told = "the file's index of its frames (DimensionIndexValues) contradicts the"
    return [Note(f"{told} {name} that they state; what they state is used", NoteKind.ORDER) for name in named]


_CONTRASTS = {
    _ECHO: "echo time",
    _B_VALUE: "diffusion weighting",
    _TRIGGER: "trigger time",
    _FLIP: "flip angle",
    _INVERSION: "inversion time",
}


def _stated(frame: Frame, tag: int) -> float:
    return {
        _ECHO: frame.kind.echo_ms,
        _B_VALUE: frame.moment.b_value,
        _TRIGGER: frame.moment.trigger_ms,
        _FLIP: frame.kind.flip_degrees,
        _INVERSION: frame.kind.inversion_ms,
    }[tag]


def _slices_agree(frames: Sequence[Frame], indices: Sequence[FrameIndex]) -> bool:
    """Whether the slices of each stack are counted from one end to the other."""
    stacks: dict[tuple[object, ...], dict[int, list[float]]] = {}
    for frame, index in zip(frames, indices, strict=True):
        if index.slice and frame.place is not None:
            stack = (index.stack, frame.stack, tuple(np.round(frame.place.orientation, 2).tolist()))
            height = float(np.dot(frame.place.position, np.cross(stack[2][:3], stack[2][3:])))
            stacks.setdefault(stack, {}).setdefault(index.slice, []).append(height)
    return all(_is_counted_through(slices, frames[0].file.name) for slices in stacks.values())


def _is_counted_through(slices: dict[int, list[float]], name: str) -> bool:
    if len(slices) < 2:
        return True
    heights = [float(np.mean(slices[number])) for number in sorted(slices)]
    if np.ptp([height for some in slices.values() for height in some]) < SAME_HEIGHT_MM:
        raise FileFormatError(
            f"{name} counts {len(slices)} slices and states one position for all of them, so their places are unknown; "
            "export it again"
        )
    steps = np.diff(heights)
    widest = max(max(some) - min(some) for some in slices.values())
    return bool(np.all(steps > 0) or np.all(steps < 0)) and widest < np.abs(steps).min()


def _is_order(pairs: Iterable[tuple[float, float]]) -> bool:
    """Whether one number grows with another."""
    return all(a < c and b < d for (a, b), (c, d) in pairwise(sorted(set(pairs))))


def _is_function(frames: Sequence[Frame], indices: Sequence[FrameIndex], tag: int) -> bool:
    """Whether frames of one number state one value."""
    values: dict[int, set[float]] = {}
    for frame, index in zip(frames, indices, strict=True):
        for counted, number in index.others:
            if counted == tag:
                values.setdefault(number, set()).add(_stated(frame, tag))
    return all(len(stated) == 1 for stated in values.values())
