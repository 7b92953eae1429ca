"""Names of files in tables and descriptions, which may be anything."""

import os

__all__ = ["is_file_name"]

_LONGEST_PART, _LONGEST = 255, 4095
"""Bytes, on every system in use."""


def is_file_name(text: str) -> bool:
    """Whether a system can have a file of this name, relative or with its folder; others need not be looked for."""
    try:
        parts = [os.fsencode(part) for part in text.replace("\\", "/").split("/")]
    except UnicodeEncodeError:
        return False
    return "\0" not in text and max(map(len, parts)) <= _LONGEST_PART and sum(map(len, parts)) < _LONGEST
