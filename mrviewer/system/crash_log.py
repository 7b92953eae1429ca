"""Where a crash of a library leaves its trace: a segmentation fault ends the process before Python can say anything."""

import faulthandler
from pathlib import Path
from typing import TextIO

import platformdirs

__all__ = ["crash_log", "keep_crash_log"]

_streams: list[TextIO] = []
"""Kept open: the handler writes to it when nothing can be opened any more."""


def crash_log() -> Path:
    """File in the user's state folder to which crashes are appended: the lines of code of every thread, no data."""
    return Path(platformdirs.user_state_dir("mrviewer")) / "crash.log"


def keep_crash_log() -> None:
    """Write crashes of this process to `crash_log` from now on, unless somebody else has asked for them."""
    if faulthandler.is_enabled():
        return
    try:
        crash_log().parent.mkdir(parents=True, exist_ok=True)
        stream = crash_log().open("a", encoding="utf-8")
    except OSError:
        return  # Nobody must be kept from working by a full disk.
    _streams.append(stream)
    faulthandler.enable(stream)
