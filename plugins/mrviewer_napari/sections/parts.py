"""Small pieces that the sections are built from."""

from collections.abc import Iterator
from contextlib import contextmanager

from qtpy.QtCore import QObject, Qt
from qtpy.QtWidgets import QFormLayout, QLabel, QWidget

__all__ = ["clear_form", "quiet_label", "show_if", "signals_blocked"]


@contextmanager
def signals_blocked(widget: QObject) -> Iterator[None]:
    """Let a widget be updated without it answering."""
    before = widget.blockSignals(True)
    try:
        yield
    finally:
        widget.blockSignals(before)


def quiet_label(text: str = "") -> QLabel:
    """Wrapped text in a softer tone, for what explains."""
    label = QLabel(text)
    label.setWordWrap(True)
    label.setStyleSheet("color: #a0a4ab;")
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def show_if(widget: QWidget, wished: bool) -> None:
    """Show or hide a widget; doing neither again costs nothing, whereas Qt would lay everything out anew."""
    if widget.isHidden() is wished:
        widget.setVisible(wished)


def clear_form(form: QFormLayout) -> None:
    """Take all rows out of a form."""
    while form.rowCount():
        form.removeRow(0)
