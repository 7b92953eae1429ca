"""Repetitions of a volume in one series: time points, diffusion weightings, or slices that were sent twice."""

from collections import Counter
from collections.abc import Callable, Sequence

from mrviewer.notes import left_out
from mrviewer.readers.dicom.frame import Frame
from mrviewer.readers.dicom.stack_position import Levels

__all__ = ["split_repetitions"]

_KEYS: tuple[Callable[[Frame], float], ...] = (
    lambda frame: frame.moment.temporal_position,
    lambda frame: frame.moment.b_value,
    lambda frame: frame.moment.trigger_ms,
    lambda frame: frame.moment.acquisition,
    lambda frame: frame.moment.acquired_at,
    lambda frame: frame.moment.created_at,
)
"""What may number the repetitions, the surest first."""


def split_repetitions(levels: Levels) -> tuple[list[tuple[Frame | None, ...]], list[str]]:
    """Planes ``(repetition, level)`` in the order of time, and what is left out.

    A key of the header numbers the repetitions if it names each place no more than once in each, and at least two
    repetitions are complete. Where no key does, the first plane of each place belongs to the first repetition, and so
    on, in the order in which they were made.
    """
    counts = Counter(len(level) for level in levels.frames)
    usual, most = counts.most_common(1)[0][0], max(counts)
    if most == 1:
        return [tuple(level[0] for level in levels.frames)], []
    if usual > 1:
        for key in _KEYS:
            if (split := _by_key(levels.frames, key)) is not None:
                return split
    return _by_rank(levels.frames, usual)


def _by_key(
    levels: Sequence[Sequence[Frame]], key: Callable[[Frame], float]
) -> tuple[list[tuple[Frame | None, ...]], list[str]] | None:
    """Repetitions as a key numbers them; `None` if it does not."""
    values = sorted({key(frame) for level in levels for frame in level})
    if len(values) < 2:
        return None
    volumes: dict[float, list[Frame | None]] = {value: [None] * len(levels) for value in values}
    for number, level in enumerate(levels):
        for frame in level:
            if volumes[key(frame)][number] is not None:
                return None
            volumes[key(frame)][number] = frame
    complete = [tuple(volume) for volume in volumes.values() if None not in volume]
    if len(complete) < max(2, len(values) // 2):
        return None
    left = len(values) - len(complete)
    return complete, [left_out(f"{left} incomplete of {len(values)} repetitions", left)] if left else []


def _by_rank(levels: Sequence[Sequence[Frame]], usual: int) -> tuple[list[tuple[Frame | None, ...]], list[str]]:
    """Repetitions by the order in which the planes of each place were made."""
    n_kept = min(usual, min(len(level) for level in levels))
    ordered = [sorted(level, key=lambda frame: (frame.moment, frame.file)) for level in levels]
    extra = [frame for level in ordered for frame in level[n_kept:]]
    volumes: list[tuple[Frame | None, ...]] = [tuple(level[rank] for level in ordered) for rank in range(n_kept)]
    if not extra:
        return volumes, []
    names = ", ".join(sorted({frame.file.name for frame in extra})[:3])
    more = f" and {len(extra) - 3} more" if len(extra) > 3 else ""
    why = "another slice lies at the same place" if n_kept == 1 else "they belong to no complete repetition"
    return volumes, [left_out(f"{names}{more}, {why}", len({frame.file.name for frame in extra}))]
