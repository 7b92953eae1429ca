"""The application: napari with the panel docked."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QDockWidget, QWidget

from mrviewer.evaluation.conditions import SamplingCondition
from mrviewer_napari.panel import MrPanel
from mrviewer_napari.panel_registry import dock_panel
from mrviewer_napari.screenshot import save_window
from mrviewer_napari.session import Session

__all__ = ["build", "main"]

_DEMO_METHODS = ("zero-filled", "cs-wavelet", "d5c5", "itfs-drlc")
_LAYER_DOCKS = ("layer list", "layer controls")
_SIZE = (1760, 1080)
_SHUTTER_MS = 500
"""Time for the last redraw."""
_DEMO_MASK = SamplingCondition("random", 4.0, 0.08, 0)


def main(
    paths: Sequence[str],
    *,
    demo: bool = False,
    screenshot: Path | None = None,
    voxel_mm: tuple[float, float, float] | None = None,
) -> int:
    """Open the window and stay until it is closed.

    Parameters
    ----------
    paths
        Files or folders of one study; the sample patient if there are none.
    demo
        Show the sample patient with the mask and the methods of the demonstration.
    screenshot
        Wait until everything is computed, write a PNG of the whole window here, and end.
    voxel_mm : (z, y, x)
        True voxel size of that study in place of its files'.

    Returns
    -------
    Exit code: 0 when the window was closed or the picture written, 1 when a picture was requested and no study opened.

    Raises
    ------
    WriteError
        If the picture cannot be written.
    """
    import napari

    viewer, panel = build(demo=demo)
    panel.asks = screenshot is None
    if voxel_mm is not None:
        _correct_first(panel.session, voxel_mm)
    if paths and not demo:
        panel.open(paths)
    else:
        panel.open_sample()
    photographer = None if screenshot is None else Photographer(viewer, panel, screenshot)
    napari.run()
    if photographer is not None and photographer.failure is not None:
        raise photographer.failure
    return 0 if photographer is None or photographer.done else 1


def build(*, demo: bool = False) -> tuple[Any, MrPanel]:
    """Make the window with the panel."""
    import napari

    viewer = napari.Viewer(title="mrviewer", show=False)
    panel = dock_panel(viewer)
    assert isinstance(panel, MrPanel)
    viewer.window.show()  # napari sets its remembered size here
    _arrange_window(panel.window())
    if demo:
        panel.state.mask = _DEMO_MASK
        panel.state.methods = tuple(name for name in panel.session.method_choice.methods if name in _DEMO_METHODS)
        panel.state.ticked_only = True
        panel.show_only("Sampling", "Methods", "Lesions")
    return viewer, panel


def _correct_first(session: Session, voxel_mm: tuple[float, float, float]) -> None:
    """Give the first study that opens its true voxel size; one that comes after it was refused has its own."""

    def correct() -> None:
        forget()
        session.correct_voxel_size(voxel_mm)

    def forget(_error: object = None) -> None:
        session.shown_scan.changed.disconnect(correct)
        session.failed.disconnect(forget)

    session.shown_scan.changed.connect(correct)
    session.failed.connect(forget)


def _arrange_window(window: QWidget) -> None:
    """Fill most of the screen, and give the room of napari's layer docks to the pictures; Window brings them back."""
    for dock in window.findChildren(QDockWidget):
        if dock.objectName() in _LAYER_DOCKS:
            dock.hide()
    free = window.screen().availableGeometry()
    window.resize(min(_SIZE[0], free.width()), min(_SIZE[1], free.height()))


class Photographer(QObject):
    """Writes a picture of the window when all work has settled, then closes it; `failure` tells why there is none."""

    def __init__(self, viewer: Any, panel: MrPanel, path: Path) -> None:  # noqa: ANN401 -- napari is not typed here
        super().__init__(panel)
        self._viewer, self._panel, self._path = viewer, panel, path
        self.done = False
        self.failure: Exception | None = None
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(200)

    def _look(self) -> None:
        session = self._panel.session
        if not session.is_settled:
            return
        self._timer.stop()
        if session.scan is not None:
            QTimer.singleShot(_SHUTTER_MS, self._shoot)
        else:
            self._end()

    def _shoot(self) -> None:
        try:
            save_window(self._viewer, self._path)
            self.done = True
        except Exception as error:  # noqa: BLE001 -- said when the window is closed, which would stay open for ever
            self.failure = error
        finally:
            self._end()

    def _end(self) -> None:
        self._panel.shut_down()
        self._viewer.close()
