"""What is on its way: its first picture, how far it is, and Cancel, over the pictures of what is open."""

from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from mrviewer.progress import Progress
from mrviewer_napari.opening.dialogs.pixmaps import slice_pixmap
from mrviewer_napari.opening.first_picture import FirstPicture
from mrviewer_napari.opening.study_opener import StudyOpener
from mrviewer_napari.widgets.controls import show_if
from mrviewer_napari.widgets.plain_widgets import PlainLabel

__all__ = ["OpeningCard"]

_PATIENCE_MS = 400
"""What opens faster shows no card: it would only flicker."""
_PICTURE = 320
_WIDTH = 380


class OpeningCard(QFrame):
    """A card in the middle of a widget, there while something takes its time to open.

    Parameters
    ----------
    opening
        What it tells of, and stops.
    """

    def __init__(self, opening: StudyOpener) -> None:
        super().__init__()
        self._opening = opening
        self.setObjectName("openingCard")
        self.setStyleSheet("#openingCard { background: #262930; border: 1px solid #5a626c; border-radius: 6px; }")
        self.setFixedWidth(_WIDTH)
        self.picture = PlainLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self.title = PlainLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self.title.setWordWrap(True)
        self.text = PlainLabel()
        self.bar = QProgressBar(textVisible=False)
        self.button = QPushButton("Cancel")
        self.button.setToolTip("What is open stays open")
        self.button.clicked.connect(self._cancel)
        self._lay_out()
        self._patience = QTimer(self, singleShot=True, interval=_PATIENCE_MS)
        self._patience.timeout.connect(self._appear)
        opening.busy_changed.connect(self._on_busy)
        opening.stepped.connect(self._on_step)
        opening.pictured.connect(self._on_picture)
        self.hide()

    def place_over(self, host: QWidget) -> None:
        """Belong to a widget from now on, in its middle."""
        self.setParent(host)
        host.installEventFilter(self)
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Stay in the middle."""
        del watched
        if event.type() == QEvent.Type.Resize:
            self._centre()
        return False

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self.text, 1)
        row.addWidget(self.button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 12, 14, 12)
        for widget in (self.picture, self.title, self.bar):
            layout.addWidget(widget)
        layout.addLayout(row)
        for widget in (self.picture, self.title):
            widget.hide()

    def _on_busy(self) -> None:
        if not self._opening.busy:
            self._patience.stop()
            self.hide()
            self.picture.hide()
            self.title.hide()
        elif self.isHidden() and not self._patience.isActive():
            self.text.setText("Opening ...")
            self.bar.setRange(0, 0)
            self._patience.start()

    def _on_step(self, step: Progress) -> None:
        self.text.setText(step.message)
        self.bar.setRange(0, step.total)
        self.bar.setValue(step.done)

    def _on_picture(self, picture: FirstPicture) -> None:
        self.picture.setPixmap(slice_pixmap(picture, _PICTURE))
        self.title.setText(picture.title)
        for widget in (self.picture, self.title):
            show_if(widget, True)
        self._centre()

    def _appear(self) -> None:
        if self._opening.busy and self.parentWidget() is not None:
            self.show()
            self.raise_()
            self._centre()

    def _centre(self) -> None:
        if (host := self.parentWidget()) is not None:
            self.adjustSize()
            self.move((host.width() - self.width()) // 2, (host.height() - self.height()) // 2)

    def _cancel(self) -> None:
        self._opening.cancel()
        self._opening.message.emit("Opening was cancelled")
