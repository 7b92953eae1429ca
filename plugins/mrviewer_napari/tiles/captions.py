"""What is written over the tiles: titles, the letters of the four edges, the legend."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from mrviewer_napari.facts.colours import PLAIN_COLOUR, Agreement, class_colour
from mrviewer_napari.facts.orientation import EdgeLetters
from mrviewer_napari.tiles.text_overlay import Anchor, Caption

__all__ = ["font_size", "legend_of", "letters_of", "titles_of", "wrapped"]

_LETTER_COLOUR = "#F0E442"
_BAR_LINES = 2
"""Lines that the scale bar and its length take."""
_MEAN_CHARACTER = 1.0
"""Width of a character in pixels over the font size in points, on the generous side."""


def font_size(cell_width: float) -> float:
    """Points for a tile that is `cell_width` pixels wide."""
    return 11 if cell_width > 340 else 10 if cell_width > 240 else 9


def titles_of(cells: Sequence[str | None], texts: Mapping[str, str], cell_width: float) -> Iterator[Caption]:
    """Yield the title of every cell with a picture, wrapped to its width."""
    for cell, key in enumerate(cells):
        if key is not None and texts.get(key):
            yield Caption(cell, Anchor.TITLE, wrapped(texts[key], cell_width))


def letters_of(cells: Sequence[str | None], letters: EdgeLetters, lifted: int | None = None) -> Iterator[Caption]:
    """Yield the letters at the four edges of every picture; at the bottom of cell `lifted` above the scale bar."""
    texts = {
        Anchor.LEFT: letters.left,
        Anchor.RIGHT: letters.right,
        Anchor.TOP: letters.top,
        Anchor.BOTTOM: letters.bottom,
    }
    for cell, key in enumerate(cells):
        for anchor, text in texts.items():
            if key is not None and text:
                row = _BAR_LINES if anchor is Anchor.BOTTOM and cell == lifted else 0
                yield Caption(cell, anchor, text, _LETTER_COLOUR, row)


def legend_of(
    cell: int, *, compared: bool, plain: str, error: str, classes: Sequence[str] = (), first_row: int = 0
) -> Iterator[Caption]:
    """Yield the colours of the outlines that are drawn, and what the colour bar measures; empty for no bar.

    `plain` is what outlines are that are compared with nothing; empty where there are none. Where classes are drawn,
    nothing is compared. `first_row` is how many lines stay free above, for the title of a cell that has one.
    """
    entries = [(name, class_colour(number)) for number, name in enumerate(classes)]
    entries += [(code.label, code.colour) for code in Agreement if compared and not classes]
    entries += [(plain, PLAIN_COLOUR)] if plain else []
    for row, (label, colour) in enumerate(entries, first_row):
        yield Caption(cell, Anchor.CORNER, f"■ {label}", colour, row)
    if error:
        yield Caption(cell, Anchor.BAR, error)


@lru_cache(maxsize=256)
def wrapped(text: str, cell_width: float) -> str:
    """Break lines that are longer than a tile is wide, first where two spaces stand."""
    columns = max(8, int(cell_width / (font_size(cell_width) * _MEAN_CHARACTER)))
    lines: list[str] = []
    for line in text.splitlines():
        for part in line.split("  ") if len(line) > columns else [line]:
            lines += textwrap.wrap(part, columns) or [""]
    return "\n".join(lines)
