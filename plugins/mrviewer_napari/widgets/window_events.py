"""What the panel does to the window around it: stops work when it closes, and catches files dropped onto it."""

from collections.abc import Callable, Sequence

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QWidget

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
    """Take what is dropped onto a window.

    What is not accepted goes where it went before. napari's own way asks which of several plugins may open the file:
    its builtin reader claims medical formats too.

    Parameters
    ----------
    window
        Where drops are watched for.
    accepts
        Whether these paths are taken.
    call
        Receives the paths that are.
    """

    def __init__(
        self, window: QWidget, accepts: Callable[[Sequence[str]], bool], call: Callable[[Sequence[str]], None]
    ) -> None:
        super().__init__(window)
        self._accepts, self._call = accepts, call
        for widget in (window, *window.findChildren(QWidget)):
            if widget.acceptDrops():
                widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Watch for drops."""
        del watched
        if event.type() != QEvent.Type.Drop:
            return False
        paths = [url.toLocalFile() for url in event.mimeData().urls()]
        if not paths or not all(paths) or not self._accepts(paths):
            return False
        event.acceptProposedAction()
        self._call(paths)
        return True
