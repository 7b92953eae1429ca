"""The editor of one option, which magicgui makes from the type, limits and choices that its dataclass states."""

import math
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from pathlib import PurePath
from typing import Any, get_args, get_origin

from magicgui.type_map import TypeMap
from magicgui.widgets import CheckBox, ComboBox, FileEdit, LineEdit
from magicgui.widgets.bases import BaseValueWidget
from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QAbstractSpinBox, QComboBox, QDoubleSpinBox, QWidget

from mrviewer.errors import InputError
from mrviewer.options import Limits, OptionField, is_optional, option_fields, required_type, written
from mrviewer_napari.widgets.controls import keep_narrow
from mrviewer_napari.widgets.plain_widgets import set_tip

__all__ = ["OptionWidget", "option_values", "option_widgets"]

_WHOLE = (-(2**31), 2**31 - 1)
"""What a spin box of Qt holds; one of magicgui ends at 999 otherwise."""
_STEPS = 20
"""Steps from one limit to the other, where none is declared."""
_DECIMALS = (3, 4)
"""Shown at least in a spin box, and at most: what needs more, such as 1e-6, is typed in a line."""
_NARROW = "min-width: 34px;"
"""Of the boxes of a tuple, which stand side by side; napari's style would make three of them wider than the panel."""
_READ_HERE = ("min", "max", "step", "choices", "label", "tooltip")
"""Words of ``Annotated`` that are read here, and not by the widget."""

_TYPES = TypeMap()
"""From types to widgets; napari's own map is another one, and stays as it is."""


class OptionWidget:
    """One option in a form: it shows and gives the value as it is typed on a command line.

    Parameters
    ----------
    option
        What to edit; its value is shown.
    """

    def __init__(self, option: OptionField) -> None:
        self.option = option
        self.widget = _make(option)
        self.native: QWidget = self.widget.native
        for widget in (self.native, *self.native.findChildren(QWidget)):
            set_tip(widget, self.tip)
            if isinstance(widget, QComboBox):
                keep_narrow(widget)
            if isinstance(widget, QAbstractSpinBox) and widget is not self.native:
                widget.setStyleSheet(_NARROW)
            if isinstance(widget, QComboBox | QAbstractSpinBox):
                widget.installEventFilter(_NoWheel(widget))
        self.show(option.text)

    @property
    def label(self) -> str:
        """What stands before it."""
        return str(self.option.annotated.get("label") or self.option.name.replace("_", " "))

    @property
    def tip(self) -> str:
        """The help of the option, and which numbers it takes."""
        limits = self.option.traits.limits
        told = str(self.option.annotated.get("tooltip") or self.option.help)
        return "\n".join(filter(None, (told, f"Takes {limits.in_words}." if limits else "")))

    @property
    def text(self) -> str:
        """What is shown, as it is typed."""
        return written(self.widget.line_edit.value if isinstance(self.widget, FileEdit) else self.widget.value)

    @property
    def value(self) -> object:
        """What is shown; raises `InputError` if it cannot be used."""
        return self.option.read(self.text)

    def show(self, text: str) -> None:
        """Show a value without sending it; one that the widget cannot hold leaves it as it is."""
        with self.widget.changed.blocked():
            if isinstance(self.widget, FileEdit):
                self.widget.line_edit.value = text
            elif isinstance(self.widget, LineEdit):
                self.widget.value = text
            elif isinstance(self.widget, ComboBox):
                if text in self.widget.choices:
                    self.widget.value = text
            elif (value := _read(self.option, text)) is not None:
                self._make_room(value)
                self.widget.value = value

    def on_change(self, tell: Callable[[str], None]) -> None:
        """Call with the text whenever it changes, but not from `show`."""
        self.widget.changed.connect(lambda: tell(self.text))

    def _make_room(self, value: object) -> None:
        """Have a spin box show all decimals of a value, for it would round it."""
        for box in (self.native, *self.native.findChildren(QDoubleSpinBox)):
            if isinstance(box, QDoubleSpinBox):
                box.setDecimals(max(box.decimals(), _DECIMALS[0], _decimals(value)))


def option_widgets(record: Any, hidden: Collection[str] = ()) -> dict[str, OptionWidget]:  # noqa: ANN401
    """Make the editors of the fields of a dataclass, by their names; `record` gives the values that they show."""
    return {item.name: OptionWidget(item) for item in option_fields(record, hidden)}


def option_values(widgets: Mapping[str, OptionWidget]) -> dict[str, Any]:
    """Return what is shown, by the names of the fields; raises `InputError` if one of them cannot be used."""
    return {name: widget.value for name, widget in widgets.items()}


def _make(option: OptionField) -> BaseValueWidget[Any]:
    annotation, settings = _editor_for(option)
    settings |= {word: value for word, value in option.annotated.items() if word not in _READ_HERE}
    widget = _TYPES.create_widget(name=option.name, annotation=annotation, options=settings)
    if not isinstance(widget, BaseValueWidget):
        raise InputError(f"option {option.name} asks for a widget that holds no value; declare another widget_type")
    if isinstance(widget, CheckBox) and "text" not in settings:
        # The name stands before it.
        widget.text = ""
    if isinstance(widget, FileEdit):
        widget.choose_btn.text = "Browse..."
    return widget


def _editor_for(option: OptionField) -> tuple[Any, dict[str, Any]]:
    """Type and settings for magicgui: ticks, choices, paths and numbers get its widgets, and the rest is typed."""
    kind = required_type(option.kind)
    if choices := _choices(option):
        return str, {"widget_type": ComboBox, "choices": choices}
    if option.traits.is_path or (isinstance(kind, type) and issubclass(kind, PurePath)):
        return str, {"widget_type": FileEdit, "nullable": True}
    if kind is bool:
        return bool, {}
    if not _suits_spin_boxes(option):
        return str, {"widget_type": LineEdit}
    inner = _range(get_args(kind)[0] if get_args(kind) else kind, option)
    return (kind, {"options": inner}) if get_args(kind) else (kind, inner)


def _choices(option: OptionField) -> list[tuple[str, str]]:
    """Words and texts of the choices; magicgui's own pairs of ``Annotated`` bring their words along."""
    values = option.choices or ((True, False) if option.kind == bool | None else ())
    words = {
        written(pair[1]): str(pair[0])
        for pair in option.annotated.get("choices", ())
        if isinstance(pair, tuple) and len(pair) == 2
    }
    texts = list(map(written, values))
    if values and is_optional(option.kind) and "" not in texts:
        texts.insert(0, "")
    return [(words.get(text, text or "not set"), text) for text in texts]


def _suits_spin_boxes(option: OptionField) -> bool:
    """Integers, and numbers between two limits or with a step; one that no box could show stays a line."""
    kind, limits = option.kind, option.traits.limits
    kinds = get_args(kind) if get_origin(kind) is tuple else (kind,)
    if len(set(kinds)) > 1 or _read(option, option.text) is None:
        return False
    has_steps = option.traits.step is not None or (limits is not None and limits.is_closed)
    return kinds[0] is int or (kinds[0] is float and has_steps and _decimals(option.value) <= _DECIMALS[1])


def _range(kind: type, option: OptionField) -> dict[str, Any]:
    """Ends and step of a spin box; the open end of a range of integers is the next one."""
    limits = option.traits.limits or Limits(-math.inf)
    low, high = max(limits.low, _WHOLE[0]), min(limits.high, _WHOLE[1])
    if kind is int:
        return {"min": math.floor(low) + 1 if limits.is_open else math.ceil(low), "max": math.floor(high)} | (
            {"step": option.traits.step} if option.traits.step else {}
        )
    return {"min": low, "max": high, "step": option.traits.step or (high - low) / _STEPS}


def _read(option: OptionField, text: str) -> object:
    """What a text means; `None` if nothing, or if it cannot be used."""
    try:
        return option.read(text)
    except InputError:
        return None


def _decimals(value: object) -> int:
    """Digits behind the point that a number, or the longest of several, needs."""
    numbers = value if isinstance(value, tuple) else (value,)
    digits = [Decimal(repr(number)).normalize().as_tuple().exponent for number in numbers if isinstance(number, float)]
    return max([0, *(-one for one in digits if isinstance(one, int))])


class _NoWheel(QObject):
    """Leaves the wheel to the panel: a box under the mouse must not change while the user scrolls."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Watch for the wheel."""
        del watched
        if event.type() == QEvent.Type.Wheel:
            event.ignore()
            return True
        return False
