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
from mrviewer.writers.contours import outlines
from mrviewer.writers.whole import whole_file

__all__ = ["Figure", "Panel", "write_figure"]

HEIGHT = 512
"""Pixels of a panel; the width follows from the size of the slice in millimetres."""
MARGIN, TITLE = 8, 28
TEXT = 16
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
    """Panels of one slice, from left to right.

    Parameters
    ----------
    panels
        All of one size.
    pixel_mm
        Edges of a pixel along y and x.
    """

    panels: Sequence[Panel]
    pixel_mm: tuple[float, float]


@dataclass(frozen=True)
class _Layout:
    """Where things lie, in pixels of the figure."""

    width: int
    height: int
    scale: tuple[float, float]
    bar_mm: int
    bar: float

    def left(self, index: int) -> int:
        """First column of a panel."""
        return MARGIN + index * (self.width + MARGIN)


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
    if not figure.panels:
        raise InputError("the figure has no panel; give at least one")
    shapes = {mask.shape for panel in figure.panels for mask in (panel.values, *panel.masks.values())}
    if len(shapes) != 1 or len(next(iter(shapes))) != 2:
        raise ShapeError(f"the pictures of a figure are {', '.join(map(str, sorted(shapes)))}; give slices of one size")
    rows, columns = next(iter(shapes))
    y_mm, x_mm = figure.pixel_mm
    width = max(1, round(HEIGHT * columns * x_mm / (rows * y_mm)))
    per_mm = width / (columns * x_mm)
    bar_mm = max((one for one in BARS_MM if one * per_mm <= BAR_SHARE * width), default=BARS_MM[0])
    return _Layout(width, HEIGHT, (width / columns, HEIGHT / rows), bar_mm, bar_mm * per_mm)


def _png(figure: Figure, layout: _Layout) -> bytes:
    size = (layout.left(len(figure.panels)), TITLE + layout.height + MARGIN)
    picture = Picture.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(TEXT)
    for index, panel in enumerate(figure.panels):
        left = layout.left(index)
        resized = _coloured(panel).resize((layout.width, layout.height), Picture.Resampling.NEAREST)
        picture.paste(resized, (left, TITLE))
        draw.text((left, TITLE / 2), panel.title, "black", font, anchor="lm")
        for points, colour in _drawn_outlines(panel, layout):
            draw.line([(left + x, TITLE + y) for x, y in (*points, points[0])], colour, 2)
    x, y = layout.left(0) + MARGIN, TITLE + layout.height - MARGIN
    draw.rectangle((x, y - 3, x + layout.bar, y), "white", "black")
    draw.text((x, y - 6), f"{layout.bar_mm} mm", "white", font, anchor="lb", stroke_width=1, stroke_fill="black")
    stream = BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def _svg(figure: Figure, layout: _Layout) -> str:
    width, height = layout.left(len(figure.panels)), TITLE + layout.height + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="{TEXT}">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for index, panel in enumerate(figure.panels):
        left = layout.left(index)
        stream = BytesIO()
        _coloured(panel).save(stream, "PNG")
        data = base64.b64encode(stream.getvalue()).decode()
        parts.append(f'<text x="{left}" y="{TITLE - 8}">{escape(panel.title)}</text>')
        parts.append(
            f'<image x="{left}" y="{TITLE}" width="{layout.width}" height="{layout.height}" '
            f'preserveAspectRatio="none" style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>'
        )
        for points, colour in _drawn_outlines(panel, layout):
            corners = " ".join(f"{left + x:.2f},{TITLE + y:.2f}" for x, y in points)
            parts.append(f'<polygon points="{corners}" fill="none" stroke="{colour}" stroke-width="2"/>')
    x, y = layout.left(0) + MARGIN, TITLE + layout.height - MARGIN
    parts.append(f'<rect x="{x}" y="{y - 3}" width="{layout.bar:.2f}" height="3" fill="white" stroke="black"/>')
    parts.append(
        f'<text x="{x}" y="{y - 8}" fill="white" stroke="black" stroke-width="2" paint-order="stroke">'
        f"{layout.bar_mm} mm</text>"
    )
    return "\n".join([*parts, "</svg>\n"])


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
