"""Models of the person's own: their card, export, removal that can be undone, and import."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QFileDialog, QMenu, QScrollArea, QVBoxLayout, QWidget

from mrviewer.errors import MrviewerError
from mrviewer.finetuning import remove_model
from mrviewer.method import Card
from mrviewer.methods.own import (
    ENDING,
    export_model,
    import_model,
    removed_model_names,
    restore_model,
)
from mrviewer.plain_text import plain
from mrviewer_napari.facts.method_facts import card_html
from mrviewer_napari.session import Session
from mrviewer_napari.widgets.plain_widgets import RichLabel, key_text

__all__ = ["NO_ARROW", "CardWindow", "OwnModelMenu", "OwnModelsMenu"]

NO_ARROW = "QToolButton::menu-indicator { image: none; }"
"""Style of a button whose dots say that a menu comes."""

_WEIGHTS = f"Models (*{ENDING})"
_SIZE = (560, 520)


class OwnModelMenu(QMenu):
    """What can be done with one model."""

    def __init__(self, session: Session, card: Card, parent: QWidget) -> None:
        super().__init__(parent)
        self._session, self._card = session, card
        self.card_window: CardWindow | None = None
        self.addAction("Card...", self.show_card)
        self.addAction("Export...", self._ask_file)
        self.addAction("Remove", self.remove)

    def show_card(self) -> None:
        """Show what the model says of itself, and where it comes from."""
        self.card_window = CardWindow(self._card, self.parentWidget().window())
        self.card_window.show()

    def export(self, file: Path, *, replace_file: bool = False) -> None:
        """Write the model as one file."""
        name = self._card.name
        _told(self._session, lambda: f"Exported {name} to {export_model(name, file, replace_file=replace_file).name}")

    def remove(self) -> None:
        """Take the model out of the list; it can be restored from the menu of the section."""
        name = self._card.name

        def act() -> str:
            remove_model(name)
            return f"Removed {name}; Restore in the menu above the methods brings it back"

        session = self._session
        _told(session, act)
        session.reload_methods()

    def _ask_file(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Export the model", f"{self._card.name}.safetensors", _WEIGHTS)
        if path:
            # The dialog has asked whether to replace this file, but not one to whose name an ending is added.
            self.export(Path(path), replace_file=path.endswith(ENDING))


class OwnModelsMenu(QMenu):
    """Import a model, restore a removed one."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self._session = session
        self.addAction("Import model...", self._ask_file)
        self.restorable = self.addMenu("Restore")
        self.aboutToShow.connect(self.refresh)

    def refresh(self) -> None:
        """Offer the models that were removed."""
        self.restorable.clear()
        names = removed_model_names()
        for name in names:
            self.restorable.addAction(key_text(name), partial(self.restore, name))
        self.restorable.setEnabled(bool(names))

    def restore(self, name: str) -> None:
        """Put a removed model back."""
        self._bring(lambda: restore_model(name).card.name, "Restored")

    def take(self, file: Path) -> None:
        """Put a model from a file among one's own."""
        self._bring(lambda: import_model(file).card.name, "Imported")

    def _bring(self, act: Callable[[], str], word: str) -> None:
        """Put a model among the methods, unticked: nothing says that what is open is like what it learned from."""
        _told(self._session, lambda: f"{word} {act()}")
        self._session.reload_methods()

    def _ask_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Import a model", "", _WEIGHTS)
        if path:
            self.take(Path(path))


class CardWindow(QDialog):
    """What a model says of itself, at length."""

    def __init__(self, card: Card, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(plain(card.name))
        self.resize(*_SIZE)
        self.text = RichLabel(card_html(card))
        self.text.setWordWrap(True)
        self.text.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setMargin(8)
        scroll = QScrollArea(widgetResizable=True)
        scroll.setWidget(self.text)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.addWidget(scroll, 1)
        layout.addWidget(buttons)


def _told(session: Session, act: Callable[[], str]) -> None:
    """Do something with the files of models, and say how it went."""
    try:
        session.message.emit(act())
    except (MrviewerError, OSError) as error:
        session.report(error)
