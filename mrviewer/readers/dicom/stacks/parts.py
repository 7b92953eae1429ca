"""The parts of a series: planes of one size, direction and meaning, and the words that tell one part from another.

Size, direction and component (magnitude, water, ...) always tell parts apart. Coil, echo, flip angle and inversion time
do so only where places repeat: a volume whose echo time scatters from slice to slice is one volume.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mrviewer.readers.dicom.frames.components import MAGNITUDE
from mrviewer.readers.dicom.frames.frame import Frame, Kind
from mrviewer.readers.dicom.stacks.stack_position import places_of

__all__ = ["Part", "part_labels", "split_into_parts"]

SAME_DIRECTION = 5e-3
"""Largest difference between orientation vectors of planes that are parallel: 0.3 degrees, for motion correction turns
volumes by a little, and nobody plans stacks so near to each other."""
SAME_SPACING = 1e-3
"""Part of a pixel by which headers may round its size."""
OBLIQUE = 0.9
"""Cosine of the angle to a main direction above which a plane is called by it."""
SMALLEST_PART = 0.5
"""Part of all places that echoes, coils and the like cover at least."""
_PLANES = ("sagittal", "coronal", "axial")


@dataclass(frozen=True, eq=False)
class Part:
    """Planes that may be one volume or repetitions of it.

    Parameters
    ----------
    kind
        What they are.
    frames
        The planes; their heights are measured along one normal.
    """

    kind: Kind
    frames: tuple[Frame, ...]


@dataclass(frozen=True)
class _Setting:
    """One number of a kind, and how far apart its values are that mean the same."""

    value: Callable[[Kind], float]
    absolute: float
    relative: float = 0.0


_SETTINGS = (
    _Setting(lambda kind: kind.echo_ms, 0.1, 0.01),
    _Setting(lambda kind: kind.echo_number, 0.5),
    _Setting(lambda kind: kind.flip_degrees, 0.5),
    _Setting(lambda kind: kind.inversion_ms, 5.0, 0.01),
)


def split_into_parts(frames: Sequence[Frame]) -> list[Part]:
    """Planes by size, spacing, frame of reference, stack, direction, component, coil, echo, flip angle, inversion time.

    A plane that names no frame of reference lies in the only one that others name.
    """
    named = sorted({frame.reference for frame in frames if frame.reference})
    groups: dict[tuple[Hashable, ...], list[Frame]] = {}
    spacings, orientations = _Known(SAME_SPACING), _Known(SAME_DIRECTION)
    for frame in frames:
        _, rows_mm, columns_mm = frame.spacing_mm
        spacing = spacings.number(np.log([max(rows_mm, 1e-9), max(columns_mm, 1e-9)]))
        direction = -1 if frame.place is None else orientations.number(np.asarray(frame.place.orientation))
        reference = frame.reference if len(named) > 1 else ""
        key = (frame.shape, spacing, reference, frame.stack, direction, frame.kind.component)
        groups.setdefault(key, []).append(_along(frame, orientations, direction))
    parts = [tuple(group) for group in groups.values()]
    parts = [piece for part in parts for piece in _split(part, [frame.kind.coil for frame in part])]
    for setting in _SETTINGS:
        parts = [piece for part in parts for piece in _split(part, _clusters(part, setting))]
    return [Part(part[0].kind, part) for part in parts]


class _Known:
    """Vectors met so far; one that differs from another by rounding has its number."""

    def __init__(self, tolerance: float) -> None:
        self._tolerance = tolerance
        self.vectors: list[NDArray[np.float64]] = []

    def number(self, vector: NDArray[np.float64]) -> int:
        for number, other in enumerate(self.vectors):
            if np.abs(vector - other).max() <= self._tolerance:
                return number
        self.vectors.append(vector)
        return len(self.vectors) - 1


def _along(frame: Frame, orientations: _Known, direction: int) -> Frame:
    """A plane whose height is measured along the first normal of its direction, not along its own."""
    if frame.place is None:
        return frame
    shared = orientations.vectors[direction]
    if np.array_equal(shared, frame.place.orientation):
        return frame
    normal = np.cross(shared[:3], shared[3:])
    return replace(frame, height_mm=float(np.dot(frame.place.position, normal)))


def _clusters(frames: Sequence[Frame], setting: _Setting) -> list[int]:
    """Number of the value of each plane, where values that follow each other closely are one."""
    values = [setting.value(frame.kind) for frame in frames]
    ordered = sorted(set(values))
    numbers = {ordered[0]: 0}
    for before, value in pairwise(ordered):
        is_new = value - before > max(setting.absolute, setting.relative * value)
        numbers[value] = numbers[before] + is_new
    return [numbers[value] for value in values]


def _split(frames: tuple[Frame, ...], values: Sequence[Hashable]) -> list[tuple[Frame, ...]]:
    """Planes by a value, where planes of different values lie at the same places."""
    if len(set(values)) < 2:
        return [frames]
    places = places_of(frames)
    n_places = len(set(places))
    if n_places == len(frames):
        return [frames]
    covered: dict[Hashable, set[int]] = {}
    for value, place in zip(values, places, strict=True):
        covered.setdefault(value, set()).add(place)
    joined = _joined(covered)
    sizes = [len(set().union(*(covered[value] for value in together))) for together in joined]
    if max(sizes) < n_places or min(sizes) < SMALLEST_PART * n_places:
        return [frames]
    return [
        tuple(frame for frame, value in zip(frames, values, strict=True) if value in together) for together in joined
    ]


def _joined(covered: dict[Hashable, set[int]]) -> list[set[Hashable]]:
    """Values that share no place stand together: they are one thing that changes from slice to slice."""
    joined: list[tuple[set[Hashable], set[int]]] = []
    for value, places in covered.items():
        for values, taken in joined:
            if taken.isdisjoint(places):
                values.add(value)
                taken |= places
                break
        else:
            joined.append(({value}, set(places)))
    return [values for values, _ in joined]


def part_labels(parts: Sequence[Part]) -> list[str]:
    """What tells each part from the others: component, coil, echo, ...; a number where nothing else does."""
    if len(parts) == 1:
        component = parts[0].kind.component
        return ["" if component == MAGNITUDE else component]
    words: list[list[str]] = [[] for _ in parts]
    references = list(dict.fromkeys(part.frames[0].reference for part in parts))
    for column in zip(*(_facts(part, references) for part in parts), strict=True):
        if len(set(column)) > 1:
            for part, fact in zip(words, column, strict=True):
                part.append(fact)
    labels = [", ".join(filter(None, part)) for part in words]
    return [
        label if labels.count(label) == 1 else f"{label + ', ' if label else ''}volume {number}"
        for number, label in enumerate(labels, 1)
    ]


def _facts(part: Part, references: Sequence[str]) -> Iterable[str]:
    kind, frame = part.kind, part.frames[0]
    weightings = sorted({f"{plane.moment.b_value:g}" for plane in part.frames})
    return (
        kind.component,
        f"coil {kind.coil}" if kind.coil else "",
        f"echo {round(kind.echo_ms, 2):g} ms" if kind.echo_ms else f"echo {kind.echo_number:g}",
        f"flip angle {kind.flip_degrees:g} degrees",
        f"inversion time {kind.inversion_ms:g} ms",
        f"b {', '.join(weightings)} s/mm2",
        _plane(frame),
        f"stack {frame.stack}" if frame.stack else "",
        f"frame of reference {references.index(frame.reference) + 1}" if frame.reference else "",
        f"{frame.shape[0]} x {frame.shape[1]}",
    )


def _plane(frame: Frame) -> str:
    """Direction of a plane in words."""
    if frame.place is None:
        return ""
    across = np.abs(frame.place.normal)
    return _PLANES[int(np.argmax(across))] if across.max() >= OBLIQUE else "oblique"
