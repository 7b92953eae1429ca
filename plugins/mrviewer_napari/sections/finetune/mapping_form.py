"""The mapping: which channel is which modality, which label is the truth, which value is which class, voxel size."""

from collections.abc import Sequence
from dataclasses import replace

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QFormLayout, QHBoxLayout, QVBoxLayout, QWidget

from mrviewer.database import DatabaseMapping, Survey
from mrviewer_napari.widgets.controls import choice_box, clear_form, group_label, quiet_label, signals_blocked
from mrviewer_napari.widgets.plain_widgets import PlainLabel

__all__ = ["MappingForm"]

_MODALITIES = ("FLAIR", "T1", "T1Gd", "T2", "PD", "T2*", "DWI", "ADC")
_LEAVE_OUT = "leave out"
_NO_LABEL = "no labels"
_BACKGROUND = "background"
_FIRST_VOXEL_MM = (1.0, 1.0, 1.0)


class MappingForm(QWidget):
    """Edits a `DatabaseMapping`; the whole new mapping is sent after each change."""

    changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._mapping = DatabaseMapping()
        self._survey: Survey | None = None
        self.channels: dict[str, QComboBox] = {}
        self.values: dict[int, QComboBox] = {}
        self.label = choice_box("The segmentation that is taken for the truth")
        self.voxel = _VoxelSize()
        self._channel_rows, self._value_rows = _form(), _form()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(group_label("Channels of the files, and the modality of each"))
        layout.addLayout(self._channel_rows)
        layout.addWidget(group_label("Label"))
        layout.addWidget(self.label)
        layout.addLayout(self._value_rows)
        layout.addWidget(group_label("Voxel size"))
        layout.addWidget(self.voxel)
        layout.addStretch(1)
        self.label.activated.connect(self._send)
        self.voxel.changed.connect(self._send)

    @property
    def mapping(self) -> DatabaseMapping:
        """What is chosen."""
        label = self.label.currentData() or None
        return replace(
            self._mapping,
            modalities={name: _modality_of(box) for name, box in self.channels.items()},
            label=label,
            label_values=self._classes_of(label),
            voxel_mm=self.voxel.value,
        )

    def _classes_of(self, label: str | None) -> dict[int, int]:
        """Class of every value of a label source: as chosen, as it was, or the first class where nobody said."""
        if self._survey is None or label is None:
            return {}
        chosen = {value: max(box.currentIndex(), 0) for value, box in self.values.items()}
        known = {0: 0, **self._mapping.label_values, **chosen}
        return {value: known.get(value, 1) for value in {0: "", **self._survey.values_by_label.get(label, {})}}

    def show_mapping(self, survey: Survey, mapping: DatabaseMapping, classes: Sequence[str]) -> None:
        """Show a mapping of a database for a method with these classes."""
        self._mapping, self._survey = mapping, survey
        self._show_channels(survey, mapping)
        with signals_blocked(self.label):
            self.label.clear()
            for name in survey.labels:
                self.label.addItem(name, name)
            self.label.addItem(_NO_LABEL, "")
            self.label.setCurrentIndex(max(self.label.findData(mapping.label or ""), 0))
        self._show_values(survey, mapping, classes)
        self.voxel.show_value(mapping.voxel_mm)

    def _show_channels(self, survey: Survey, mapping: DatabaseMapping) -> None:
        if list(self.channels) != list(survey.channels):
            clear_form(self._channel_rows)
            self.channels = {name: self._modality_box() for name in survey.channels}
            for name, box in self.channels.items():
                self._channel_rows.addRow(PlainLabel(name), box)
        for name, box in self.channels.items():
            with signals_blocked(box):
                box.setCurrentText(mapping.modalities.get(name, "") or _LEAVE_OUT)

    def _modality_box(self) -> QComboBox:
        box = choice_box("A modality of this list, or any other word for one that no method knows")
        box.setEditable(True)
        for name in _MODALITIES:
            box.addItem(name, name)
        box.addItem(_LEAVE_OUT, "")
        box.activated.connect(self._send)
        box.lineEdit().editingFinished.connect(self._send)
        return box

    def _show_values(self, survey: Survey, mapping: DatabaseMapping, classes: Sequence[str]) -> None:
        names = [_BACKGROUND, *(classes or ("lesion",))]
        values = survey.values_by_label.get(mapping.label, {}) if mapping.label else {}
        clear_form(self._value_rows)
        self.values = {}
        for value, name in sorted(values.items()):
            if not value:
                continue
            box = choice_box("What the method calls these voxels")
            box.addItems([f"{number}  {word}" for number, word in enumerate(names)])
            box.setCurrentIndex(min(mapping.label_values.get(value, 1), len(names) - 1))
            box.activated.connect(self._send)
            self.values[value] = box
            self._value_rows.addRow(PlainLabel(f"{value}  {name}".strip()), box)

    def _send(self) -> None:
        if self.mapping != self._mapping:
            self._mapping = self.mapping
            self.changed.emit(self._mapping)


class _VoxelSize(QWidget):
    """Three lengths in the place of those of the headers."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.box = QCheckBox("not as the headers say")
        self.sizes = [QDoubleSpinBox(minimum=0.05, maximum=50, decimals=3, suffix=" mm") for _ in range(3)]
        row = QHBoxLayout()
        for size in self.sizes:
            row.addWidget(size)
            size.editingFinished.connect(self.changed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.box)
        layout.addLayout(row)
        layout.addWidget(quiet_label("Left-right, front-back, up-down; for headers that cannot be true."))
        self.box.toggled.connect(self._toggle)
        self.show_value(None)

    @property
    def value(self) -> tuple[float, float, float] | None:
        """``(z, y, x)`` in mm; `None` for that of the headers."""
        if not self.box.isChecked():
            return None
        x, y, z = (size.value() for size in self.sizes)
        return z, y, x

    def show_value(self, value: tuple[float, float, float] | None) -> None:
        with signals_blocked(self.box):
            self.box.setChecked(value is not None)
        for size, number in zip(self.sizes, (value or _FIRST_VOXEL_MM)[::-1], strict=True):
            size.setEnabled(value is not None)
            if value is not None or not size.value() or size.value() == size.minimum():
                size.setValue(number)

    def _toggle(self, on: bool) -> None:
        for size in self.sizes:
            size.setEnabled(on)
        self.changed.emit()


def _modality_of(box: QComboBox) -> str:
    """What an entry stands for, or the word that was typed; empty for a channel that is left out."""
    text = box.currentText().strip()
    data = box.itemData(box.findText(text))
    return data if isinstance(data, str) else text


def _form() -> QFormLayout:
    form = QFormLayout()
    form.setContentsMargins(0, 0, 0, 0)
    form.setHorizontalSpacing(12)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return form
