"""Steps: look at the estimates on the way to the shown slice, as the method's cascades and time steps made them."""

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QSlider, QWidget

from mrviewer_napari.computing.shown_steps import ShownSteps
from mrviewer_napari.facts.tile_texts import step_text
from mrviewer_napari.panel_state import PanelState, StepChoice
from mrviewer_napari.widgets.controls import choice_box, quiet_label, show_if, signals_blocked
from mrviewer_napari.widgets.plain_widgets import PlainLabel

__all__ = ["Stepper"]

_RESULT = "the result"


class Stepper(QWidget):
    """A method and one of its steps; hidden while no shown method gives any. The last position is the result."""

    def __init__(self, steps: ShownSteps, state: PanelState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._steps, self._state = steps, state
        self.method = choice_box("The method to look inside")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setPageStep(1)
        self.slider.setToolTip("Earlier estimates of the shown slice; the right end is the result")
        self.text = PlainLabel()
        self.text.setWordWrap(True)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(quiet_label("Steps of"), 0, 0)
        layout.addWidget(self.method, 0, 1)
        layout.addWidget(self.slider, 1, 0, 1, 2)
        layout.addWidget(self.text, 2, 0, 1, 2)
        layout.setColumnStretch(1, 1)
        self.method.activated.connect(self._choose_method)
        self.slider.valueChanged.connect(self._wish)
        steps.changed.connect(self.refresh)
        for wish in (self._state.events.step, self._state.events.methods):
            wish.connect(self._follow)
        self.refresh()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the steps of the chosen method."""
        return self._steps.names(self.method.currentText())

    def refresh(self) -> None:
        """Offer the methods that give steps, and show where the chosen one stands."""
        given = self._steps.methods
        wish = self._state.step
        if given != [self.method.itemText(place) for place in range(self.method.count())]:
            chosen = self.method.currentText()
            with signals_blocked(self.method):
                self.method.clear()
                self.method.addItems(given)
                self.method.setCurrentText(chosen if chosen in given else "")
        if wish is not None:
            self.method.setCurrentText(wish.method)
        show_if(self, bool(given))
        with signals_blocked(self.slider):
            self.slider.setRange(0, len(self.names))
            self.slider.setValue(len(self.names) if wish is None else wish.number)
        self.text.setText(f"Step: {self._place()}")

    def _place(self) -> str:
        wish = self._state.step
        if wish is None or not 0 <= wish.number < len(self.names):
            return _RESULT
        return step_text(self.names, wish.number) + ("" if self._steps.is_known(wish) else ", computing ...")

    def _choose_method(self) -> None:
        self._state.step = None
        self.refresh()

    def _wish(self, number: int) -> None:
        self._state.step = StepChoice(self.method.currentText(), number) if number < len(self.names) else None

    def _follow(self, value: object) -> None:
        del value
        self.refresh()
