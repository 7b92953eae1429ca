"""Small pieces that the sections are built from."""

from collections.abc import Iterator
from contextlib import contextmanager

from qtpy.QtCore import QObject, Qt
from qtpy.QtGui import QPainter, QPaintEvent
from qtpy.QtWidgets import QComboBox, QFormLayout, QLabel, QSizePolicy, QWidget

from mrviewer_napari.widgets.plain_widgets import PlainLabel, set_tip

__all__ = [
    "ElidedLabel",
    "choice_box",
    "clear_form",
    "group_label",
    "keep_narrow",
    "quiet_label",
    "show_if",
    "signals_blocked",
    "warning_label",
]


@contextmanager
def signals_blocked(widget: QObject) -> Iterator[None]:
    """Let a widget be updated without it answering."""
    before = widget.blockSignals(True)
    try:
        yield
    finally:
        widget.blockSignals(before)


class ElidedLabel(PlainLabel):
    """One line at the right edge that gives way to what stands left of it, and ends in dots where it does not fit."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.setStyleSheet("color: #a0a4ab;")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draw as much of the text as fits."""
        del event
        painter = QPainter(self)
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)


def choice_box(tip: str) -> QComboBox:
    """Box to choose from that never makes the panel wider, however long its entries are."""
    box = QComboBox()
    set_tip(box, tip)
    keep_narrow(box)
    return box


def keep_narrow(box: QComboBox) -> None:
    """Keep the long entries of a box from making the panel wider."""
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(8)


def quiet_label(text: str = "") -> QLabel:
    """Wrapped text in a softer tone, for what explains."""
    label = PlainLabel(text)
    label.setWordWrap(True)
    label.setStyleSheet("color: #a0a4ab;")
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def warning_label() -> QLabel:
    """Wrapped text in a warm tone, for what was refused; hidden while there is nothing to say."""
    label = quiet_label()
    label.setStyleSheet("color: #E69F00;")
    label.hide()
    return label


def group_label(text: str) -> QLabel:
    """Heading of a group inside a section."""
    label = PlainLabel(text)
    label.setStyleSheet("color: #c3c7cd; font-weight: bold; font-size: 11px; padding-top: 4px;")
    return label


def show_if(widget: QWidget, wished: bool) -> None:
    """Show or hide a widget; doing neither again costs nothing, whereas Qt would lay everything out anew."""
    # A widget that has no parent yet counts as hidden, and is shown with its parent unless it was told to hide.
    told = widget.testAttribute(Qt.WidgetAttribute.WA_WState_ExplicitShowHide)
    if widget.isHidden() is wished or not (wished or told):
        widget.setVisible(wished)


def clear_form(form: QFormLayout) -> None:
    """Take all rows out of a form."""
    while form.rowCount():
        form.removeRow(0)
