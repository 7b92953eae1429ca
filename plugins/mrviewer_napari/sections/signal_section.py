"""Signal over time: the curve of the point that was clicked, in a dynamic series or in the phases of a study."""

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from mrviewer_napari.facts.colours import class_colour
from mrviewer_napari.facts.scan import Scan
from mrviewer_napari.facts.signal_curves import SignalCurve, has_time, read_signal
from mrviewer_napari.opening.shown_scan import ShownScan
from mrviewer_napari.widgets.controls import quiet_label, show_if
from mrviewer_napari.widgets.jobs import Slot

__all__ = ["SignalSection"]

_ASK = "Click a point in a picture to see its signal over time."


class SignalSection(QWidget):
    """One curve, read in a thread.

    Signals
    -------
    failed : Exception
    """

    failed = Signal(object)

    def __init__(self, shown_scan: ShownScan, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown_scan = shown_scan
        self._reading = Slot(self)
        self._curve: SignalCurve | None = None
        self.text = quiet_label(_ASK)
        self.plot: Any = None
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.addWidget(self.text)
        self._reading.returned.connect(self._on_curve)
        self._reading.failed.connect(self.failed)
        shown_scan.changed.connect(self._on_scan)
        self._patient: object = None

    @property
    def busy(self) -> bool:
        """Whether a curve is being read."""
        return self._reading.busy

    def close_jobs(self, wait_s: float = 10.0) -> bool:
        """Stop for good; says whether the thread has ended."""
        return self._reading.close(wait_s)

    def show_voxel(self, voxel: tuple[int, int, int]) -> None:
        """Show the curve of a voxel ``(z, y, x)``, where the open study has any."""
        scan = self._shown_scan.scan
        if scan is not None and has_time(scan):
            self._reading.request(lambda: read_signal(scan, voxel))

    def _on_scan(self) -> None:
        """Keep the curve while another frame or phase of the same patient is shown."""
        scan = self._shown_scan.scan
        if scan is None or scan.patient is not self._patient:
            self._patient = None if scan is None else scan.patient
            self._reading.cancel()
            self._curve = None
            self.text.setText(_ASK)
            if self.plot is not None:
                show_if(self.plot, False)
        elif self._curve is not None:
            self._draw(scan, self._curve)

    def _on_curve(self, curve: SignalCurve) -> None:
        self._curve = curve
        if (scan := self._shown_scan.scan) is not None:
            self._draw(scan, curve)

    def _draw(self, scan: Scan, curve: SignalCurve) -> None:
        from mrviewer_napari.widgets.curve_plot import Curve, CurvePlot

        if self.plot is None:
            self.plot = CurvePlot("signal", "frame")
            self._layout.addWidget(self.plot)
        values = Curve("signal", class_colour(1), [float(value) for value in curve.values])
        if curve.names:
            shown = curve.names.index(scan.modality) if scan.modality in curve.names else None
            self.plot.draw([values], curve.names, mark=shown)
        else:
            self.plot.draw([values], first=1, mark=scan.frame + 1)
        z, y, x = curve.voxel
        self.text.setText(f"Voxel x {x}, y {y}, z {z}; the broken line is what is shown.")
        show_if(self.plot, True)
