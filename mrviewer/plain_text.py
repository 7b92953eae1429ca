"""Text of files, names of files and messages of others, as it may be shown: without signs that command a terminal.

Whatever comes from outside goes through `plain` before it is shown anywhere, and through `csv_cell` before it stands in
a table that a spreadsheet may open.
"""

import csv
import re
import unicodedata
from collections.abc import Iterable
from typing import TextIO

__all__ = ["CellWriter", "csv_cell", "one_sentence", "plain", "plain_name", "shortened"]

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"
"""What scripts and emoji are joined by; of the unseen signs these alone change nothing but the next letter."""
_INSTEAD = "\ufffd"
_LONGEST_WORD, _LONGEST_SENTENCE = 200, 600
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def plain(text: str, *, lines: bool = False) -> str:
    """Replace signs that are not seen: control characters, escape sequences, and those that turn the order of letters.

    Parameters
    ----------
    text
        Of any origin.
    lines
        Whether line feeds and tabs may stay.
    """
    if text.isascii() and text.isprintable():
        return text
    kept = f"{_JOINERS}\n\t" if lines else _JOINERS
    return "".join(sign if sign in kept or unicodedata.category(sign) not in _UNSEEN else _INSTEAD for sign in text)


def shortened(text: str, most: int = 60) -> str:
    """Cut a text that somebody else wrote to so many signs, for a sentence that repeats it."""
    return text if len(text) <= most else text[: most - 1] + "…"


def one_sentence(text: str) -> str:
    """Bound a message that may repeat what a file said: one line, no word and no whole of any length.

    What is too long loses its middle, since a message ends with what to do.
    """
    words = [_without_middle(word, _LONGEST_WORD) for word in re.split(r"[\r\n\t\v\f ]+", text)]
    return _without_middle(" ".join(words), _LONGEST_SENTENCE)


def _without_middle(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most // 2]}…{text[-(most // 2 - 1) :]}"


def plain_name(text: str) -> str:
    """Text for a place that guesses whether it is markup, such as the name of a layer: no sign of it opens a tag."""
    return plain(text, lines=True).replace("<", "‹").replace(">", "›")


def csv_cell(value: object) -> object:
    """Return what may stand in a cell of a table: a text that a spreadsheet would compute gets an apostrophe before it.

    Numbers, also those that are written as text, stay numbers.
    """
    if not isinstance(value, str):
        return value
    cell = plain(value, lines=True)
    # Spreadsheets pass over spaces before a formula.
    is_formula = cell.startswith(_FORMULA) or cell.lstrip().startswith(_FORMULA)
    return f"'{cell}" if is_formula and not _is_number(cell) else cell


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


class CellWriter:
    """Writes a table of text, each cell by `csv_cell`.

    Parameters
    ----------
    stream
        Opened with ``newline=""``.
    delimiter
        Between cells.
    """

    def __init__(self, stream: TextIO, delimiter: str = ",") -> None:
        self._writer = csv.writer(stream, delimiter=delimiter, lineterminator="\n")

    def row(self, cells: Iterable[object]) -> None:
        """Add a row."""
        self._writer.writerow([csv_cell(cell) for cell in cells])
