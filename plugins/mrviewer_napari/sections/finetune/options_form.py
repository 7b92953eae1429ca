"""The form of a recipe's options, made from their descriptions: common ones first, the rest folded away."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QVBoxLayout, QWidget

from mrviewer_napari.widgets.controls import clear_form, show_if, warning_label
from mrviewer_napari.widgets.folding import Section
from mrviewer_napari.widgets.option_widget import OptionWidget
from mrviewer_napari.widgets.plain_widgets import PlainLabel, set_tip

if TYPE_CHECKING:
    from mrviewer.options import OptionField

__all__ = ["OptionEditor", "OptionsForm"]

_WRONG = "border: 1px solid #E69F00;"


class OptionsForm(QWidget):
    """One editor for each option."""

    typed = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.editors: dict[str, OptionEditor] = {}
        self._common, self._rest = _rows(), _rows()
        common, rest = QWidget(), QWidget()
        common.setLayout(self._common)
        rest.setLayout(self._rest)
        self.more = Section("More options", rest)
        self.more.collapse()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(common)
        layout.addWidget(self.more)

    def show_fields(self, fields: "Iterable[OptionField]", typed: Mapping[str, str]) -> None:
        """Show these options, with what was typed for some of them; what stays the same is left as it stands."""
        fields = tuple(fields)
        if [editor.option for editor in self.editors.values()] == list(fields):
            return
        clear_form(self._common)
        clear_form(self._rest)
        self.editors = {}
        for item in fields:
            editor = OptionEditor(item)
            if item.name in typed:
                editor.set_text(typed[item.name])
            editor.typed.connect(self.typed)
            self.editors[item.name] = editor
            name = PlainLabel(editor.widget.label)
            set_tip(name, editor.widget.tip)
            (self._common if item.traits.common else self._rest).addRow(name, editor)
        show_if(self.more, bool(self._rest.rowCount()))

    def show_problems(self, problems: Mapping[str, str]) -> None:
        """Mark what cannot be used, with the sentence that says why; unfold where it stands."""
        for name, editor in self.editors.items():
            editor.show_problem(problems.get(name, ""))
        if any(name in problems and not editor.option.traits.common for name, editor in self.editors.items()):
            self.more.expand()


class OptionEditor(QWidget):
    """The widget of one option, and room for a sentence under it."""

    typed = Signal(str, str)

    def __init__(self, option: "OptionField", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.option = option
        self.problem = warning_label()
        self.widget = OptionWidget(option)
        self.editor = self.widget.native
        self.widget.on_change(self._send)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        layout.addWidget(self.editor)
        layout.addWidget(self.problem)

    def show_problem(self, text: str) -> None:
        """Mark or clear the option."""
        self.editor.setStyleSheet(_WRONG if text else "")
        self.problem.setText(text)
        show_if(self.problem, bool(text))

    def set_text(self, text: str) -> None:
        """Show a value without sending it."""
        self.widget.show(text)

    def _send(self, text: str) -> None:
        self.typed.emit(self.option.name, text)


def _rows() -> QFormLayout:
    form = QFormLayout()
    form.setContentsMargins(0, 0, 0, 0)
    form.setHorizontalSpacing(10)
    form.setVerticalSpacing(3)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return form
