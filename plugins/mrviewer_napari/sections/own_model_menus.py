"""Menus of models of the user's own: their card, export, removal that can be undone, and import."""

from functools import partial
from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QFileDialog, QMenu, QScrollArea, QVBoxLayout, QWidget

from mrviewer.method import Card
from mrviewer.methods.own import ENDING, removed_model_names
from mrviewer.plain_text import plain
from mrviewer_napari.facts.method_facts import card_html
from mrviewer_napari.sections.own_models import OwnModels
from mrviewer_napari.widgets.plain_widgets import RichLabel, key_text

__all__ = ["NO_ARROW", "CardWindow", "OwnModelMenu", "OwnModelsMenu"]

NO_ARROW = "QToolButton::menu-indicator { image: none; }"
"""Style of a button whose dots say that a menu comes."""

_WEIGHTS = f"Models (*{ENDING})"
_SIZE = (560, 520)


class OwnModelMenu(QMenu):
    """What can be done with one model."""

    def __init__(self, models: OwnModels, card: Card, parent: QWidget) -> None:
        super().__init__(parent)
        self._models, self._card = models, card
        self.card_window: CardWindow | None = None
        self.addAction("Card...", self.show_card)
        self.addAction("Export...", self._ask_file)
        self.addAction("Remove", self.remove)

    def show_card(self) -> None:
        """Show what the model says of itself, and where it comes from."""
        self.card_window = CardWindow(self._card, self.parentWidget().window())
        self.card_window.show()

    def remove(self) -> None:
        """Take the model out of the list; the menu of the section brings it back."""
        self._models.remove(self._card.name)

    def _ask_file(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Export the model", f"{self._card.name}.safetensors", _WEIGHTS)
        if path:
            # The dialog has asked whether to replace this file, but not one to whose name an ending is added.
            self._models.export(self._card.name, Path(path), replace_file=path.endswith(ENDING))


class OwnModelsMenu(QMenu):
    """Import a model, restore a removed one."""

    def __init__(self, models: OwnModels, parent: QWidget) -> None:
        super().__init__(parent)
        self._models = models
        self.addAction("Import model...", self._ask_file)
        self.restorable = self.addMenu("Restore")
        self.aboutToShow.connect(self.refresh)

    def refresh(self) -> None:
        """Offer the models that were removed."""
        self.restorable.clear()
        names = removed_model_names()
        for name in names:
            self.restorable.addAction(key_text(name), partial(self._models.restore, name))
        self.restorable.setEnabled(bool(names))

    def _ask_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Import a model", "", _WEIGHTS)
        if path:
            self._models.take(Path(path))


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
