"""The panel: one dock with a section for each step, from opening a study to saving what came out."""

import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from napari.utils.notifications import notification_manager, show_error
from qtpy.QtCore import QEvent, QObject, QSize, Qt, QTimer
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QFrame, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget
from superqt import QCollapsible

from mrviewer.database import SIMULATED_MS
from mrviewer.errors import MrviewerError
from mrviewer_napari.curves import has_time
from mrviewer_napari.derived import DISCLAIMER
from mrviewer_napari.panels import bare, forget, remember
from mrviewer_napari.reader import paths_of_layers
from mrviewer_napari.sections.enhancement import EnhancementSection
from mrviewer_napari.sections.lesions import LesionsSection
from mrviewer_napari.sections.methods import MethodsSection
from mrviewer_napari.sections.parts import quiet_label, show_if
from mrviewer_napari.sections.sampling import SamplingSection
from mrviewer_napari.sections.save import SaveSection
from mrviewer_napari.sections.signal import SignalSection
from mrviewer_napari.sections.study import StudySection
from mrviewer_napari.sections.view import ViewSection
from mrviewer_napari.session import Session
from mrviewer_napari.settings import state_from_preferences
from mrviewer_napari.state import PanelState
from mrviewer_napari.tiles import TileGrid
from mrviewer_napari.window import OnClose, OnDrop

if TYPE_CHECKING:
    import napari

__all__ = ["MrPanel"]

_WIDTH = 400
_ANY_HEIGHT = (1 << 24) - 1
"""What Qt takes for no limit."""

_HEADING = (
    "QPushButton { background: transparent; border: none; border-top: 1px solid #5a626c; border-radius: 0;"
    " text-align: left; font-weight: bold; padding: 6px 0; }"
)
"""Headings that stand back behind what they head; the colours of napari's themes shine through."""


class MrPanel(QWidget):
    """The dock widget.

    Parameters
    ----------
    napari_viewer
        The viewer whose canvas shows the tiles.
    state
        First wishes; the person's preferences if `None`.
    """

    PLACEHOLDER = "mrviewer sample"

    def __init__(self, napari_viewer: "napari.Viewer", state: PanelState | None = None) -> None:
        super().__init__()
        self._viewer: Any = bare(napari_viewer)
        self.state = state or state_from_preferences()
        self.grid = TileGrid(self._viewer)
        self.session = Session(self.state, self.grid, parent=self)
        self._hooked = self._ended = False
        self.setMinimumWidth(360)
        self.status = quiet_label()
        self.status.setObjectName("status")
        self._build()
        self.session.message.connect(self._show_message)
        self.session.failed.connect(self._notify)
        self.session.scan_changed.connect(self._on_scan)
        self.session.outcomes_changed.connect(self._on_outcomes)
        self._viewer.layers.events.inserted.connect(self._on_layer)
        remember(self._viewer, self)
        self.grid.set_radiological(self.state.radiological)
        self._adopt_layers()

    def _build(self) -> None:
        self.study = StudySection(self.session)
        self.sampling = SamplingSection(self.session)
        self.methods = MethodsSection(self.session)
        self.view = ViewSection(self.session)
        self.lesions = LesionsSection(self.session)
        self.enhancement = EnhancementSection(self.session)
        self.signal = SignalSection(self.session)
        self.save = SaveSection(self.session, self._viewer)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(6, 4, 10, 4)
        column.setSpacing(2)
        self.sections = {
            title: Section(title, widget)
            for title, widget in (
                ("Study", self.study),
                ("Sampling", self.sampling),
                ("Methods", self.methods),
                ("View", self.view),
                ("Enhancement", self.enhancement),
                ("Signal over time", self.signal),
                ("Lesions", self.lesions),
                ("Save", self.save),
            )
        }
        for section in self.sections.values():
            column.addWidget(section)
        column.addStretch(1)
        self.scroll = QScrollArea(widgetResizable=True)
        self.scroll.setFrameShape(QFrame.Shape.NoFrame)
        self.scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroll.setWidget(content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 2)
        layout.setSpacing(2)
        layout.addWidget(self.scroll, 1)
        layout.addWidget(self.status)
        disclaimer = QLabel(DISCLAIMER)
        disclaimer.setAlignment(Qt.AlignmentFlag.AlignCenter)
        disclaimer.setStyleSheet("color: #a0a4ab; font-size: 11px;")
        layout.addWidget(disclaimer)
        self._on_scan()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Wide enough for the lesion table."""
        return QSize(_WIDTH, 900)

    def show_only(self, *titles: str) -> None:
        """Unfold these sections and fold the others."""
        for title, section in self.sections.items():
            section.expand() if title in titles else section.collapse()

    def open(self, paths: Sequence[str]) -> None:
        """Open a study from files or folders."""
        self.session.open(paths)

    def open_sample(self, seed: int = 0, kind: str = SIMULATED_MS) -> None:
        """Open a simulated patient of a kind of `mrviewer.database.SIMULATED_KINDS`."""
        self.session.open_sample(seed, kind)

    def shut_down(self) -> None:
        """Stop all work and wait for it; the panel is of no use afterwards."""
        if self._ended:
            return
        self._ended = True
        self._viewer.layers.events.inserted.disconnect(self._on_layer)
        forget(self._viewer)
        self.signal.close_jobs()
        self.session.close()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Hook into the window, which exists from now on."""
        super().showEvent(event)
        if not self._hooked:
            self._hooked = True
            OnClose(self.window(), self.shut_down)
            OnDrop(self.window(), self.open)

    def _on_scan(self) -> None:
        scan = self.session.scan
        self.sections["Lesions"].setVisible(scan is not None and scan.labels is not None)
        self.sections["Save"].setVisible(scan is not None)
        self.sections["Signal over time"].setVisible(scan is not None and has_time(scan))
        self._on_outcomes()

    def _on_outcomes(self) -> None:
        show_if(self.sections["Enhancement"], bool(self.enhancement.outcomes))

    def _adopt_layers(self) -> None:
        """Take up a study that was opened as plain layers before the panel was there."""
        paths = paths_of_layers(self._viewer.layers)
        if paths:
            for layer in [layer for layer in self._viewer.layers if paths_of_layers([layer])]:
                self._viewer.layers.remove(layer)
            self.open(paths)

    def _on_layer(self, event: Any) -> None:  # noqa: ANN401
        if event.value.name == self.PLACEHOLDER:
            QTimer.singleShot(0, self._drop_placeholder)  # napari is not done with it yet

    def _drop_placeholder(self) -> None:
        for layer in [layer for layer in self._viewer.layers if layer.name == self.PLACEHOLDER]:
            self._viewer.layers.remove(layer)

    def _show_message(self, text: str) -> None:
        self.status.setText(text)
        self.status.setVisible(bool(text))

    def _notify(self, error: Exception) -> None:
        """Tell of a failure: a sentence if we raised it on purpose, the traceback if not."""
        if isinstance(error, MrviewerError):
            show_error(str(error))
        else:
            notification_manager.receive_error(type(error), error, error.__traceback__)
        traceback.clear_frames(error.__traceback__)  # frames would keep volumes and tensors alive


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
