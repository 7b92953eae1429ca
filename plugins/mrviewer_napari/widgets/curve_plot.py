"""Curves in the colours of the panel. Import it where the first curve is drawn: it brings pyqtgraph."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import pyqtgraph
from qtpy.QtCore import Qt
from qtpy.QtGui import QFont, QWheelEvent

__all__ = ["Curve", "CurvePlot", "legend_html", "quieten"]

_SOFT = "#a0a4ab"
_HEIGHT = 190
_WHOLE, _BROKEN = Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine


@dataclass(frozen=True)
class Curve:
    """One line of a plot.

    Parameters
    ----------
    label, colour
        For the legend and the line.
    values
        At the places from left to right.
    dashed
        Whether the line is broken.
    """

    label: str
    colour: str
    values: Sequence[float]
    dashed: bool = False


def quieten(plot: pyqtgraph.PlotWidget, height: int, left: str, bottom: str = "") -> None:
    """Give a plot the height, the names of its axes and the tone of the panel, and nothing to click."""
    plot.setFixedHeight(height)
    plot.setMouseEnabled(False, False)
    plot.setMenuEnabled(False)
    plot.hideButtons()
    plot.showGrid(x=False, y=True, alpha=0.25)
    font = QFont()
    font.setPointSize(8)
    for side, text in (("left", left), ("bottom", bottom)):
        axis = plot.getAxis(side)
        axis.setPen(_SOFT)
        axis.setTextPen(_SOFT)
        axis.setStyle(tickFont=font)
        if text:
            plot.setLabel(side, text, color=_SOFT)


class CurvePlot(pyqtgraph.PlotWidget):
    """A few curves over a few places; the mouse wheel scrolls the panel and not the plot."""

    def __init__(self, left: str, bottom: str = "") -> None:
        super().__init__(background=None)
        quieten(self, _HEIGHT, left, bottom)
        self.getAxis("bottom").setStyle(textFillLimits=[(0, 2.0)], hideOverlappingLabels=False)  # a name has no number
        self.curves: tuple[Curve, ...] = ()
        self.marked: int | None = None

    def draw(
        self, curves: Sequence[Curve], names: Sequence[str] = (), *, first: int = 0, mark: int | None = None
    ) -> None:
        """Replace all curves.

        Parameters
        ----------
        curves
            What to draw.
        names
            Of the places, instead of numbers.
        first
            Number of the first place.
        mark
            Number of the place at which a vertical line stands.
        """
        self.clear()
        self.curves, self.marked = tuple(curves), mark
        for curve in curves:
            pen = pyqtgraph.mkPen(curve.colour, width=2, style=_BROKEN if curve.dashed else _WHOLE)
            symbol = {"symbol": "o", "symbolSize": 7, "symbolBrush": curve.colour, "symbolPen": None}
            places = range(first, first + len(curve.values))
            self.plot(list(places), list(map(float, curve.values)), pen=pen, **symbol)
        axis = self.getAxis("bottom")
        axis.setTicks([list(enumerate(names, first))] if names else None)
        axis.showLabel(not names and bool(axis.labelText))
        self.enableAutoRange()
        if names:
            self.setXRange(first - 0.5, first + len(names) - 0.5, padding=0)
        if mark is not None:
            self.addItem(pyqtgraph.InfiniteLine(mark, pen=pyqtgraph.mkPen(_SOFT, style=_BROKEN)))

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Leave the wheel to whatever scrolls."""
        event.ignore()


def legend_html(curves: Sequence[Curve]) -> str:
    """Names of the curves in their colours."""
    return "<br>".join(f'<span style="color:{curve.colour}">●</span> {escape(curve.label)}' for curve in curves)
