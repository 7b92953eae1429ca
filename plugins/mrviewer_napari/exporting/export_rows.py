"""Rows of the export window: a box for each item, greyed with its reason where it cannot be."""

from collections.abc import Mapping

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QGroupBox, QHBoxLayout, QVBoxLayout, QWidget

from mrviewer_napari.exporting.export_items import Group, Item
from mrviewer_napari.widgets.controls import ElidedLabel, signals_blocked
from mrviewer_napari.widgets.plain_widgets import key_text, set_tip

__all__ = ["ItemGroup", "ItemRow"]

_USUAL = frozenset({Item.IMAGE, Item.ERROR, Item.SEGMENTATION, Item.MASK, Item.NUMBERS})
"""Ticked until somebody unticks them."""


class ItemRow(QWidget):
    """One item; a tick is remembered while the item cannot be."""

    toggled = Signal()

    def __init__(self, item: Item) -> None:
        super().__init__()
        self.item = item
        self._wished = item in _USUAL
        self.box, self.reason = QCheckBox(key_text(item.title)), ElidedLabel("")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.box)
        layout.addWidget(self.reason, 1)
        self.box.toggled.connect(self._take)
        self.refuse("")

    @property
    def is_on(self) -> bool:
        """Whether it is wished and can be."""
        return self.box.isEnabled() and self.box.isChecked()

    def refuse(self, reason: str) -> None:
        """Grey it with a reason, or offer it again."""
        with signals_blocked(self.box):
            self.box.setChecked(self._wished and not reason)
        self.box.setEnabled(not reason)
        self.reason.setText(reason)
        for widget in (self.box, self.reason):
            set_tip(widget, f"{self.item.tip}\n{reason}" if reason else self.item.tip)

    def _take(self, on: bool) -> None:
        self._wished = on
        self.toggled.emit()


class ItemGroup(QGroupBox):
    """The items of one heading; more widgets may follow below them."""

    toggled_item = Signal()

    def __init__(self, group: Group) -> None:
        super().__init__(group.value)
        self.rows = {item: ItemRow(item) for item in Item if item.group is group}
        self.column = QVBoxLayout(self)
        self.column.setSpacing(3)
        for row in self.rows.values():
            row.toggled.connect(self.toggled_item)
            self.column.addWidget(row)

    def refuse(self, reasons: Mapping[Item, str]) -> None:
        """Grey what cannot be."""
        for item, row in self.rows.items():
            row.refuse(reasons.get(item, ""))
