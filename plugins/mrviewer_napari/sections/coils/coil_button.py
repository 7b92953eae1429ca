"""A button that opens the dock Coils; there where a scan has several coils."""

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QMainWindow, QPushButton, QWidget

from mrviewer_napari.sections.coils.coil_view import CoilView
from mrviewer_napari.session import Session
from mrviewer_napari.widgets.controls import show_if

__all__ = ["CoilButton"]


class CoilButton(QPushButton):
    """Shows and hides the dock, which is made at the first click.

    Attributes
    ----------
    coils
        The pictures; `None` until they are wished.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__("Coils...", parent)
        self._session = session
        self.coils: CoilView | None = None
        self._dock: QDockWidget | None = None
        self.setToolTip("What every coil sees of the shown slice: images and sensitivities, magnitude and phase")
        self.clicked.connect(self.open_dock)
        session.scan_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Be there for a scan of several coils; the dock goes with the last of them."""
        scan = self._session.scan
        several = scan is not None and scan.raw.shape[1] > 1
        show_if(self, several)
        if self._dock is not None and not several:
            self._dock.close()

    def open_dock(self) -> None:
        """Show the pictures under the tiles."""
        if self._dock is None:
            self._dock = self._make_dock()
        self._dock.show()
        self._dock.raise_()

    def close_jobs(self, wait_s: float) -> bool:
        """Stop for good; says whether the thread has ended."""
        return self.coils is None or self.coils.close_jobs(wait_s)

    def _make_dock(self) -> QDockWidget:
        window = self.window()
        self.coils = CoilView(self._session)
        dock = QDockWidget("Coils", window)
        dock.setObjectName("mrviewer coils")
        dock.setWidget(self.coils)
        if isinstance(window, QMainWindow):
            # Under the tiles alone: the panel keeps its height.
            window.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
            window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
        else:
            dock.setFloating(True)
        return dock
