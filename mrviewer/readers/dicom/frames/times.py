"""Dates and times of DICOM as seconds that can be compared and subtracted."""

import re
from datetime import date

__all__ = ["DAY_S", "seconds_of", "seconds_of_moment", "zone_seconds"]

DAY_S = 86_400.0
_TIME = re.compile(r"(\d{2})(\d{2})?(\d{2})?(\.\d+)?")
_ZONE = re.compile(r"([+-])(\d{2})(\d{2})$")
_DATE = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})")


def seconds_of(day: str, time: str) -> float:
    """Seconds of a date (DA) and a time (TM, ``hhmmss.ffffff``), counted from one day long ago; 0 without a time.

    A time without a date counts as one of the day after that one, so that midnight is not taken for no time at all.
    Old files write colons into times and points into dates (PS3.5, section 6.2).
    """
    match = _TIME.match(time.replace(":", ""))
    if match is None:
        return 0.0
    hours, minutes, seconds, fraction = match.groups()
    clock = int(hours) * 3600 + int(minutes or 0) * 60 + int(seconds or 0) + float(fraction or 0)
    return (_days(day) or 1) * DAY_S + clock


def seconds_of_moment(moment: str) -> float:
    """Seconds of a date and time in one (DT, ``yyyymmddhhmmss.ffffff&zzxx``); 0 if it has no time."""
    clock = _ZONE.sub("", moment.strip())
    return seconds_of(clock[:8], clock[8:]) if len(clock) > 8 else 0.0


def zone_seconds(moment: str) -> float | None:
    """Seconds by which the clock of a date and time is ahead of UTC, by its last letters ``+hhmm``; `None` without."""
    match = _ZONE.search(moment.strip())
    if match is None:
        return None
    sign, hours, minutes = match.groups()
    seconds = int(hours) * 3600 + int(minutes) * 60
    return float(-seconds if sign == "-" else seconds)


def _days(day: str) -> int:
    match = _DATE.match(day)
    if match is None:
        return 0
    try:
        return date(*map(int, match.groups())).toordinal()
    except ValueError:
        return 0
