"""From planes of one kind to volumes: which planes of a place belong to which repetition, and which lie alike."""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mrviewer.errors import FileFormatError
from mrviewer.notes import Note, NoteKind, left_out
from mrviewer.readers.dicom.frames.frame import Frame
from mrviewer.readers.dicom.frames.soundness import soundest
from mrviewer.readers.dicom.stacks.stack_position import MOST_MISSING, is_regular, places_of

__all__ = ["VolumeSet", "volume_sets"]

SHIFTED = 0.25
"""Part of a voxel by which volumes may be shifted against each other and still count as repetitions."""
SHIFT_NOTED_MM = 0.01
GAP = 2.0
"""Steps between two slices from which on they may belong to two stacks."""
SMALLEST_SLAB = 2
"""Slices of such a stack."""
SMALLEST_PART = 0.5
"""Part of all places that a repetition covers at least."""

_KEYS: tuple[Callable[[Frame], Hashable], ...] = (
    lambda frame: frame.moment.temporal_position,
    lambda frame: frame.moment.trigger_ms,
    lambda frame: frame.moment.acquisition,
    lambda frame: frame.moment.acquired_s,
    lambda frame: frame.moment.dimensions,
    lambda frame: frame.moment.direction,
    lambda frame: frame.moment.created_s,
)
"""What may number the repetitions, the surest first."""

Volume = Mapping[int, Frame]
"""Plane by the number of its place."""


@dataclass(frozen=True, eq=False)
class VolumeSet:
    """Volumes that lie alike.

    Parameters
    ----------
    volumes
        Planes of each, along the normal.
    notes
        What the user should know.
    """

    volumes: tuple[tuple[Frame, ...], ...]
    notes: tuple[Note, ...] = ()


def volume_sets(frames: Sequence[Frame]) -> tuple[list[VolumeSet], list[Note]]:
    """Sets of volumes that lie alike, the largest first, and what is left out.

    A key of the header numbers the repetitions if it names each place no more than once in each, and at least two
    repetitions are complete. Where no key does, the first plane of each place belongs to the first repetition, and so
    on, in the order in which they were made. Diffusion weightings are told apart first.

    Raises
    ------
    FileFormatError
        If planes lie at one place, and nothing tells which belong together.
    """
    placed = list(zip(places_of(frames), frames, strict=True))
    volumes: list[Volume] = _far_apart(frames)
    notes: list[Note] = []
    for part in [] if volumes else _by_b_value(placed):
        found, more = _volumes(part)
        volumes += found
        notes += more
    sets, more = _alike(volumes)
    return [slab for each in sets for slab in _slabs(each)], [*notes, *more]


def _far_apart(frames: Sequence[Frame]) -> list[Volume]:
    """Repetitions that lie at places of their own, as of a head that moved; none unless they are told apart by number.

    All places together would be a volume of unequal steps then, while each repetition is one of equal steps.
    """
    if any(frame.place is None for frame in frames) or is_regular(frames):
        return []
    for key in _KEYS[:3]:
        groups: dict[Hashable, list[Frame]] = {}
        for frame in frames:
            groups.setdefault(key(frame), []).append(frame)
        sizes = {len(group) for group in groups.values()}
        if len(groups) > 1 and len(sizes) == 1 and min(sizes) > 1:
            numbers = [places_of(group) for group in groups.values()]
            if all(len(set(own)) == len(own) for own in numbers) and all(map(is_regular, groups.values())):
                return [dict(zip(own, group, strict=True)) for own, group in zip(numbers, groups.values(), strict=True)]
    return []


def _by_b_value(placed: Sequence[tuple[int, Frame]]) -> list[list[tuple[int, Frame]]]:
    """Planes of each diffusion weighting; together with the others where one has a single plane."""
    values: dict[float, list[tuple[int, Frame]]] = {}
    for place, frame in placed:
        values.setdefault(frame.moment.b_value, []).append((place, frame))
    if min(map(len, values.values())) < 2 and _is_volume(placed):
        return [list(placed)]
    return [values[value] for value in sorted(values)]


def _is_volume(placed: Sequence[tuple[int, Frame]]) -> bool:
    return len({place for place, _ in placed}) == len(placed)


def _volumes(placed: Sequence[tuple[int, Frame]]) -> tuple[list[Volume], list[Note]]:
    if _is_volume(placed):
        return [dict(placed)], []
    for key in _KEYS:
        if (volumes := _by_key(placed, key)) is not None:
            return volumes, []
    return _by_rank(placed)


def _by_key(placed: Sequence[tuple[int, Frame]], key: Callable[[Frame], Hashable]) -> list[Volume] | None:
    """Repetitions as a key numbers them; `None` if it does not."""
    volumes: dict[Hashable, dict[int, Frame]] = {}
    for place, frame in placed:
        volume = volumes.setdefault(key(frame), {})
        if place in volume:
            return None
        volume[place] = frame
    n_places = len({place for place, _ in placed})
    complete = [volume for volume in volumes.values() if len(volume) >= SMALLEST_PART * n_places]
    if len(complete) < max(2, len(volumes) // 2):
        return None
    # Every second slice of a volume that was taken in two packages is not a volume.
    first = complete[0].keys()
    if any(first.isdisjoint(volume) for volume in complete) and is_regular([frame for _, frame in placed]):
        return None
    return list(volumes.values())


def _by_rank(placed: Sequence[tuple[int, Frame]]) -> tuple[list[Volume], list[Note]]:
    """Repetitions by the order in which the planes of each place were made."""
    levels: dict[int, list[Frame]] = {}
    for place, frame in sorted(placed, key=lambda item: _made(item[1])):
        levels.setdefault(place, []).append(frame)
    counts = Counter(map(len, levels.values()))
    usual, fewest = counts.most_common(1)[0][0], min(counts)
    n_kept = min(usual, fewest)
    if n_kept == 1:
        # Only one of several is kept, so their pixels are looked at first; among equals the first one made stays.
        for level in levels.values():
            if len(level) > 1:
                level.insert(0, level.pop(soundest([[frame] for frame in level])))
    volumes: list[Volume] = [{place: level[rank] for place, level in levels.items()} for rank in range(n_kept)]
    extra = [frame for level in levels.values() for frame in level[n_kept:]]
    if not extra:
        return volumes, []
    if usual > 1:
        _require_last(placed, extra, usual, fewest)
    names = sorted({frame.file.name for frame in extra})
    told = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    why = "another slice lies at the same place" if n_kept == 1 else "they belong to no complete repetition"
    return volumes, [left_out(f"{told}, {why}", len(names))]


def _require_last(placed: Sequence[tuple[int, Frame]], extra: Sequence[Frame], usual: int, fewest: int) -> None:
    """Refuse unless what is left over is the last, unfinished repetition."""
    ordered = sorted((frame for _, frame in placed), key=_made)
    left_over = {id(frame) for frame in extra}
    if usual - fewest <= 1 and all(id(frame) in left_over for frame in ordered[-len(extra) :]):
        return
    raise FileFormatError(
        f"the series of {ordered[0].file.name} has {fewest} to {usual} slices at each place and does not say which "
        "belong together; export the volumes as series of their own"
    )


def _made(frame: Frame) -> tuple[object, ...]:
    """When a plane was made."""
    moment = frame.moment
    times = (moment.temporal_position, moment.acquired_s, moment.trigger_ms, moment.acquisition, moment.created_s)
    settings = (frame.kind.echo_ms, frame.kind.echo_number, frame.kind.inversion_ms)
    return (*settings, *times, moment.dimensions, moment.instance, moment.frame, frame.file)


def _alike(volumes: Sequence[Volume]) -> tuple[list[VolumeSet], list[Note]]:
    """Volumes at the same places together; those that lie within others are incomplete."""
    ordered = sorted(volumes, key=len, reverse=True)
    sets: list[list[Volume]] = []
    n_incomplete = 0
    for volume in ordered:
        home = next((other for other in sets if _lies_alike(volume, other[0])), None)
        if home is not None:
            home.append(volume)
        elif len(volume) == 1 < len(ordered[0]) or any(volume.keys() < other[0].keys() for other in sets):
            n_incomplete += 1
        else:
            sets.append([volume])
    said = f"{n_incomplete} incomplete of {len(volumes)} repetitions"
    notes = [left_out(said, n_incomplete)] if n_incomplete else []
    sets.sort(key=lambda volumes: -sum(map(len, volumes)))
    return [VolumeSet(tuple(map(_along_normal, volumes)), _shift_notes(volumes)) for volumes in sets], notes


def _slabs(volumes: VolumeSet) -> list[VolumeSet]:
    """Stacks that stand one behind the other with a gap in between, each a set of its own."""
    first = volumes.volumes[0]
    heights = [frame.height_mm for frame in first if frame.height_mm is not None]
    if len(heights) < len(first) or len(first) < 2 * SMALLEST_SLAB:
        return [volumes]
    steps = np.diff(heights)
    step = float(np.median(steps))
    cuts = [0, *(np.flatnonzero(steps >= GAP * step) + 1).tolist(), len(first)]
    runs = list(pairwise(cuts))
    missing = (heights[-1] - heights[0]) / step + 1 - len(first)
    if missing <= MOST_MISSING * (missing + len(first)) or min(end - start for start, end in runs) < SMALLEST_SLAB:
        return [volumes]
    if not all(is_regular(first[start:end]) for start, end in runs):
        return [volumes]
    return [VolumeSet(tuple(one[start:end] for one in volumes.volumes), volumes.notes) for start, end in runs]


def _along_normal(volume: Volume) -> tuple[Frame, ...]:
    return tuple(volume[place] for place in sorted(volume))


def _lies_alike(volume: Volume, other: Volume) -> bool:
    """Whether two volumes fill the same places, and their rows and columns begin alike."""
    if volume.keys() != other.keys():
        return False
    place = min(volume)
    if volume[place].place is None:
        return True
    _, row_mm, column_mm = other[place].spacing_mm
    along_row, along_column, across, _ = _shift_mm(volume, other)
    if across > max(SHIFTED * _step_mm(other), SHIFT_NOTED_MM):
        return False
    return along_row <= SHIFTED * (column_mm or 1) and along_column <= SHIFTED * (row_mm or 1)


def _step_mm(volume: Volume) -> float:
    """Distance of the first two planes of a volume; 0 for a single one."""
    heights = sorted(frame.height_mm or 0.0 for frame in volume.values())
    return heights[1] - heights[0] if len(heights) > 1 else 0.0


def _shift_mm(volume: Volume, other: Volume) -> tuple[float, float, float, float]:
    """Distances along a row, a column, the normal and in all from the first plane of a volume to that of another."""
    place = min(volume)
    one, two = volume[place].place, other[place].place
    if one is None or two is None:
        return 0.0, 0.0, 0.0, 0.0
    step = np.subtract(one.position, two.position)
    row, column = np.array(two.orientation[:3]), np.array(two.orientation[3:])
    length = float(np.linalg.norm(step))
    return abs(float(step @ row)), abs(float(step @ column)), abs(float(step @ two.normal)), length


def _shift_notes(volumes: Sequence[Volume]) -> tuple[Note, ...]:
    largest = max(_shift_mm(volume, volumes[0])[3] for volume in volumes)
    if largest <= SHIFT_NOTED_MM:
        return ()
    said = f"the volumes are shifted against each other by up to {largest:.2f} mm; all lie where the first one does"
    return (Note(said, NoteKind.POSITION),)
