"""A heading that folds what is under it."""

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QSizePolicy, QWidget
from superqt import QCollapsible

__all__ = ["Section"]

_ANY_HEIGHT = (1 << 24) - 1
"""What Qt takes for no limit."""

_HEADING = (
    "QPushButton { background: transparent; border: none; border-top: 1px solid #5a626c; border-radius: 0;"
    " text-align: left; font-weight: bold; padding: 6px 0; }"
)
"""Headings that stand back behind what they head; the colours of napari's themes shine through."""


class Section(QCollapsible):
    """A heading that folds what is under it.

    `QCollapsible` holds its content at the height that it would like best, too little for text that has to be wrapped.
    """

    def __init__(self, title: str, widget: QWidget) -> None:
        super().__init__(title)
        self.setDuration(0)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self.layout().setAlignment(Qt.AlignmentFlag(0))
        self.toggleButton().setStyleSheet(_HEADING)
        self.layout().setContentsMargins(0, 0, 0, 0)
        self.addWidget(widget)
        self.expand()

    def expand(self, animate: bool = False) -> None:
        """Unfold."""
        super().expand(animate=False)
        self.content().setMaximumHeight(_ANY_HEIGHT)

    def collapse(self, animate: bool = False) -> None:
        """Fold."""
        super().collapse(animate=False)

    def eventFilter(self, a0: QObject, a1: QEvent) -> bool:  # noqa: N802
        """Leave the height to the layout, whatever the content does."""
        del a0, a1
        return False
