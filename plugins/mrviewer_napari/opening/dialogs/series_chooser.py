"""The series chooser: what a folder, a disk or a zip of DICOM holds, and what of it is to be opened."""

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from mrviewer.readers.dicom import SeriesEntry
from mrviewer.readers.dicom.series import with_volume
from mrviewer_napari.opening.dialogs.pixmaps import pixmap_of
from mrviewer_napari.opening.dialogs.series_rows import (
    Ticks,
    modality_choices,
    size_text,
    study_text,
    title,
)
from mrviewer_napari.opening.questions import SeriesQuestion
from mrviewer_napari.widgets.controls import choice_box, quiet_label, signals_blocked
from mrviewer_napari.widgets.plain_widgets import plain_tip

__all__ = ["SeriesChooser"]

_SIZE = (1120, 680)
_COLUMNS = ("Series", "Open as", "Columns × rows × slices", "Voxel size (mm)", "To know")
_WIDTHS = (310, 210, 160, 140)
_THUMBNAIL = 64
_SERIES, _MODALITY, _MATRIX, _VOXEL, _REMARKS = range(len(_COLUMNS))
_GREY = QColor("#7d838c")
_BOXES = "QTreeWidget::indicator:unchecked { border: 1px solid #8a9099; border-radius: 2px; }"
"""Empty boxes that can be seen on the dark ground."""


class SeriesChooser(QDialog):
    """Rows by study: tick series, correct what they are, and open them.

    Parameters
    ----------
    question
        The series.
    """

    def __init__(self, question: SeriesQuestion, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Open series")
        self.resize(*_SIZE)
        self._question = question
        self.ticks = Ticks(question)
        self.rows: dict[int, QTreeWidgetItem] = {}
        self.modalities: dict[int, QComboBox] = {}
        self.volumes: dict[int, QComboBox] = {}
        self.tree = self._make_tree()
        self.remark = quiet_label()
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(quiet_label("Series on one grid open together as one study. A double click opens one alone."))
        layout.addWidget(self.tree, 1)
        layout.addWidget(self.remark)
        layout.addWidget(self.buttons)
        self._fill()

    @property
    def chosen(self) -> list[SeriesEntry]:
        """Ticked series, as what and with which volume the user wants them."""
        chosen = []
        for number in sorted(self.ticks.numbers):
            entry = self._question.entries[number]
            if number in self.volumes:
                entry = with_volume(entry, self.volumes[number].currentIndex())
            chosen.append(replace(entry, modality=self.modalities[number].currentData()))
        return chosen

    def show_thumbnail(self, number: int, grey: NDArray[np.uint8]) -> None:
        """Show the picture of a series in its row."""
        with signals_blocked(self.tree):
            self.rows[number].setIcon(0, _icon(pixmap_of(grey)))
        self.tree.viewport().update()

    def _make_tree(self) -> QTreeWidget:
        tree = QTreeWidget()
        tree.setHeaderLabels(list(_COLUMNS))
        tree.setIconSize(QSize(_THUMBNAIL, _THUMBNAIL))
        tree.setWordWrap(True)
        tree.setStyleSheet(_BOXES)
        tree.setRootIsDecorated(False)
        tree.setIndentation(14)
        tree.setExpandsOnDoubleClick(False)
        for column, width in enumerate(_WIDTHS):
            tree.setColumnWidth(column, width)
        tree.header().setSectionResizeMode(_REMARKS, QHeaderView.ResizeMode.Stretch)
        tree.itemChanged.connect(self._on_tick)
        tree.itemDoubleClicked.connect(self._on_double_click)
        return tree

    def _fill(self) -> None:
        entries = self._question.entries
        with signals_blocked(self.tree):
            for study in dict.fromkeys(entry.study for entry in entries):
                heading = QTreeWidgetItem([study_text(entries, study)])
                heading.setFlags(Qt.ItemFlag.ItemIsEnabled)
                font = heading.font(0)
                font.setBold(True)
                heading.setFont(0, font)
                self.tree.addTopLevelItem(heading)
                heading.setFirstColumnSpanned(True)
                heading.setExpanded(True)
                for number, entry in enumerate(entries):
                    if entry.study == study:
                        self._add_row(heading, number, entry)
        self._show_ticks()
        for number in self.ticks.images[:1]:
            self.tree.scrollToItem(self.rows[number])

    def _add_row(self, heading: QTreeWidgetItem, number: int, entry: SeriesEntry) -> None:
        head, sequence = title(entry)
        remarks = "\n".join(self.ticks.remarks(number))
        size, voxel = size_text(entry)
        row = QTreeWidgetItem([f"{head}\n{sequence}".strip(), "", size, voxel, remarks])
        heading.addChild(row)
        self.rows[number] = row
        row.setData(0, Qt.ItemDataRole.UserRole, number)
        row.setSizeHint(0, QSize(0, _THUMBNAIL + 10))
        row.setIcon(0, _icon(_blank()))
        row.setToolTip(_REMARKS, plain_tip(remarks))
        row.setToolTip(0, plain_tip(f"{head}\n{sequence}".strip()))
        if self.ticks.refusal(number):
            row.setFlags(Qt.ItemFlag.NoItemFlags)
            for column in range(len(_COLUMNS)):
                row.setForeground(column, _GREY)
            return
        row.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
        self._add_choices(row, number, entry)

    def _add_choices(self, row: QTreeWidgetItem, number: int, entry: SeriesEntry) -> None:
        """Boxes for what a series is, and for which of its volumes is meant."""
        cell = QWidget()
        column = QVBoxLayout(cell)
        column.setContentsMargins(2, 2, 6, 2)
        column.setSpacing(3)
        box = choice_box("What the series is; proposed from its header")
        for text, modality in modality_choices(entry):
            box.addItem(text, modality)
        box.setCurrentIndex(box.findData(entry.modality))
        box.activated.connect(partial(self._on_modality, number))
        self.modalities[number] = box
        column.addWidget(box)
        if len(entry.stacks) > 1:
            volumes = choice_box("The series holds several volumes; one opens")
            volumes.addItems([label or f"volume {place + 1}" for place, label in enumerate(entry.volumes)])
            for place, label in enumerate(entry.volumes):
                volumes.setItemData(place, plain_tip(label), Qt.ItemDataRole.ToolTipRole)
            volumes.activated.connect(partial(self._on_volume, number))
            self.volumes[number] = volumes
            column.addWidget(volumes)
        self.tree.setItemWidget(row, _MODALITY, cell)

    def _show_ticks(self) -> None:
        with signals_blocked(self.tree):
            for number, row in self.rows.items():
                if number in self.modalities:
                    ticked = number in self.ticks.numbers
                    row.setCheckState(0, Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
                    box = self.modalities[number]
                    if ticked and box.currentData() is None:
                        box.setCurrentIndex(box.findData(self._question.entries[number].modality))
        open_button = self.buttons.button(QDialogButtonBox.StandardButton.Open)
        open_button.setEnabled(bool(self.ticks.images))

    def _on_tick(self, row: QTreeWidgetItem, column: int) -> None:
        number = row.data(0, Qt.ItemDataRole.UserRole)
        if column == 0 and number in self.modalities:
            self._tick(number, on=row.checkState(0) == Qt.CheckState.Checked)

    def _on_modality(self, number: int, _row: int) -> None:
        self._tick(number, on=self.modalities[number].currentData() is not None)

    def _on_volume(self, number: int, volume: int) -> None:
        """Call another volume what it is: a phase or a map is not T1."""
        modality, box = with_volume(self._question.entries[number], volume).modality, self.modalities[number]
        if box.currentData() is None:
            return
        if box.findData(modality) < 0:
            box.insertItem(0, modality, modality)
        box.setCurrentIndex(box.findData(modality))

    def _tick(self, number: int, *, on: bool) -> None:
        leaving = self.ticks.set(number, on=on)
        names = ", ".join(title(self._question.entries[other])[0] for other in leaving)
        self.remark.setText(
            f"Unticked {names}: on another grid, or of another study, than what was ticked last" if names else ""
        )
        self._show_ticks()

    def _on_double_click(self, row: QTreeWidgetItem, column: int) -> None:
        del column
        number = row.data(0, Qt.ItemDataRole.UserRole)
        if number in self.modalities:
            self.ticks.only(number)
            self._show_ticks()
            self.accept()


def _icon(picture: QPixmap) -> QIcon:
    """The same picture whether its row can be ticked or not."""
    icon = QIcon(picture)
    icon.addPixmap(picture, QIcon.Mode.Disabled)
    return icon


def _blank() -> QPixmap:
    """Room for a picture that has not come."""
    pixmap = QPixmap(_THUMBNAIL, _THUMBNAIL)
    pixmap.fill(QColor("#1b1d21"))
    return pixmap
