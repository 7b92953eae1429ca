"""Study: what is open, what is known of it, and how to open something else."""

from collections.abc import Callable, Sequence
from html import escape

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QGridLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from mrviewer.errors import InputError, PositionError
from mrviewer.images.voxel_size import parse_voxel_size, size_doubt, size_note
from mrviewer.names.image_names import MODALITIES
from mrviewer_napari.computing.value_notes import ValueNotes
from mrviewer_napari.facts.study_facts import VOXEL_FOR_VOXEL, study_facts
from mrviewer_napari.opening.shown_scan import ShownScan
from mrviewer_napari.widgets.controls import choice_box, quiet_label, show_if, signals_blocked, warning_label
from mrviewer_napari.widgets.plain_widgets import PlainLabel, RichLabel, set_tip

__all__ = ["StudySection"]

_UNKNOWN = "unknown"
_BOXES = 3
"""Rows that come before the facts."""

_FILES = (
    "All files (*);;"
    "DICOM (*.dcm *.ima *.dicom *.zip DICOMDIR);;"
    "NIfTI (*.nii *.nii.gz *.hdr *.img);;"
    "Raw data and arrays (*.h5 *.hdf5 *.mrd *.cfl *.dat *.mat *.npy *.npz)"
)
"""DICOM files need no ending, so that all files come first."""


class StudySection(QWidget):
    """Buttons to open a study, and the facts about the open one.

    Signals
    -------
    paths_chosen : list of files or folders to open
    sample_chosen
        The simulated patient is to be opened.
    labels_chosen : file
    labels_chosen_voxel_for_voxel : file
        Whatever it says of their position.
    modality_chosen : another modality of the study, to look at
    modality_corrected : the true modality of what is shown
    voxel_size_corrected : edges ``(z, y, x)`` in mm
    failed : Exception
    """

    paths_chosen = Signal(object)
    sample_chosen = Signal()
    labels_chosen = Signal(str)
    labels_chosen_voxel_for_voxel = Signal(str)
    modality_chosen = Signal(str)
    modality_corrected = Signal(str)
    voxel_size_corrected = Signal(object)
    failed = Signal(object)

    def __init__(self, shown_scan: ShownScan, value_notes: ValueNotes, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown_scan, self._value_notes = shown_scan, value_notes
        self.name = RichLabel("Nothing is open")
        self.name.setWordWrap(True)
        self.modality = choice_box("The image to sample and to reconstruct")
        self.modality.textActivated.connect(self.modality_chosen)
        self.contrast = choice_box("What the shown image is, if it was guessed wrong; methods follow")
        self.contrast.textActivated.connect(self._on_contrast)
        self.voxel_size = QLineEdit()
        self.voxel_size.setToolTip("Edges of a voxel in mm along x, y and z; type the true ones where they are wrong")
        self.voxel_size.editingFinished.connect(self._on_voxel_size)
        self.size_doubt = warning_label()
        self._facts = _form()
        self._facts.addRow(quiet_label("Image"), self.modality)
        self._facts.addRow(quiet_label("Modality"), self.contrast)
        self._facts.addRow(quiet_label("Voxel size, mm"), self.voxel_size)
        self._labels_path = ""
        self.voxel_for_voxel = self._button(
            VOXEL_FOR_VOXEL,
            self._on_voxel_for_voxel,
            "Disregard the position of the labels; their matrix is that of the image",
        )
        self.voxel_for_voxel.hide()
        self.notes = quiet_label()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self._buttons())
        layout.addWidget(self.voxel_for_voxel)
        layout.addWidget(self.name)
        layout.addLayout(self._facts)
        layout.addWidget(self.size_doubt)
        layout.addWidget(self.notes)
        shown_scan.changed.connect(self.refresh)
        value_notes.changed.connect(self._show_notes)
        self.refresh()

    def refresh(self) -> None:
        """Show what is known; rows of what is unknown are left out."""
        scan = self._shown_scan.scan
        self._labels_path = ""
        self.voxel_for_voxel.hide()
        while self._facts.rowCount() > _BOXES:
            self._facts.removeRow(_BOXES)
        self.labels_button.setVisible(scan is not None)
        self._facts.setRowVisible(self.modality, scan is not None and len(scan.study.modalities) > 1)
        self._facts.setRowVisible(self.contrast, scan is not None)
        self._facts.setRowVisible(self.voxel_size, scan is not None)
        self._show_voxel_size()
        if scan is None:
            self.notes.hide()
            return
        self.name.setText(f"<b>{escape(scan.study.name)}</b>")
        _fill(self.modality, scan.study.modalities, scan.modality)
        self._show_contrast()
        for label, value in study_facts(scan):
            text = PlainLabel(value)
            text.setWordWrap(True)
            self._facts.addRow(quiet_label(label), text)
        self._show_notes()

    def _show_notes(self) -> None:
        """Show the notes of the study, and those on the values of the image once they are known."""
        if (scan := self._shown_scan.scan) is not None:
            # What the warning above says is not said twice.
            notes = [note for note in scan.study.notes if note != size_note(scan.geometry)]
            notes += self._value_notes.notes
            self.notes.setText("\n".join(notes))
            self.notes.setVisible(bool(notes))

    def _show_contrast(self) -> None:
        if (scan := self._shown_scan.scan) is not None:
            names = dict.fromkeys((*MODALITIES, _UNKNOWN, scan.modality))
            _fill(self.contrast, tuple(names), scan.modality)

    def _on_contrast(self, modality: str) -> None:
        self.modality_corrected.emit(modality)
        self._show_contrast()  # a name that is taken was refused

    def _show_voxel_size(self) -> None:
        scan = self._shown_scan.scan
        doubt = "" if scan is None else size_doubt(scan.geometry)
        self.size_doubt.setText(
            f"This voxel size can hardly be true: {doubt}. Figures in mm and ml follow it; type the true one above."
        )
        show_if(self.size_doubt, bool(doubt))
        if scan is not None:
            self.voxel_size.setText(_size_text(scan.geometry.voxel_size_mm))

    def _on_voxel_size(self) -> None:
        scan, text = self._shown_scan.scan, self.voxel_size.text()
        if scan is None or text == _size_text(scan.geometry.voxel_size_mm):
            return
        try:
            self.voxel_size_corrected.emit(parse_voxel_size(text))
        except InputError as error:
            self.failed.emit(error)
        self._show_voxel_size()  # the old one again where this one was refused

    def _buttons(self) -> QGridLayout:
        buttons = QGridLayout()
        buttons.setSpacing(6)
        self.labels_button = self._button("Open labels...", self._ask_labels, "Reference lesions, NIfTI or DICOM SEG")
        for place, button in enumerate(
            (
                self._button("Open files...", self._ask_files, "Images, DICOM or raw data of one patient"),
                self._button(
                    "Open folder...", self._ask_folder, "A folder with the images of one patient, or with DICOM"
                ),
                self._button("Sample patient", self.sample_chosen.emit, "A simulated patient with MS"),
                self.labels_button,
            )
        ):
            buttons.addWidget(button, place // 2, place % 2)
        return buttons

    @staticmethod
    def _button(text: str, call: Callable[[], None], tip: str) -> QPushButton:
        button = QPushButton(text)
        set_tip(button, tip)
        button.clicked.connect(lambda _checked: call())
        return button

    def _ask_files(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, "Open images of one patient", "", _FILES)
        if paths:
            self.paths_chosen.emit(paths)

    def _ask_folder(self) -> None:
        if folder := QFileDialog.getExistingDirectory(self, "Open a patient's folder"):
            self.paths_chosen.emit([folder])

    def _ask_labels(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open reference labels", "", _FILES)
        if path:
            self.voxel_for_voxel.hide()
            self.labels_chosen.emit(path)

    def offer_voxel_for_voxel(self, error: Exception) -> None:
        """Offer labels voxel for voxel where their position alone is in the way, however they were opened."""
        path = error.labels if isinstance(error, PositionError) else None
        self._labels_path = path or ""
        show_if(self.voxel_for_voxel, bool(path))

    def _on_voxel_for_voxel(self) -> None:
        self.voxel_for_voxel.hide()
        self.labels_chosen_voxel_for_voxel.emit(self._labels_path)


def _size_text(voxel_mm: tuple[float, float, float]) -> str:
    """Edges ``(z, y, x)`` as they are typed."""
    return ", ".join(f"{edge:.4g}" for edge in reversed(voxel_mm))


def _form() -> QFormLayout:
    """Rows that stand close."""
    form = QFormLayout()
    form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
    form.setVerticalSpacing(2)
    form.setHorizontalSpacing(12)
    return form


def _fill(box: QComboBox, names: Sequence[str], shown: str) -> None:
    with signals_blocked(box):
        box.clear()
        box.addItems(list(names))
        box.setCurrentText(shown)
