"""One napari window that tests take turns with, for opening one costs seconds; each gets a panel of its own in it."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from app_model import Application
from napari import Viewer
from napari._app_model._app import NapariApplication, _napari_names
from napari._qt._qapp_model.qactions import init_qactions
from napari._qt.qt_viewer import QtViewer
from napari.plugins import _initialize_plugins
from napari.settings import get_settings
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication, QWidget

from mrviewer_napari import panel_registry
from mrviewer_napari.panel import MrPanel
from mrviewer_napari.tiles.napari_layers import part_of
from mrviewer_napari.widgets.window_events import OnClose, OnDrop

_NAME = "shared_window"


class SharedWindow:
    """Lends a window with a fresh panel; tiles that earlier panels left serve it, as where a panel is opened again.

    A window that a test closed, or in which one failed, is not lent again.
    """

    def __init__(self) -> None:
        self._viewer: Viewer | None = None
        self._app: NapariApplication | None = None

    @contextmanager
    def lent(self) -> Iterator[tuple[Viewer, MrPanel]]:
        """The window, with a panel in which nothing is open; both are reset afterwards."""
        if self._viewer is None:
            _initialize_plugins.cache_clear()
            init_qactions.cache_clear()
            self._app = NapariApplication(_NAME)
            self._app.injection_store.namespace = _napari_names
        with self._stand_ins():
            get_settings().reset()
            viewer = self._viewer = self._viewer or Viewer(show=True, show_welcome_screen=False)
            QtViewer._instances.clear()  # napari's own fixture takes one that lives on for a leak
            viewer.window._qt_window.resize(1700, 900)  # the layout of the tiles follows the shape of the canvas
            panel = panel_registry.dock_panel(viewer)
            assert isinstance(panel, MrPanel)
            yield viewer, panel
            self._take_back(viewer, panel)

    def close(self) -> None:
        """Close the window."""
        if self._viewer is not None:
            with self._stand_ins():
                if hasattr(self._viewer.window, "_qt_window"):
                    with patch.object(self._viewer.window._qt_window, "_save_current_window_settings"):
                        self._viewer.close()
            self._viewer = None
            Application.destroy(_NAME)
            _initialize_plugins.cache_clear()
            init_qactions.cache_clear()
            gc.collect()

    def _take_back(self, viewer: Viewer, panel: MrPanel) -> None:
        panel.shut_down()
        if not hasattr(viewer.window, "_qt_window"):
            self.close()
            return
        window = viewer.window._qt_window
        for watch in (*window.findChildren(OnClose), *window.findChildren(OnDrop)):
            for widget in (window, *window.findChildren(QWidget)):
                widget.removeEventFilter(watch)
            watch.deleteLater()
        viewer.window.remove_dock_widget(panel)
        panel.deleteLater()
        for layer in [layer for layer in viewer.layers if part_of(layer) is None]:
            viewer.layers.remove(layer)
        viewer.dims.ndisplay = 2
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    @contextmanager
    def _stand_ins(self) -> Iterator[None]:
        """What napari's own fixture puts in the place of its application, its console and a thread."""
        with (
            patch.object(NapariApplication, "get_app_model", lambda: self._app),
            patch.object(QtViewer, "_get_console", _without_console),
            patch("napari._qt.threads.status_checker.StatusChecker.start", _nothing),
        ):
            yield


def _nothing(*_: object) -> None:
    """Do nothing."""


def _without_console(*_: object) -> QWidget:
    widget: Any = QWidget()
    widget._update_theme = _nothing
    return widget
