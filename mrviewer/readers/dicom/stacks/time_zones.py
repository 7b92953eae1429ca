"""Clocks of planes in one time zone, so that times that were written in several can be compared.

A date and time may end in the offset of its zone, and `TimezoneOffsetFromUTC` holds for the other times of a file
(PS3.3, C.12.1.1). The offset changes within a scan where summer time ends, or where one system wrote UTC and another
local time.
"""

from collections.abc import Sequence
from dataclasses import replace

from mrviewer.notes import Note, NoteKind
from mrviewer.readers.dicom.frames.frame import Frame

__all__ = ["in_one_zone"]

Clock = tuple[float, float | None]
"""Seconds, 0 where they are not stated; and those by which the zone is ahead of UTC."""


def in_one_zone(frames: Sequence[Frame]) -> tuple[list[Frame], list[Note]]:
    """Planes whose times are all of one zone, and a note where that cannot be known: they count as unknown then.

    Times without a zone beside others that all name one zone are taken to be of it.
    """
    moments = [frame.moment for frame in frames]
    acquired = _compared([(moment.acquired_s, moment.acquired_zone_s) for moment in moments])
    created = _compared([(moment.created_s, moment.created_zone_s) for moment in moments])
    said = "some times name a time zone and others do not, so they were not used to order the images"
    notes = [Note(said, NoteKind.ORDER)] if acquired is None or created is None else []
    nothing = [0.0] * len(frames)
    return [
        replace(frame, moment=replace(frame.moment, acquired_s=one, created_s=other))
        for frame, one, other in zip(frames, acquired or nothing, created or nothing, strict=True)
    ], notes


def _compared(clocks: Sequence[Clock]) -> list[float] | None:
    """Seconds that can be compared; `None` if the zones of some are unknown and others name several."""
    zones = {zone for seconds, zone in clocks if seconds}
    if len(zones - {None}) < 2:
        return [seconds for seconds, _ in clocks]
    if None in zones:
        return None
    return [seconds - (zone or 0) if seconds else 0.0 for seconds, zone in clocks]
