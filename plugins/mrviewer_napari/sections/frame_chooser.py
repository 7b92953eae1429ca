"""Frames: which volume of a dynamic series is shown and sampled."""

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QSlider, QWidget

from mrviewer_napari.opening.shown_scan import ShownScan
from mrviewer_napari.widgets.controls import quiet_label, show_if, signals_blocked
from mrviewer_napari.widgets.plain_widgets import PlainLabel, set_tip

__all__ = ["FrameChooser"]


class FrameChooser(QWidget):
    """A slider over the frames; hidden while a single volume is open."""

    chosen = Signal(int)

    def __init__(self, shown_scan: ShownScan, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown_scan = shown_scan
        self._patient: object = None
        self._wished: int | None = None
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setPageStep(1)
        self.slider.setToolTip("The volume of the series that is shown, sampled and reconstructed")
        self.text, self.name = PlainLabel(), quiet_label()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(quiet_label("Frame"))
        layout.addWidget(self.slider, 1)
        layout.addWidget(self.text)
        layout.addWidget(self.name)
        self.slider.valueChanged.connect(self._wish)
        shown_scan.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the open frame, unless a later wish is on its way: the handle stays where the person has it."""
        scan = self._shown_scan.scan
        show_if(self, scan is not None and scan.n_frames > 1)
        if scan is None:
            return
        if scan.patient is not self._patient or self._wished is None:
            self._patient, self._wished = scan.patient, None
            with signals_blocked(self.slider):
                self.slider.setRange(0, scan.n_frames - 1)
                self.slider.setValue(scan.frame)
        elif scan.frame == self._wished:
            self._wished = None
        self._write()

    def _wish(self, frame: int) -> None:
        self._wished = frame
        self._write()
        self.chosen.emit(frame)

    def _write(self) -> None:
        self.text.setText(f"{self.slider.value() + 1} of {self.slider.maximum() + 1}")
        scan = self._shown_scan.scan
        names = scan.frame_names if scan is not None else ()
        name = names[self.slider.value()] if self.slider.value() < len(names) else ""
        set_tip(self.text, name)
        self.name.setText(name)
        show_if(self.name, bool(name))
