"""A button that opens the dock Coils; there where a scan has several coils."""

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QDockWidget, QMainWindow, QPushButton, QWidget

from mrviewer_napari.opening.shown_scan import ShownScan
from mrviewer_napari.panel_state import PanelState
from mrviewer_napari.sections.coils.coil_view import CoilView
from mrviewer_napari.tiles.tile_grid import TileGrid
from mrviewer_napari.widgets.controls import show_if

__all__ = ["CoilButton"]


class CoilButton(QPushButton):
    """Shows and hides the dock, which is made at the first click.

    Signals
    -------
    failed : Exception

    Attributes
    ----------
    coils
        The pictures; `None` until they are asked for.
    """

    failed = Signal(object)

    def __init__(self, shown_scan: ShownScan, grid: TileGrid, state: PanelState, parent: QWidget | None = None) -> None:
        super().__init__("Coils...", parent)
        self._shown_scan, self._grid, self._state = shown_scan, grid, state
        self.coils: CoilView | None = None
        self._dock: QDockWidget | None = None
        self.setToolTip("What every coil sees of the shown slice: images and sensitivities, magnitude and phase")
        self.clicked.connect(self.open_dock)
        shown_scan.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Be there for a scan of several coils; the dock goes with the last of them."""
        scan = self._shown_scan.scan
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
        self.coils = CoilView(self._shown_scan, self._grid, self._state)
        self.coils.failed.connect(self.failed)
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
