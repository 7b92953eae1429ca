"""Row of the export window that names the DICOM series, and lets a person choose another one."""

from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from mrviewer.writers.dicom.dicom_source import DicomSource
from mrviewer_napari.exporting.export_items import SourceState
from mrviewer_napari.widgets.controls import choice_box, quiet_label, show_if, signals_blocked

__all__ = ["SeriesRow"]


class SeriesRow(QWidget):
    """What the exports refer to.

    Signals
    -------
    folder_named : Path
        Where a person says that the series lies.
    chosen : DicomSource
        One of the series of that folder.
    """

    folder_named = Signal(object)
    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._choices: tuple[DicomSource, ...] = ()
        self.words, self.which = quiet_label(), choice_box("The series that the results were made from")
        self.named = QPushButton("DICOM folder...")
        self.named.setToolTip("The folder of the series that the study was made from")
        below = QHBoxLayout()
        below.addWidget(self.which, 1)
        below.addStretch()
        below.addWidget(self.named)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.words)
        column.addLayout(below)
        self.named.clicked.connect(self._ask)
        self.which.activated.connect(self._choose)
        self.which.hide()

    def show_state(self, found: SourceState) -> None:
        """Say which series it is, or why there is none, and offer all of the folder."""
        self.words.setText(found.note or found.reason)
        self._make_room()
        with signals_blocked(self.which):
            if found.choices != self._choices:
                self._choices = found.choices
                self.which.clear()
                for source in found.choices:
                    self.which.addItem(source.description)
                self.which.setPlaceholderText("Choose a series")
            self.which.setCurrentIndex(found.choices.index(found.source) if found.source in found.choices else -1)
        show_if(self.which, len(found.choices) > 1 or (bool(found.choices) and found.source is None))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Wrap the words anew."""
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        """Have all lines of the words seen: a window that is full would cut them."""
        self.words.setMinimumHeight(self.words.heightForWidth(self.words.width()))

    def _ask(self) -> None:
        if folder := QFileDialog.getExistingDirectory(self, "The folder of the DICOM series"):
            self.folder_named.emit(Path(folder))

    def _choose(self, row: int) -> None:
        self.chosen.emit(self._choices[row])
