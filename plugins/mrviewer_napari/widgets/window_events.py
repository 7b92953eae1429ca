"""What the panel does to the window around it: stops work when it closes, and catches files dropped onto it."""

from collections.abc import Callable, Sequence

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QWidget

from mrviewer_napari.opening.napari_reader import can_open, is_for_others

__all__ = ["OnClose", "OnDrop"]


class OnClose(QObject):
    """Call something when a window closes; a dock widget is never told itself."""

    def __init__(self, window: QWidget, call: Callable[[], None]) -> None:
        super().__init__(window)
        self._call = call
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Watch for the end."""
        del watched
        if event.type() == QEvent.Type.Close:
            self._call()
        return False


class OnDrop(QObject):
    """Take what is dropped onto a window: MR images, and what nobody opens, of which the panel says why.

    Pictures and tables of others go where they went before. napari's own way asks which of several plugins may open
    the file: its builtin reader claims medical formats too.
    """

    def __init__(self, window: QWidget, call: Callable[[Sequence[str]], None]) -> None:
        super().__init__(window)
        self._call = call
        for widget in (window, *window.findChildren(QWidget)):
            if widget.acceptDrops():
                widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Watch for drops."""
        del watched
        if event.type() != QEvent.Type.Drop:
            return False
        paths = [url.toLocalFile() for url in event.mimeData().urls()]
        if not paths or not all(paths) or not (can_open(paths) or not any(map(is_for_others, paths))):
            return False
        event.acceptProposedAction()
        self._call(paths)
        return True
