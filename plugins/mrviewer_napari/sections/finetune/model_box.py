"""The second part of the section: the model to start from, what of it to train, and its options."""

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtGui import QBrush, QColor, QStandardItemModel
from qtpy.QtWidgets import QCheckBox, QDoubleSpinBox, QFormLayout, QVBoxLayout, QWidget

from mrviewer.sampling import mask_families
from mrviewer_napari.facts.method_facts import card_html
from mrviewer_napari.sections.finetune.facts.model_choice import ModelChoice
from mrviewer_napari.sections.finetune.facts.starting_models import ALL_PARTS, StartingModel, measured_modalities
from mrviewer_napari.sections.finetune.options_form import OptionsForm
from mrviewer_napari.widgets.controls import choice_box, quiet_label, show_if, signals_blocked, warning_label
from mrviewer_napari.widgets.plain_widgets import plain_tip, set_rich_tip

__all__ = ["ModelBox"]

_UNFIT = QBrush(QColor("#8b9098"))
"""Colour of models that the database does not fit: they can be chosen, to read why."""


class ModelBox(QWidget):
    """Boxes for the model, the measured image and the parts, and the form of options."""

    model_wished = Signal(str)

    def __init__(self, choice: ModelChoice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choice = choice
        self._models: tuple[StartingModel, ...] = ()
        self.model = choice_box("The model that goes on learning; its own weights are left as they are")
        self.about, self.reason = quiet_label(), warning_label()
        self.measured = choice_box("The image that is undersampled and reconstructed")
        self.mask = choice_box("The sampling mask that is trained most, and measured with")
        for family in mask_families():
            if family.is_drawn:
                self.mask.addItem(family.title, family.name)
        self.acceleration = QDoubleSpinBox(minimum=1.5, maximum=16, singleStep=0.5, decimals=1, value=4)
        self.parts: dict[str, QCheckBox] = {}
        self.options = OptionsForm()
        self.waiting = quiet_label("reading the options ...")
        self._form, self._parts_column = QFormLayout(), QVBoxLayout()
        self._build()
        self.model.activated.connect(self._wish_model)
        self.options.typed.connect(choice.type)
        choice.form_changed.connect(self._show_form)
        choice.checked.connect(self._show_problems)
        self._show_form()

    def _build(self) -> None:
        parts = QWidget()
        parts.setLayout(self._parts_column)
        self._parts_column.setContentsMargins(0, 0, 0, 0)
        self._parts_column.setSpacing(1)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._form.addRow("Start from", self.model)
        self._form.addRow(self.about)
        self._form.addRow(self.reason)
        self._form.addRow("Measured image", self.measured)
        self._form.addRow("Mask", self.mask)
        self._form.addRow("Acceleration", self.acceleration)
        self._form.addRow("Train", parts)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(self._form)
        layout.addWidget(self.waiting)
        layout.addWidget(self.options)

    @property
    def chosen(self) -> StartingModel | None:
        """The model that is chosen."""
        return next((model for model in self._models if model.card.name == self.model.currentText()), None)

    def show_models(self, models: Sequence[StartingModel], chosen: str, modalities: Sequence[str]) -> None:
        """Offer these models; those that the database does not fit stand in gray, and say why when chosen."""
        self._models = tuple(models)
        names = [model.card.name for model in models]
        with signals_blocked(self.model):
            if names != [self.model.itemText(place) for place in range(self.model.count())]:
                self.model.clear()
                self.model.addItems(names)
            self.model.setCurrentText(chosen)
        rows = self.model.model()
        if isinstance(rows, QStandardItemModel):
            for place, model in enumerate(models):
                rows.item(place).setForeground(QBrush() if model.fit else _UNFIT)
                rows.item(place).setToolTip("" if model.fit else plain_tip(f"{model.card.name} {model.fit.reason}"))
        self._show_chosen(modalities)

    def _show_chosen(self, modalities: Sequence[str]) -> None:
        model = self.chosen
        self.about.setText("" if model is None else model.card.title)
        self.reason.setText("" if model is None or model.fit else f"{model.card.name} {model.fit.reason}")
        show_if(self.about, model is not None)
        show_if(self.reason, bool(self.reason.text()))
        set_rich_tip(self.model, "" if model is None else card_html(model.card))
        measured = () if model is None else measured_modalities(model.card.needs, modalities)
        before = self.measured.currentText()
        self.measured.clear()
        self.measured.addItems(list(measured))
        self.measured.setCurrentText(before if before in measured else next(iter(measured), ""))
        for widget in (self.measured, self.mask, self.acceleration):
            self._form.setRowVisible(widget, model is not None and model.card.needs.kspace)

    def _show_form(self) -> None:
        form = self._choice.form
        show_if(self.waiting, self._choice.method is not None and form is None)
        show_if(self.options, form is not None)
        self._show_parts(() if form is None else form.parts)
        self.options.show_fields(() if form is None else form.fields, self._choice.typed)

    def _show_parts(self, names: Sequence[str]) -> None:
        if list(self.parts) != list(names):
            while (item := self._parts_column.takeAt(0)) is not None:
                item.widget().hide()  # it would be drawn until Qt comes round to deleting it
                item.widget().deleteLater()
            self.parts = {name: self._part_box(name) for name in names}
        self._form.setRowVisible(self._form.rowCount() - 1, bool(self.parts))
        self._enable_parts()

    def _part_box(self, name: str) -> QCheckBox:
        box = QCheckBox("all of it" if name == ALL_PARTS else name.replace("_", " "))
        box.setChecked(name in self._choice.parts)
        box.toggled.connect(self._wish_parts)
        self._parts_column.addWidget(box)
        return box

    def _show_problems(self) -> None:
        self.options.show_problems(self._choice.problems)

    def _wish_model(self) -> None:
        self.model_wished.emit(self.model.currentText())

    def _wish_parts(self, on: bool) -> None:
        del on
        self._enable_parts()
        every = ALL_PARTS in self.parts and self.parts[ALL_PARTS].isChecked()
        chosen = tuple(name for name, box in self.parts.items() if box.isChecked() and name != ALL_PARTS)
        self._choice.set_parts((ALL_PARTS,) if every else chosen)

    def _enable_parts(self) -> None:
        """A part alone has a meaning only while not all is trained."""
        every = ALL_PARTS in self.parts and self.parts[ALL_PARTS].isChecked()
        for name, box in self.parts.items():
            box.setEnabled(name == ALL_PARTS or not every)
