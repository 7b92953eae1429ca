"""Widgets that show text as it is: what a file or a folder is called is never taken for markup.

Qt guesses for labels and tool tips whether a text is HTML, and takes "&" in buttons and menus for a key. Nothing here
guesses: text is plain, and markup is asked for by name, with `html.escape` around everything that is not ours.
"""

from html import escape

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QMessageBox, QWidget

from mrviewer.plain_text import plain

__all__ = ["PlainLabel", "RichLabel", "key_text", "plain_tip", "say_in_box", "set_rich_tip", "set_tip"]


_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class PlainLabel(QLabel):
    """Shows text, whatever it looks like."""

    def __init__(self, text: str = "", *, alignment: Qt.AlignmentFlag = _LEFT) -> None:
        super().__init__(alignment=alignment)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)

    def setText(self, text: str) -> None:  # noqa: N802
        """Show another text."""
        super().setText(plain(text, lines=True))


class RichLabel(QLabel):
    """Shows markup that we wrote; foreign text in it went through `html.escape`."""

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setText(text)

    def setText(self, text: str) -> None:  # noqa: N802
        """Show other markup."""
        super().setText(plain(text, lines=True))


def plain_tip(text: str) -> str:
    """Text for a tool tip, where Qt always guesses: as it is if it is taken for text, else escaped."""
    text = plain(text, lines=True)
    return f"<qt>{escape(text).replace(chr(10), '<br>')}</qt>" if Qt.mightBeRichText(text) else text


def set_tip(widget: QWidget, text: str) -> None:
    """Give a widget a tool tip of text."""
    widget.setToolTip(plain_tip(text))


def set_rich_tip(widget: QWidget, text: str) -> None:
    """Give a widget a tool tip of our own markup."""
    widget.setToolTip(plain(text, lines=True))


def key_text(text: str) -> str:
    """Text for a button, a box to tick, a tab, a group or a menu, where "&" would mark a key."""
    return plain(text).replace("&", "&&")


def say_in_box(parent: QWidget, title: str, text: str) -> None:
    """Show a sentence in a box of its own, and wait until it is read."""
    box = QMessageBox(QMessageBox.Icon.Information, title, plain(text, lines=True), parent=parent)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.exec()
