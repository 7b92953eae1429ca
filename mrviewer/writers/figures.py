"""A slice as a figure for a paper: images and error maps side by side, outlines, titles and a scale bar.

PNG is drawn with Pillow, SVG written by hand: pixels as embedded PNG, everything else as shapes and text that stay
sharp and can be edited. A figure holds what is drawn, and neither metadata nor anything else of the study.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from mrviewer.errors import InputError, ShapeError
from mrviewer.files.whole_file import whole_file
from mrviewer.writers.contours import outlines

__all__ = ["DISCLAIMER", "Figure", "Panel", "write_figure"]

DISCLAIMER = "Research software, not for diagnosis"
"""Stands below every figure: pictures are passed on without the program that says so."""

HEIGHT = 512
"""Pixels of a panel; the width follows from the size of the slice in millimetres."""
MARGIN, TITLE = 8, 28
TEXT = 16
FOOTER, SMALL_TEXT = 24, 13
NARROWEST = 360
"""Pixels that the words below the panels need."""
BARS_MM = (1, 2, 5, 10, 20, 50, 100)
BAR_SHARE = 0.3
"""Largest part of a panel's width that the scale bar takes."""
COLOURS = ("#e64b35", "#4dbbd5", "#00a087", "#f39b7f", "#8491b4")


@dataclass(frozen=True, eq=False)
class Panel:
    """One picture of a slice.

    Parameters
    ----------
    values : (y, x)
        Real values.
    title
        Above it. No patient's name.
    window
        Lowest and highest value that are told apart.
    signed
        Whether colours run from blue over white to red around the middle of the window, for error maps; else grey.
    masks
        What is outlined, by name: bool, (y, x).
    """

    values: NDArray[np.generic]
    title: str
    window: tuple[float, float]
    signed: bool = False
    masks: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Figure:
    """Panels of one slice, row by row.

    Parameters
    ----------
    panels
        All of one size; `None` leaves a place free.
    pixel_mm
        Edges of a pixel along y and x.
    columns
        Panels of a row; 0 puts all into one.
    sides
        Letters of the patient at the left and the right edge of each panel; empty where they are not known.
    """

    panels: Sequence[Panel | None]
    pixel_mm: tuple[float, float]
    columns: int = 0
    sides: tuple[str, str] = ("", "")

    @property
    def n_columns(self) -> int:
        """Panels of a row."""
        return self.columns or len(self.panels)

    @property
    def n_rows(self) -> int:
        """Rows of panels."""
        return -(-len(self.panels) // self.n_columns)


@dataclass(frozen=True)
class _Layout:
    """Where things lie, in pixels of the figure."""

    width: int
    height: int
    scale: tuple[float, float]
    bar_mm: int
    bar: float

    def corner(self, number: int, columns: int) -> tuple[int, int]:
        """First column and first row of a panel."""
        row, column = divmod(number, columns)
        return MARGIN + column * (self.width + MARGIN), TITLE + row * (self.height + TITLE)

    def size(self, figure: Figure) -> tuple[int, int]:
        """Width and height of the figure."""
        width = MARGIN + figure.n_columns * (self.width + MARGIN)
        return max(width, NARROWEST), figure.n_rows * (self.height + TITLE) + FOOTER

    def footer(self, figure: Figure) -> tuple[int, float]:
        """Left end and middle height of the words below the panels."""
        return MARGIN, self.size(figure)[1] - FOOTER / 2

    def bar_corner(self, figure: Figure) -> tuple[int, int]:
        """Where the scale bar begins: in the lower left corner of the first panel that is there."""
        first = next(number for number, panel in enumerate(figure.panels) if panel is not None)
        left, top = self.corner(first, figure.n_columns)
        return left + MARGIN, top + self.height - MARGIN

    def sides(self, figure: Figure) -> list[tuple[str, int, str]]:
        """Letter, distance from the left edge of a panel, and which end of the letter lies there."""
        left, right = figure.sides
        ends = ((left, MARGIN, "start"), (right, self.width - MARGIN, "end"))
        return [(letter, x, anchor) for letter, x, anchor in ends if letter]


_ANCHORS = {"start": "lm", "end": "rm"}
_FOOTER, _FOOTER_COLOUR = f"mrviewer: {DISCLAIMER}", "#606060"


def write_figure(path: Path, figure: Figure) -> Path:
    """Write a figure as PNG or SVG, by the ending of its name.

    Parameters
    ----------
    path
        Ends in ``.png`` or ``.svg``. An existing file is replaced, whole or not at all.
    figure
        What to draw.

    Returns
    -------
    The path.

    Raises
    ------
    InputError
        If the ending is another one, there is no panel, or the folder does not exist.
    ShapeError
        If panels or masks differ in size.
    """
    ending = path.suffix.lower()
    if ending not in (".png", ".svg"):
        raise InputError(f"{path.name} does not end in .png or .svg; give it such a name")
    layout = _layout(figure)
    content = _svg(figure, layout).encode() if ending == ".svg" else _png(figure, layout)
    with whole_file(path) as temporary:
        temporary.write_bytes(content)
    return path


def _layout(figure: Figure) -> _Layout:
    panels = [panel for panel in figure.panels if panel is not None]
    if not panels:
        raise InputError("the figure has no panel; give at least one")
    shapes = {mask.shape for panel in panels for mask in (panel.values, *panel.masks.values())}
    if len(shapes) != 1 or len(next(iter(shapes))) != 2:
        raise ShapeError(f"the pictures of a figure are {', '.join(map(str, sorted(shapes)))}; give slices of one size")
    rows, columns = next(iter(shapes))
    y_mm, x_mm = figure.pixel_mm
    width = max(1, round(HEIGHT * columns * x_mm / (rows * y_mm)))
    per_mm = width / (columns * x_mm)
    bar_mm = max((one for one in BARS_MM if one * per_mm <= BAR_SHARE * width), default=BARS_MM[0])
    return _Layout(width, HEIGHT, (width / columns, HEIGHT / rows), bar_mm, bar_mm * per_mm)


def _png(figure: Figure, layout: _Layout) -> bytes:
    picture = Picture.new("RGB", layout.size(figure), "white")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(TEXT)
    for panel, (left, top) in _placed(figure, layout):
        picture.paste(_coloured(panel).resize((layout.width, layout.height), Picture.Resampling.NEAREST), (left, top))
        draw.text((left, top - TITLE / 2), panel.title, "black", font, anchor="lm")
        for points, colour in _drawn_outlines(panel, layout):
            draw.line([(left + x, top + y) for x, y in (*points, points[0])], colour, 2)
        for letter, x, anchor in layout.sides(figure):
            place = (left + x, top + layout.height / 2)
            draw.text(place, letter, "white", font, anchor=_ANCHORS[anchor], stroke_width=1, stroke_fill="black")
    x, y = layout.bar_corner(figure)
    draw.rectangle((x, y - 3, x + layout.bar, y), "white", "black")
    draw.text((x, y - 6), f"{layout.bar_mm} mm", "white", font, anchor="lb", stroke_width=1, stroke_fill="black")
    draw.text(layout.footer(figure), _FOOTER, _FOOTER_COLOUR, ImageFont.load_default(SMALL_TEXT), anchor="lm")
    stream = BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def _svg(figure: Figure, layout: _Layout) -> str:
    width, height = layout.size(figure)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="{TEXT}">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for panel, (left, top) in _placed(figure, layout):
        stream = BytesIO()
        _coloured(panel).save(stream, "PNG")
        data = base64.b64encode(stream.getvalue()).decode()
        parts.append(f'<text x="{left}" y="{top - 8}">{escape(panel.title)}</text>')
        parts.append(
            f'<image x="{left}" y="{top}" width="{layout.width}" height="{layout.height}" '
            f'preserveAspectRatio="none" style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>'
        )
        for points, colour in _drawn_outlines(panel, layout):
            corners = " ".join(f"{left + x:.2f},{top + y:.2f}" for x, y in points)
            parts.append(f'<polygon points="{corners}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for letter, x, anchor in layout.sides(figure):
            parts.append(_svg_words(letter, left + x, top + layout.height / 2, anchor))
    x, y = layout.bar_corner(figure)
    parts.append(f'<rect x="{x}" y="{y - 3}" width="{layout.bar:.2f}" height="3" fill="white" stroke="black"/>')
    parts.append(_svg_words(f"{layout.bar_mm} mm", x, y - 8, "start"))
    x, middle = layout.footer(figure)
    parts.append(
        f'<text x="{x}" y="{middle}" font-size="{SMALL_TEXT}" fill="{_FOOTER_COLOUR}" dominant-baseline="middle">'
        f"{_FOOTER}</text>"
    )
    return "\n".join([*parts, "</svg>\n"])


def _placed(figure: Figure, layout: _Layout) -> list[tuple[Panel, tuple[int, int]]]:
    """Panels that are there, and where."""
    places = [(panel, layout.corner(number, figure.n_columns)) for number, panel in enumerate(figure.panels)]
    return [(panel, corner) for panel, corner in places if panel is not None]


def _svg_words(words: str, x: float, y: float, anchor: str) -> str:
    """Words that can be read over dark and bright."""
    return (
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="white" stroke="black" stroke-width="2" '
        f'paint-order="stroke">{escape(words)}</text>'
    )


def _coloured(panel: Panel) -> Picture.Image:
    """Values as colours, one pixel each; values that are not finite are black."""
    low, high = panel.window
    values = np.asarray(panel.values, np.float64)
    share = np.nan_to_num(np.clip((values - low) / ((high - low) or 1.0), 0, 1))
    if not panel.signed:
        return Picture.fromarray(np.rint(share * 255).astype(np.uint8)).convert("RGB")
    # Blue and red lose the two other colours in step with the distance from the middle.
    away = 2 * share - 1
    colours = np.stack([1 + np.minimum(away, 0), 1 - np.abs(away), 1 - np.maximum(away, 0)], axis=-1)
    return Picture.fromarray(np.rint(colours * 255).astype(np.uint8))


def _drawn_outlines(panel: Panel, layout: _Layout) -> list[tuple[list[tuple[float, float]], str]]:
    """Outlines in pixels of the panel, each with its colour."""
    x_scale, y_scale = layout.scale
    return [
        ([(x * x_scale, y * y_scale) for x, y in polygon], COLOURS[number % len(COLOURS)])
        for number, mask in enumerate(panel.masks.values())
        for polygon in outlines(np.asarray(mask, bool))
    ]
