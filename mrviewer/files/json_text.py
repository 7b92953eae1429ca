"""JSON as text: read without trust, and written so that any name of a file can stand in it."""

import json
import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mrviewer.errors import FileFormatError

__all__ = ["json_text", "parse_json", "read_json_object"]

_MOST_BYTES = 256 << 20
_REASON = 120
_MOST_DIGITS = 20
_DEEPEST = 64
"""Levels that a file of ours may have; whoever walks through it may call itself as often."""
_COMMANDS = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def json_text(value: object, *, encoding: str = "utf-8", indent: int | None = None) -> str:
    """Write a value as JSON, with its letters as they are where the encoding has them, else as escapes.

    Parameters
    ----------
    value
        What JSON knows.
    encoding
        Of the file. Unix has names of files that no encoding knows; they come back from the escapes as they were.
    indent
        Spaces of each level; `None` for one line.

    Raises
    ------
    ValueError
        If a number is NaN or infinite, since JSON has none.
    """
    text = json.dumps(value, indent=indent, allow_nan=False, ensure_ascii=False)
    # Signs that command a terminal can stand in strings alone, where JSON has escapes for them.
    text = _COMMANDS.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent, allow_nan=False)
    return text


def parse_json(text: str | bytes) -> Any:  # noqa: ANN401 - JSON has no better type
    """Parse JSON of unknown origin.

    Raises
    ------
    ValueError
        If it is no JSON, nested too deeply, or has numbers that JSON does not know, such as NaN.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite, parse_int=_bounded)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    level = [value]
    for _ in range(_DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return value
    raise ValueError("it is nested too deeply")


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def read_json_object(path: Path, advice: str) -> dict[str, Any]:
    """Read a JSON file of unknown origin that holds one object.

    Parameters
    ----------
    path
        UTF-8, with a byte-order mark or without.
    advice
        What to do if it cannot be read; the end of the sentence.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        If it cannot be read, or holds no JSON object.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise FileFormatError(f"{path.name} is larger than {_MOST_BYTES >> 20} MiB; {advice}")
        value = parse_json(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        if isinstance(error, FileFormatError):
            raise
        raise FileFormatError(f"{path.name} cannot be read ({_reason(error)}); {advice}") from error
    if not isinstance(value, dict):
        raise FileFormatError(f"{path.name} holds no JSON object; {advice}")
    return value


def _reason(error: Exception) -> str:
    """What is wrong, short and without a folder."""
    said = error.strerror if isinstance(error, OSError) else str(error)
    return " ".join((said or type(error).__name__).split())[:_REASON].rstrip(".")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number in it is too large")
    return number


def _bounded(text: str) -> int:
    # No number of ours is longer, and one of hundreds of digits is too large wherever it is computed with.
    if len(text) > _MOST_DIGITS:
        raise ValueError("a number in it is too large")
    return int(text)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")
