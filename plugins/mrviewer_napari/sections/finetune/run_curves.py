"""Curves of a run while it trains. Import it where the first run is drawn: it brings pyqtgraph."""

from html import escape

import pyqtgraph
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from mrviewer.metrics.metric_list import METRICS_BY_KEY
from mrviewer.plain_text import plain
from mrviewer_napari.sections.finetune.facts.run_history import RunHistory, ScoreSeries, smoothed
from mrviewer_napari.widgets.curve_plot import quieten

__all__ = ["RunCurves", "score_name"]

_SOFT = "#a0a4ab"
_FAINT, _LOSS, _SCORE = "#5a626c", "#E69F00", "#56B4E9"
_HEIGHT = 130
_SHARES = ("dice", "ssim")
"""Scores that lie between 0 and 1."""

_FAVOURITES = ("dice", "psnr", "ssim")
_LEFT = 64
"""Room for the numbers of both plots, so that their steps lie under each other."""


class RunCurves(QWidget):
    """Training loss above, as it comes and smoothed; score of the validation cases below, over the same steps."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.loss, self.score = _Plot("training loss"), _Plot("validation", bottom="step")
        self.score.setXLink(self.loss)
        self.raw = self.loss.plot(pen=pyqtgraph.mkPen(_FAINT, width=1))
        self.smooth = self.loss.plot(pen=pyqtgraph.mkPen(_LOSS, width=2))
        dots = {"symbol": "o", "symbolSize": 6, "symbolBrush": _SCORE, "symbolPen": None}
        self.scores = self.score.plot(pen=pyqtgraph.mkPen(_SCORE, width=2), **dots)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.loss)
        layout.addWidget(self.score)

    def draw(self, history: RunHistory) -> None:
        """Show all that the log has told."""
        for item, series in ((self.raw, history.loss.thinned()), (self.smooth, smoothed(history.loss).thinned())):
            item.setData(series.steps, series.values)
        name = score_name(history)
        series = history.validation.get(name, ScoreSeries())
        self.scores.setData(series.steps, series.values)
        words = METRICS_BY_KEY[name].heading if name in METRICS_BY_KEY else escape(plain(name))
        self.score.setLabel("left", words or "validation", color=_SOFT)
        if name in _SHARES:
            self.score.setYRange(0, 1)
        else:
            self.score.enableAutoRange(axis="y")
        self.loss.setXRange(0, max(history.step, 1), padding=0.03)


def score_name(history: RunHistory) -> str:
    """The score that is drawn: overlap of a segmentation, else quality of an image, else whatever there is."""
    known = [name for name in _FAVOURITES if name in history.validation]
    return next(iter([*known, *history.validation]), "")


class _Plot(pyqtgraph.PlotWidget):
    """A small plot that leaves the mouse wheel to the panel."""

    def __init__(self, left: str, bottom: str = "") -> None:
        super().__init__(background=None)
        quieten(self, _HEIGHT if bottom else _HEIGHT - 20, left, bottom)
        self.getAxis("bottom").setStyle(showValues=bool(bottom))
        self.getAxis("left").setWidth(_LEFT)
        self.getAxis("left").enableAutoSIPrefix(False)
        self.getAxis("bottom").enableAutoSIPrefix(False)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Leave the wheel to whatever scrolls."""
        event.ignore()
