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
from numpy.typing import ArrayLike, NDArray
from vispy.color import ColorArray
from vispy.scene.visuals import Compound, Mesh

__all__ = ["Caption", "Place", "TileCaptions"]

_PAD = 8
"""Pixels between a word and the edge of its tile."""

_BOX = (0, 0, 0, 0.55)


class Place(Enum):
    """Where in a tile a caption stands."""

    TOP = "centred at the top"
    TITLE = "centred under the top letter"
    BOTTOM = "centred at the bottom"
    LEFT = "half way down the left edge"
    RIGHT = "half way down the right edge"
    CORNER = "in the upper left corner"
    BAR = "under a colour bar in the upper right corner"
    FOOT = "in the lower left corner"


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
        Lines to leave free before the first.
    boxed
        Whether a dark box keeps the words readable over a bright picture.
    """

    cell: int
    place: Place
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
        height, width = (
            (size - self.overlay.gap * (n - 1)) / n
            for size, n in zip(self.viewer.canvas.size, self.overlay.shape, strict=True)
        )
        lines, points, colours, boxes = [], [], [], []
        for caption in self.overlay.captions:
            row, column = divmod(caption.cell, self.overlay.shape[1])
            corner = np.array([column * (width + self.overlay.gap), row * (height + self.overlay.gap)])
            rows = caption.text.split("\n")
            places = corner + self._places(caption, rows, width, height)
            lines += rows
            points += list(places)
            colours += [caption.colour] * len(rows)
            if caption.boxed:
                boxes.append(self._box_around(rows, places))
        self._text.text = lines or [""]
        self._text.pos = points or [(0, 0)]
        self._text.color = ColorArray(colours or ["#FFFFFF"])
        corners = np.concatenate(boxes) if boxes else np.zeros((4, 2))
        faces = np.arange(0, len(corners), 4)[:, None, None] + np.array([[0, 1, 2], [0, 2, 3]])
        self._boxes.set_data(corners, faces.reshape(-1, 3), color=_BOX)

    def _places(self, caption: Caption, rows: list[str], width: float, height: float) -> NDArray[np.float64]:
        """Middle of the baseline of every line ``(line, (x, y))``, from the upper left corner of the cell."""
        line, ascent = self._line_height, self._ascent
        down = _PAD + ascent + line * (caption.row + np.arange(len(rows)))
        half = np.array([self._width(row) for row in rows]) / 2
        middle = height / 2 + ascent / 2
        centres: dict[Place, tuple[ArrayLike, ArrayLike]] = {
            Place.TOP: (width / 2, down),
            Place.TITLE: (width / 2, down + line),
            Place.BOTTOM: (width / 2, height - _PAD - line * (len(rows) - 1) + down - down[0]),
            Place.LEFT: (_PAD + half, middle),
            Place.RIGHT: (width - _PAD - half, middle),
            Place.CORNER: (_PAD + half, down),
            Place.BAR: (width - _PAD - half, down + self.overlay.bar + line),
            Place.FOOT: (_PAD + half, height - _PAD - line * (len(rows) - 1) + down - down[0]),
        }
        places = np.zeros((len(rows), 2))
        places[:, 0], places[:, 1] = centres[caption.place]
        return places

    def _box_around(self, rows: list[str], places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Corners ``(4, (x, y))`` of a box around some lines."""
        half = np.array([self._width(row) for row in rows]) / 2 + _PAD / 2
        left, right = (places[:, 0] - half).min(), (places[:, 0] + half).max()
        top, bottom = places[0, 1] - self._ascent, places[-1, 1] + self._line_height - self._ascent
        return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])

    def _width(self, text: str) -> float:
        return float(get_text_metrics(self._text).horizontalAdvance(text)) * self._text._vispy_dpi_ratio

    @property
    def _line_height(self) -> float:
        return float(self._text.get_line_height())

    @property
    def _ascent(self) -> float:
        return float(get_text_metrics(self._text).ascent()) * self._text._vispy_dpi_ratio


overlay_to_visual[TileCaptions] = VispyTileCaptions
