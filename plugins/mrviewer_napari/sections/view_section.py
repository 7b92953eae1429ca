"""View: plane, frame, side, outlines, steps and the scale of the error maps."""

from qtpy.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from mrviewer_napari.computing.shown_steps import ShownSteps
from mrviewer_napari.facts.plane import ViewPlane
from mrviewer_napari.opening.shown_scan import ShownScan
from mrviewer_napari.panel_state import PanelState
from mrviewer_napari.sections.coils.coil_button import CoilButton
from mrviewer_napari.sections.frame_chooser import FrameChooser
from mrviewer_napari.sections.step_chooser import Stepper
from mrviewer_napari.tiles.tile_grid import TileGrid
from mrviewer_napari.widgets.controls import signals_blocked

__all__ = ["ViewSection"]

_WORDS = {
    ViewPlane.AXIAL: "Axial",
    ViewPlane.CORONAL: "Coronal",
    ViewPlane.SAGITTAL: "Sagittal",
    ViewPlane.THREE_D: "3-D",
}
_GAINS = (1.0, 2.0, 5.0, 10.0, 20.0)


class ViewSection(QWidget):
    """How the tiles show what they show."""

    def __init__(
        self, state: PanelState, shown_scan: ShownScan, steps: ShownSteps, grid: TileGrid, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._state = state
        self.planes = {plane: QPushButton(word, checkable=True) for plane, word in _WORDS.items()}
        self._group = QButtonGroup(self)
        planes = QHBoxLayout()
        planes.setSpacing(4)
        for number, button in enumerate(self.planes.values()):
            self._group.addButton(button, number)
            planes.addWidget(button)
        self.gain = QComboBox()
        for gain in _GAINS:
            self.gain.addItem(f"x {gain:.0f}", gain)
        self.gain.setToolTip("The error scale ends at the brightest reference value divided by this")
        self.signed = QCheckBox("signed")
        self.signed.setToolTip("Too dark in blue, too bright in orange, instead of the size of the error")
        self.contours = QCheckBox("segmentation outlines")
        self.all_classes = QCheckBox("of every class")
        self.all_classes.setToolTip(
            "Outline every class in its own colour, tissues too; otherwise lesions alone, compared with the reference"
        )
        self.radiological = QCheckBox("radiological (patient's left on the right)")
        errors = QHBoxLayout()
        errors.addWidget(self.gain, 1)
        errors.addWidget(self.signed)
        outlines = QHBoxLayout()
        outlines.addWidget(self.contours)
        outlines.addWidget(self.all_classes)
        outlines.addStretch(1)
        form = QFormLayout()
        form.addRow("Error gain", errors)
        self.frames, self.stepper = FrameChooser(shown_scan), Stepper(steps, state)
        self.coils = CoilButton(shown_scan, grid, state)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(planes)
        layout.addWidget(self.frames)
        layout.addLayout(form)
        layout.addLayout(outlines)
        layout.addWidget(self.radiological)
        layout.addWidget(self.stepper)
        layout.addWidget(self.coils)
        self._connect()
        self._show()

    def _connect(self) -> None:
        events = self._state.events
        for name in ("plane", "error_gain", "signed_errors", "contours", "all_classes", "radiological"):
            events[name].connect(self._show_event)
        self._group.idClicked.connect(self._wish_plane)
        self.gain.activated.connect(self._wish_gain)
        self.signed.toggled.connect(self._wish_signed)
        self.contours.toggled.connect(self._wish_contours)
        self.all_classes.toggled.connect(self._wish_classes)
        self.radiological.toggled.connect(self._wish_side)

    def _wish_plane(self, number: int) -> None:
        self._state.plane = list(self.planes)[number]

    def _wish_gain(self) -> None:
        self._state.error_gain = self.gain.currentData()

    def _wish_signed(self, on: bool) -> None:
        self._state.signed_errors = on

    def _wish_contours(self, on: bool) -> None:
        self._state.contours = on

    def _wish_classes(self, on: bool) -> None:
        self._state.all_classes = on

    def _wish_side(self, on: bool) -> None:
        self._state.radiological = on

    def _show_event(self, value: object) -> None:
        del value
        self._show()

    def _show(self) -> None:
        state = self._state
        with signals_blocked(self.planes[state.plane]):
            self.planes[state.plane].setChecked(True)
        for box, on in (
            (self.signed, state.signed_errors),
            (self.contours, state.contours),
            (self.all_classes, state.all_classes),
            (self.radiological, state.radiological),
        ):
            with signals_blocked(box):
                box.setChecked(on)
        self.all_classes.setEnabled(state.contours)
        if self.gain.findData(state.error_gain) < 0:
            self.gain.addItem(f"x {state.error_gain:g}", state.error_gain)
        self.gain.setCurrentIndex(self.gain.findData(state.error_gain))
