"""All words over the tiles in one drawing. The only module that touches private parts of napari; a test guards them.

napari's own text overlays cost a tenth of a second each to make and are visited at every change of any layer; with a
title and four letters a tile that is seconds. Here one visual holds every word on the canvas.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from napari._vispy.overlays.base import ViewerOverlayMixin, VispyCanvasOverlay
from napari._vispy.utils.text import get_text_metrics
from napari._vispy.utils.visual import overlay_to_visual
from napari._vispy.visuals.text import Text
from napari.components.overlays import CanvasOverlay
from vispy.color import ColorArray
from vispy.scene.visuals import Compound, Mesh

__all__ = ["Anchor", "Caption", "TileCaptions"]

_PAD = 8
"""Pixels between a word and the edge of its tile."""

_BOX = (0, 0, 0, 0.55)
_Point = tuple[float, float]


class Anchor(Enum):
    """Where in a tile a caption stands."""

    TOP = "centred at the top"
    TITLE = "centred under the top letter"
    BOTTOM = "centred at the bottom"
    LEFT = "half way down the left edge"
    RIGHT = "half way down the right edge"
    CORNER = "in the upper left corner"
    BAR = "under a colour bar in the upper right corner"
    FOOT = "in the lower left corner, above the line of the bottom letter"


@dataclass(frozen=True)
class Caption:
    """Some words in one tile.

    Parameters
    ----------
    cell
        Number of the cell, row by row.
    place
        Where in the cell.
    text
        Lines separated by newlines.
    colour
        Hexadecimal RGB.
    row
        Lines to leave free before the first, at the bottom after the last.
    boxed
        Whether a dark box keeps the words readable over a bright picture.
    """

    cell: int
    place: Anchor
    text: str
    colour: str = "#FFFFFF"
    row: int = 0
    boxed: bool = True


class TileCaptions(CanvasOverlay):
    """Words over a grid of tiles.

    Parameters
    ----------
    captions
        What is written.
    shape
        Rows and columns of the grid.
    gap
        Pixels between two cells.
    font_size
        In points.
    bar
        Height in pixels of the colour bar under which `Place.BAR` lies.
    """

    captions: tuple[Any, ...] = ()
    shape: tuple[int, int] = (1, 1)
    gap: float = 0
    font_size: float = 10
    bar: float = 110
    position: str = "tiles"
    box: bool = False


class VispyTileCaptions(ViewerOverlayMixin, VispyCanvasOverlay):
    """Draws a `TileCaptions`: one mesh of dark boxes, one text visual."""

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 -- handed on to napari
        self._text = Text(text=[""], pos=[(0, 0)], font_info=kwargs["font_info"], anchor_y="baseline")
        self._boxes = Mesh(np.zeros((3, 2)), np.array([[0, 1, 2]]), color=_BOX)
        self._colours: list[str] = []
        self._corners: list[_Point] = []
        super().__init__(node=Compound([self._boxes, self._text]), **kwargs)
        for emitter in (self.overlay.events.captions, self.overlay.events.shape, self.overlay.events.font_size):
            emitter.connect(self._write)
        self.viewer.canvas.events.size.connect(self._write)
        self.reset()
        self._write()

    def close(self) -> None:
        """Let go of the canvas."""
        self.viewer.canvas.events.size.disconnect(self._write)
        super().close()

    def _on_position_change(self, event: Any = None) -> None:  # noqa: ANN401
        """Nothing: every caption has its own place."""

    def _write(self) -> None:
        """Put every line where it belongs on a canvas of this size."""
        self._text.font_size = self.overlay.font_size
        pen = _Pen.of(self._text)
        height, width = (
            (size - self.overlay.gap * (n - 1)) / n
            for size, n in zip(self.viewer.canvas.size, self.overlay.shape, strict=True)
        )
        lines: list[str] = []
        points: list[_Point] = []
        colours: list[str] = []
        boxes: list[_Point] = []
        for caption in self.overlay.captions:
            row, column = divmod(caption.cell, self.overlay.shape[1])
            left, top = column * (width + self.overlay.gap), row * (height + self.overlay.gap)
            rows = caption.text.split("\n")
            widths = [pen.width(line) for line in rows]
            places = _places(caption, widths, pen, _Cell(left, top, width, height, self.overlay.bar))
            lines += rows
            points += places
            colours += [caption.colour] * len(rows)
            if caption.boxed:
                boxes += _box(places, widths, pen)
        self._text.text = lines or [""]
        self._text.pos = points or [(0, 0)]
        if colours != self._colours:
            self._colours = colours
            self._text.color = ColorArray(colours or ["#FFFFFF"])
        if boxes != self._corners:
            # New boxes make vispy compile a shader; figures that only change their digits do not get here.
            self._corners = boxes
            corners = np.array(boxes or [(0, 0)] * 4)
            faces = np.arange(0, len(corners), 4)[:, None, None] + np.array([[0, 1, 2], [0, 2, 3]])
            self._boxes.set_data(corners, faces.reshape(-1, 3), color=_BOX)


@dataclass(frozen=True)
class _Pen:
    """Sizes of the font in pixels."""

    metrics: Any
    ratio: float
    line: float
    ascent: float

    @classmethod
    def of(cls, text: Text) -> "_Pen":
        metrics, ratio = get_text_metrics(text), text._vispy_dpi_ratio
        return cls(metrics, ratio, metrics.height() * ratio, metrics.ascent() * ratio)

    def width(self, text: str) -> float:
        return float(self.metrics.horizontalAdvance(text)) * self.ratio


@dataclass(frozen=True)
class _Cell:
    """A cell of the grid in pixels, and the height of a colour bar in it."""

    left: float
    top: float
    width: float
    height: float
    bar: float


def _places(caption: Caption, widths: list[float], pen: _Pen, cell: _Cell) -> list[_Point]:
    """Middle of the baseline of every line."""
    place, rest = caption.place, pen.line * (len(widths) - 1)
    if place in (Anchor.LEFT, Anchor.RIGHT):
        first = cell.height / 2 + pen.ascent / 2
    elif place in (Anchor.BOTTOM, Anchor.FOOT):
        first = cell.height - _PAD - rest - pen.line * (caption.row + (place is Anchor.FOOT))
    else:
        first = _PAD + pen.ascent + pen.line * (caption.row + (place is Anchor.TITLE))
        first += cell.bar + pen.line if place is Anchor.BAR else 0
    points = []
    for number, width in enumerate(widths):
        if place in (Anchor.LEFT, Anchor.CORNER, Anchor.FOOT):
            x = _PAD + width / 2
        elif place in (Anchor.RIGHT, Anchor.BAR):
            x = cell.width - _PAD - width / 2
        else:
            x = cell.width / 2
        points.append((cell.left + x, cell.top + first + pen.line * number))
    return points


def _box(places: list[_Point], widths: list[float], pen: _Pen) -> list[_Point]:
    """Four corners of a box around some lines, its sides rounded outwards so that they seldom change."""
    left = min(x - width / 2 for (x, _), width in zip(places, widths, strict=True)) - _PAD / 2
    right = max(x + width / 2 for (x, _), width in zip(places, widths, strict=True)) + _PAD / 2
    left, right = _PAD * np.floor(left / _PAD), _PAD * np.ceil(right / _PAD)
    top, bottom = places[0][1] - pen.ascent, places[-1][1] + pen.line - pen.ascent
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


overlay_to_visual[TileCaptions] = VispyTileCaptions
