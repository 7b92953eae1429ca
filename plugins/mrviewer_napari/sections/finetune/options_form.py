"""The form of a recipe's options, made from their descriptions: common ones first, the rest folded away."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject, Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QFormLayout, QLineEdit, QVBoxLayout, QWidget

from mrviewer_napari.widgets.controls import choice_box, clear_form, show_if, signals_blocked, warning_label
from mrviewer_napari.widgets.folding import Section
from mrviewer_napari.widgets.plain_widgets import PlainLabel, set_tip

if TYPE_CHECKING:
    from mrviewer.training.options import OptionField

__all__ = ["OptionEditor", "OptionsForm"]

_YES = ("true", "1")
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
            name = PlainLabel(item.name.replace("_", " "))
            set_tip(name, item.help)
            (self._common if item.common else self._rest).addRow(name, editor)
        show_if(self.more, bool(self._rest.rowCount()))

    def show_problems(self, problems: Mapping[str, str]) -> None:
        """Mark what cannot be used, with the sentence that says why; unfold where it stands."""
        for name, editor in self.editors.items():
            editor.show_problem(problems.get(name, ""))
        if any(name in problems and not editor.option.common for name, editor in self.editors.items()):
            self.more.expand()


class OptionEditor(QWidget):
    """A box, a tick or a line for one option, and room for a sentence under it."""

    typed = Signal(str, str)

    def __init__(self, option: "OptionField", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.option = option
        self.problem = warning_label()
        self.editor = self._make()
        set_tip(self.editor, option.help)
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

    def _make(self) -> QWidget:
        option = self.option
        if option.kind == "bool":
            box = QCheckBox()
            box.setChecked(option.default.lower() in _YES)
            box.toggled.connect(self._send_bool)
            return box
        if option.kind == "choice":
            choices = choice_box(option.help)
            choices.addItems(list(option.choices))
            choices.setCurrentText(option.default)
            choices.textActivated.connect(self._send)
            choices.installEventFilter(_NoWheel(choices))
            return choices
        line = QLineEdit(option.default)
        line.textEdited.connect(self._send)
        return line

    def set_text(self, text: str) -> None:
        """Show a value without sending it."""
        with signals_blocked(self.editor):
            if isinstance(self.editor, QLineEdit):
                self.editor.setText(text)
            elif isinstance(self.editor, QComboBox):
                self.editor.setCurrentText(text)
            elif isinstance(self.editor, QCheckBox):
                self.editor.setChecked(text.lower() in _YES)

    def _send(self, text: str) -> None:
        self.typed.emit(self.option.name, text)

    def _send_bool(self, on: bool) -> None:
        self.typed.emit(self.option.name, str(on))


class _NoWheel(QObject):
    """Leaves the wheel to the panel: a box under the mouse must not change while somebody scrolls."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Watch for the wheel."""
        del watched
        if event.type() == QEvent.Type.Wheel:
            event.ignore()
            return True
        return False


def _rows() -> QFormLayout:
    form = QFormLayout()
    form.setContentsMargins(0, 0, 0, 0)
    form.setHorizontalSpacing(10)
    form.setVerticalSpacing(3)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return form
