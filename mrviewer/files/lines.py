"""Files that grow line by line."""

import os
from pathlib import Path
from typing import TextIO

__all__ = ["open_lines"]


def open_lines(path: Path) -> TextIO:
    """Open a file of lines to append to; a line that a killed process left half written is ended first."""
    file = path.open("a", encoding="utf-8", newline="\n", buffering=1)
    try:
        with path.open("rb") as stored:
            stored.seek(-1, os.SEEK_END)
            is_cut = stored.read(1) != b"\n"
    except OSError:
        # It is empty.
        is_cut = False
    if is_cut:
        file.write("\n")
    return file
