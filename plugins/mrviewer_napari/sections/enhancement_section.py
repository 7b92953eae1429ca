"""Enhancement: what a method predicts for a study as a whole, beside what can be measured in the images."""

from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtWidgets import QGridLayout, QProgressBar, QVBoxLayout, QWidget

from mrviewer.images.dynamic import ENHANCED_PHASES
from mrviewer.method import Task
from mrviewer_napari.computing.finished_outcomes import FinishedOutcomes
from mrviewer_napari.computing.method_catalogue import MethodCatalogue
from mrviewer_napari.computing.outcomes import Outcome
from mrviewer_napari.facts.colours import PLAIN_COLOUR, class_colour
from mrviewer_napari.facts.signal_curves import predicted_curve
from mrviewer_napari.opening.shown_scan import ShownScan
from mrviewer_napari.widgets.controls import choice_box, group_label, quiet_label, show_if, signals_blocked
from mrviewer_napari.widgets.plain_widgets import PlainLabel, RichLabel

__all__ = ["EnhancementSection"]

_SCALE = "Enhancement against the signal before contrast; 1 is twice the signal."


class EnhancementSection(QWidget):
    """Predicted against measured enhancement by phase, and the probabilities of the classes."""

    def __init__(
        self,
        finished: FinishedOutcomes,
        catalogue: MethodCatalogue,
        shown_scan: ShownScan,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._finished, self._catalogue = finished, catalogue
        self.method = choice_box("Whose prediction is shown")
        self.text = quiet_label()
        self.plot: Any = None
        self.legend = RichLabel()
        self.classes = ClassBars()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self.method, self.text, self.legend, self.classes):
            self._layout.addWidget(widget)
        self.method.activated.connect(self.refresh)
        finished.changed.connect(self.refresh)
        shown_scan.changed.connect(self.refresh)

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """Finished methods that say something of the study as a whole."""
        tasks = {Task.REGRESS, Task.CLASSIFY}
        cards = self._catalogue.methods
        return {
            outcome.request.method: outcome
            for outcome in self._finished.outcomes
            if tasks & set(cards[outcome.request.method].card.tasks)
        }

    def refresh(self) -> None:
        """Show the chosen method, or the first."""
        found = self.outcomes
        chosen = self.method.currentText()
        with signals_blocked(self.method):
            self.method.clear()
            self.method.addItems(list(found))
            self.method.setCurrentText(chosen if chosen in found else "")
        show_if(self.method, len(found) > 1)
        outcome = found.get(self.method.currentText())
        if outcome is not None:
            self._show(outcome)

    def _show(self, outcome: Outcome) -> None:
        made = outcome.reconstruction
        nothing = made.regression is None and made.classes is None
        self.text.setText(f"{made.method} found nothing to measure." if nothing else _SCALE)
        self._draw(outcome)
        self.classes.show_values(made.classification_names, made.classes)

    def _draw(self, outcome: Outcome) -> None:
        made = outcome.reconstruction
        predicted = predicted_curve(made)
        show_if(self.legend, predicted is not None)
        if self.plot is not None:
            show_if(self.plot, predicted is not None)
        if predicted is None:
            return
        from mrviewer_napari.widgets.curve_plot import Curve, CurvePlot, legend_html

        if self.plot is None:
            self.plot = CurvePlot("enhancement")
            self._layout.insertWidget(2, self.plot)
        curves = [Curve(f"predicted by {made.method}", class_colour(0), predicted)]
        for label, colour, values in (
            ("measured in what it segmented", class_colour(1), made.measured),
            ("measured in the reference labels", PLAIN_COLOUR, outcome.enhancement_of_labels),
        ):
            if values is not None:
                curves.append(Curve(label, colour, tuple(map(float, values)), dashed=True))
        self.plot.draw(curves, ENHANCED_PHASES)
        self.legend.setText(legend_html(curves))


class ClassBars(QWidget):
    """Probabilities by name, the likeliest first."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.heading = group_label("Class")
        self.bars: dict[str, QProgressBar] = {}
        self._grid = QGridLayout()
        self._grid.setVerticalSpacing(3)
        self._grid.setColumnStretch(0, 2)
        self._grid.setColumnStretch(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.heading)
        layout.addLayout(self._grid)

    def show_values(self, names: tuple[str, ...], values: NDArray[np.float32] | None) -> None:
        """Show a bar for each class; without values none."""
        while (item := self._grid.takeAt(0)) is not None:
            item.widget().hide()
            item.widget().deleteLater()
        self.bars = {}
        show_if(self, values is not None)
        if values is None:
            return
        pairs = sorted(zip(names, map(float, values), strict=True), key=lambda pair: -pair[1])
        for row, (name, value) in enumerate(pairs):
            bar = QProgressBar(textVisible=False)
            bar.setRange(0, 1000)
            bar.setValue(round(1000 * value))
            bar.setFixedHeight(9)
            bar.setMinimumWidth(40)
            self.bars[name] = bar
            label = RichLabel(f"<b>{escape(name)}</b>") if row == 0 else PlainLabel(name)
            label.setWordWrap(True)
            for column, widget in enumerate((label, bar, PlainLabel(f"{100 * value:.0f} %"))):
                self._grid.addWidget(widget, row, column)
