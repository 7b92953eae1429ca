"""The order of the volumes of a series, and what tells each apart: diffusion weighting, time, or their number."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from mrviewer.notes import Note, NoteKind
from mrviewer.readers.dicom.frames.frame import Frame
from mrviewer.readers.dicom.frames.times import DAY_S
from mrviewer.study import FrameAxis

__all__ = ["OrderedVolumes", "in_order", "past_midnight"]

SAME_TIME_S = 1e-3
"""Times nearer than this are one."""

Volume = tuple[Frame, ...]


@dataclass(frozen=True, eq=False)
class OrderedVolumes:
    """Volumes in the order in which they are shown.

    Parameters
    ----------
    volumes
        Planes of each.
    axis, names
        Along what they differ, and what tells each apart; `None` and empty for a single one.
    notes
        What the user should know of their order.
    """

    volumes: tuple[Volume, ...]
    axis: FrameAxis | None = None
    names: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()


def past_midnight(frames: Sequence[Frame]) -> list[Frame]:
    """Planes whose clock runs on past midnight where their date does not.

    Times without a date, or with that of the day on which the scan began, fall back by a day at midnight.
    """
    acquired = _running_on([frame.moment.acquired_s for frame in frames])
    created = _running_on([frame.moment.created_s for frame in frames])
    return [
        frame
        if (one, other) == (frame.moment.acquired_s, frame.moment.created_s)
        else replace(frame, moment=replace(frame.moment, acquired_s=one, created_s=other))
        for frame, one, other in zip(frames, acquired, created, strict=True)
    ]


def _running_on(times: list[float]) -> list[float]:
    """Times of one scan, with a day more for those that would lie most of a day before the others."""
    latest, earliest = max(times, default=0.0), min((time for time in times if time), default=0.0)
    if not DAY_S / 2 < latest - earliest < DAY_S:
        return times
    return [time + DAY_S if 0 < time < latest - DAY_S / 2 else time for time in times]


def in_order(volumes: Sequence[Volume]) -> OrderedVolumes:
    """Volumes by diffusion weighting, then by date and time.

    Where acquisition times and the scanner's count of time points contradict each other, the instance numbers decide.
    """
    if len(volumes) == 1:
        return OrderedVolumes((volumes[0],))
    keys = _on_one_clock([_FrameKeys.of(volume) for volume in volumes])
    counted, clocked = _ranks([key.temporal for key in keys]), _ranks([key.acquired for key in keys])
    numbered = _ranks([key.instance for key in keys])
    contradict = counted is not None and clocked is not None and counted != clocked
    chosen = (numbered if contradict else None) or clocked or counted
    ranks = chosen or [0] * len(keys)
    order = sorted(range(len(keys)), key=lambda n: (keys[n].b_value, ranks[n], *keys[n].rest))
    by = "instance number" if numbered else "acquisition time"
    said = f"acquisition times and temporal positions contradict each other; the frames are ordered by {by}"
    notes = (Note(said, NoteKind.ORDER),) if contradict else ()
    return OrderedVolumes(tuple(volumes[n] for n in order), *_told_apart([keys[n] for n in order]), notes)


@dataclass(frozen=True)
class _FrameKeys:
    """What may order volumes; `None` where the file does not say."""

    b_value: float
    direction: tuple[float, ...]
    temporal: float | None
    acquired: float | None
    created: float
    trigger: float
    acquisition: float
    instance: float | None
    dimensions: tuple[float, ...]

    @classmethod
    def of(cls, volume: Volume) -> "_FrameKeys":
        moments = [frame.moment for frame in volume]
        acquired = min(moment.acquired_s for moment in moments)
        created = min(moment.created_s for moment in moments)
        return cls(
            moments[0].b_value,
            moments[0].direction,
            min(moment.temporal_position for moment in moments) or None,
            acquired or None,
            created,
            min(moment.trigger_ms for moment in moments),
            min(moment.acquisition for moment in moments),
            sum(moment.instance for moment in moments) / len(moments) or None,
            moments[0].dimensions,
        )

    @property
    def rest(self) -> tuple[float, ...]:
        """What orders volumes that no time tells apart."""
        return self.trigger, self.acquisition, self.created, *self.dimensions, self.instance or 0


def _on_one_clock(keys: list[_FrameKeys]) -> list[_FrameKeys]:
    """Keys whose times are all of the acquisition; else those at which the images were made stand for it.

    The two differ by minutes or hours, so they are never compared with each other.
    """
    if all(key.acquired for key in keys) or not all(key.created for key in keys):
        return keys
    return [replace(key, acquired=key.created) for key in keys]


def _ranks(values: Sequence[float | None]) -> list[int] | None:
    """Place of each value in their order; `None` unless all are stated and different."""
    known = [value for value in values if value is not None]
    ordered = sorted(known)
    if len(known) < len(values) or any(b - a < SAME_TIME_S for a, b in pairwise(ordered)):
        return None
    return [ordered.index(value) for value in known]


def _told_apart(keys: Sequence[_FrameKeys]) -> tuple[FrameAxis, tuple[str, ...]]:
    """Along what volumes differ that are in order, and what tells each apart."""
    if len({key.b_value for key in keys}) > 1 or len({key.direction for key in keys}) > 1:
        return FrameAxis.DIFFUSION, _numbered(map(_diffusion_words, keys))
    acquired = [key.acquired for key in keys]
    has_temporal = _ranks([key.temporal for key in keys]) is not None
    if _ranks(acquired):
        times = ((value or 0) - (acquired[0] or 0) for value in acquired)
        return FrameAxis.TIME, tuple(f"volume {n}, at {round(time, 3):g} s" for n, time in enumerate(times, 1))
    if _ranks([key.trigger for key in keys]):
        axis = FrameAxis.TIME if has_temporal else FrameAxis.CARDIAC
        return axis, tuple(f"trigger {key.trigger:g} ms" for key in keys)
    if has_temporal:
        return FrameAxis.TIME, tuple(f"temporal position {key.temporal:g}" for key in keys)
    return FrameAxis.UNKNOWN, ()


def _diffusion_words(key: _FrameKeys) -> str:
    weighting = f"b {key.b_value:g} s/mm2"
    if not any(key.direction):
        return weighting
    return f"{weighting}, direction ({', '.join(f'{value:.3f}' for value in key.direction)})"


def _numbered(names: Iterable[str]) -> tuple[str, ...]:
    """Names, with numbers where two of them are equal."""
    listed = list(names)
    if len(set(listed)) == len(listed):
        return tuple(listed)
    return tuple(f"volume {number}, {name}" for number, name in enumerate(listed, 1))
