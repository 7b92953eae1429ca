"""Save: what came out, in the files that other programs read; and the picture."""

from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from mrviewer_napari.computing.finished_outcomes import FinishedOutcomes
from mrviewer_napari.exporting.export_window import ExportWindow
from mrviewer_napari.exporting.exporter import Exporter
from mrviewer_napari.exporting.writing import Exported
from mrviewer_napari.widgets.controls import quiet_label

__all__ = ["SaveSection"]


class SaveSection(QWidget):
    """Two buttons, and what was saved last.

    Signals
    -------
    message : text
    """

    message = Signal(str)

    def __init__(
        self,
        exporter: Exporter,
        finished: FinishedOutcomes,
        viewer: Any,  # noqa: ANN401 -- napari is not typed here
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._finished, self._viewer = finished, viewer
        self.exporter = exporter
        exporter.setParent(self)
        exporter.message.connect(self.message)
        self.window_: ExportWindow | None = None
        self.results = QPushButton("Save results...")
        self.results.setToolTip("Images, error maps, segmentations and numbers: NIfTI, DICOM, CSV, BIDS, figures")
        self.picture = QPushButton("Save picture...")
        self.picture.setToolTip("The tiles as they stand, as PNG")
        self.text = quiet_label()
        self._last = ""
        buttons = QHBoxLayout()
        buttons.addWidget(self.results)
        buttons.addWidget(self.picture)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(buttons)
        layout.addWidget(self.text)
        self.results.clicked.connect(self.open_window)
        self.picture.clicked.connect(self._ask_picture)
        finished.changed.connect(self.refresh)
        self.exporter.exported.connect(self._keep_last)
        self.exporter.failed.connect(self._tell)
        self.refresh()

    def refresh(self) -> None:
        """Say what is finished, and what was saved last."""
        names = [outcome.request.method for outcome in self._finished.outcomes]
        finished = f"Finished: {', '.join(names)}" if names else "Nothing is finished yet"
        self.text.setText("\n".join(filter(None, (finished, self._last))))

    def open_window(self) -> None:
        """Show the window Save results beside the viewer."""
        if self.window_ is None:
            self.window_ = ExportWindow(self.exporter, self.window())
        self.window_.look()

    def save_picture(self, path: Path) -> None:
        """Write the canvas as PNG."""
        from mrviewer_napari.screenshot import save_canvas

        save_canvas(self._viewer, path)
        self.message.emit(f"Saved {path.name}")

    def close_jobs(self, wait_s: float) -> bool:
        """Stop saving; says whether the threads have ended."""
        return self.exporter.close(wait_s)

    def _keep_last(self, done: Exported) -> None:
        self._last = done.sentence
        self.refresh()

    def _tell(self, error: Exception) -> None:
        """Tell of a failure here too, for the window may be closed by now."""
        self.message.emit(str(error))

    def _ask_picture(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save the picture", "mrviewer.png", "PNG (*.png)")
        if path:
            self.save_picture(Path(path))
