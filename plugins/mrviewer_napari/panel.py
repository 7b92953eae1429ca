"""The panel: one dock with a section for each step, from opening a study to saving what came out."""

import traceback
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_error
from qtpy.QtCore import QSize, Qt, QTimer
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QFrame, QMainWindow, QScrollArea, QVBoxLayout, QWidget

from mrviewer.database import SIMULATED_MS
from mrviewer.plain_text import plain_name
from mrviewer.system.crash_log import keep_crash_log
from mrviewer_napari.closing_dialogs import offer_to_save_strokes, tell_of_running_runs
from mrviewer_napari.exporting.exporter import Exporter
from mrviewer_napari.facts.signal_curves import has_time
from mrviewer_napari.facts.study_facts import DISCLAIMER
from mrviewer_napari.facts.tile_key import TileKey
from mrviewer_napari.opening.dialogs.opening_card import OpeningCard
from mrviewer_napari.opening.napari_reader import paths_of_layers, takes_drop
from mrviewer_napari.panel_registry import PLACEHOLDER, bare, forget, remember
from mrviewer_napari.panel_state import PanelState
from mrviewer_napari.preferences import state_from_preferences
from mrviewer_napari.sections.corrections.corrections_section import CorrectionsSection
from mrviewer_napari.sections.enhancement_section import EnhancementSection
from mrviewer_napari.sections.finetune.finetune_section import FinetuneSection
from mrviewer_napari.sections.lesions_section import LesionsSection
from mrviewer_napari.sections.methods_section import MethodsSection
from mrviewer_napari.sections.sampling_section import SamplingSection
from mrviewer_napari.sections.save_section import SaveSection
from mrviewer_napari.sections.signal_section import SignalSection
from mrviewer_napari.sections.study_section import StudySection
from mrviewer_napari.sections.view_section import ViewSection
from mrviewer_napari.session import Session
from mrviewer_napari.tiles.tile_grid import TileGrid
from mrviewer_napari.widgets.controls import quiet_label, show_if
from mrviewer_napari.widgets.folding import Section
from mrviewer_napari.widgets.plain_widgets import PlainLabel
from mrviewer_napari.widgets.window_events import OnClose, OnDrop

if TYPE_CHECKING:
    import napari

    from mrviewer_napari.opening.dialogs.question_dialogs import QuestionDialogs
    from mrviewer_napari.opening.questions import Question

__all__ = ["MrPanel"]

_WIDTH = 400
_CORRECTIONS, _FINETUNE = "Corrections", "Fine-tune"
_PATIENCE_S = 10.0
"""A thread that has not ended by then keeps the program alive until it has."""


class MrPanel(QWidget):
    """The dock widget.

    Parameters
    ----------
    napari_viewer
        The viewer whose canvas shows the tiles.
    state
        First wishes; the person's preferences if `None`.
    """

    def __init__(self, napari_viewer: "napari.Viewer", state: PanelState | None = None) -> None:
        super().__init__()
        keep_crash_log()
        self._viewer: Any = bare(napari_viewer)
        self.state = state or state_from_preferences()
        self.grid = TileGrid(self._viewer)
        self.session = Session(self.state, self.grid, parent=self)
        self.asks = True
        """Whether a person is there to choose; otherwise what is proposed opens."""
        self.questions: QuestionDialogs | None = None
        self.opening_card = OpeningCard(self.session.opening)
        self._hooked = self._ended = False
        self.setMinimumWidth(360)
        self.status = quiet_label()
        self.status.setObjectName("status")
        self._build()
        self.session.message.connect(self._show_message)
        self.session.failed.connect(self._notify)
        self.session.opening.asked.connect(self._on_question)
        self.session.shown_scan.changed.connect(self._on_scan)
        self.session.finished.changed.connect(self._on_outcomes)
        self._viewer.layers.events.inserted.connect(self._on_layer)
        remember(self._viewer, self)
        self.grid.set_radiological(self.state.radiological)
        self._adopt_layers()

    def _build(self) -> None:
        session, scan, finished = self.session, self.session.shown_scan, self.session.finished
        choice = session.method_choice
        self.study = StudySection(scan, session.value_notes)
        self.sampling = SamplingSection(self.state, session.mask_choice, scan)
        self.methods = MethodsSection(choice, scan, session.computation, self.state)
        self.view = ViewSection(self.state, scan, session.steps, self.grid)
        self.lesions = LesionsSection(finished, choice.catalogue, scan, self.state, self.grid)
        self.enhancement = EnhancementSection(finished, choice.catalogue, scan)
        self.signal = SignalSection(scan)
        self.corrections = CorrectionsSection(scan, finished, self._viewer)
        self.save = SaveSection(Exporter(scan, finished, self.state, self.grid), finished, self._viewer)
        self.finetune = FinetuneSection(choice, scan, self.state.device)
        self._connect()
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
                (_CORRECTIONS, self.corrections),
                ("Save", self.save),
                (_FINETUNE, self.finetune),
            )
        }
        for section in self.sections.values():
            column.addWidget(section)
        for title in (_CORRECTIONS, _FINETUNE):
            self.sections[title].collapse()
        self.finetune.runs_changed.connect(self._on_runs)
        self._on_runs()
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
        disclaimer = PlainLabel(DISCLAIMER)
        disclaimer.setAlignment(Qt.AlignmentFlag.AlignCenter)
        disclaimer.setStyleSheet("color: #a0a4ab; font-size: 11px;")
        layout.addWidget(disclaimer)
        self._on_scan()

    def _connect(self) -> None:
        """Show in the sections what has come, and do what is asked for there."""
        session, study = self.session, self.study
        session.mask_changed.connect(self.sampling.show_mask)
        session.busy_changed.connect(self.methods.show_button)
        session.failed.connect(study.offer_voxel_for_voxel)
        self.grid.clicked.connect(self._on_click)
        study.paths_chosen.connect(session.open)
        study.sample_chosen.connect(session.open_sample)
        study.labels_chosen.connect(session.open_labels)
        study.labels_chosen_voxel_for_voxel.connect(partial(session.open_labels, voxel_for_voxel=True))
        study.modality_chosen.connect(session.choose_modality)
        study.modality_corrected.connect(session.correct_modality)
        study.voxel_size_corrected.connect(session.correct_voxel_size)
        self.methods.stop_chosen.connect(session.stop)
        self.methods.resume_chosen.connect(session.computation.resume)
        self.view.frames.chosen.connect(session.choose_frame)
        self.signal.failed.connect(session.failed)
        for section in (self.methods, self.save):
            section.message.connect(session.message)
        for failing in (study, self.methods, self.view.coils, self.corrections, self.finetune):
            failing.failed.connect(session.report)

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
        self.save.close_jobs(_PATIENCE_S)
        self.view.coils.close_jobs(_PATIENCE_S)
        self.corrections.correcting.close(_PATIENCE_S)
        self.finetune.close_jobs(_PATIENCE_S)
        if self.questions is not None:
            self.questions.close(_PATIENCE_S)
        self.session.close(_PATIENCE_S)

    def _on_close(self) -> None:
        """Say what becomes of runs and of strokes that nobody saved, then stop."""
        if not self._ended:
            tell_of_running_runs(self, self.finetune.manager.active)
            offer_to_save_strokes(self, self.corrections)
        self.shut_down()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Hook into the window, which exists from now on."""
        super().showEvent(event)
        if not self._hooked:
            self._hooked = True
            OnClose(self.window(), self._on_close)
            OnDrop(self.window(), takes_drop, self.open)
            self.opening_card.place_over(_middle_of(self.window()))

    def _on_question(self, question: "Question") -> None:
        """Have the person answer, or open what is proposed."""
        if not self.asks:
            self.session.opening.read(question.answered())
            return
        if self.questions is None:
            # What reads DICOM takes a while to load; by now the thread that looked at the files has loaded it.
            from mrviewer_napari.opening.dialogs.question_dialogs import QuestionDialogs

            self.questions = QuestionDialogs(self.session.opening, self)
        self.questions.ask(question)

    def _on_click(self, voxel: tuple[int, int, int], key: TileKey) -> None:
        self.lesions.select_at(voxel, key)
        self.signal.show_voxel(voxel)

    def _on_scan(self) -> None:
        scan = self.session.scan
        self.sections["Lesions"].setVisible(scan is not None and scan.labels is not None)
        self.sections["Save"].setVisible(scan is not None)
        self.sections[_CORRECTIONS].setVisible(scan is not None and bool(scan.study.images))
        self.sections["Signal over time"].setVisible(scan is not None and has_time(scan))
        self._on_outcomes()

    def _on_runs(self) -> None:
        """Tell of working runs where the section is folded."""
        count = len(self.finetune.manager.active)
        self.sections[_FINETUNE].setText(f"{_FINETUNE} ({count} running)" if count else _FINETUNE)

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
        if event.value.name == PLACEHOLDER:
            QTimer.singleShot(0, self._drop_placeholder)  # napari is not done with it yet

    def _drop_placeholder(self) -> None:
        for layer in [layer for layer in self._viewer.layers if layer.name == PLACEHOLDER]:
            self._viewer.layers.remove(layer)

    def _show_message(self, text: str) -> None:
        self.status.setText(text)
        self.status.setVisible(bool(text))

    def _notify(self, error: Exception) -> None:
        """Tell of a failure in one sentence; what nobody foresaw is in the log."""
        show_error(plain_name(str(error)))
        cause: BaseException | None = error
        while cause is not None:
            traceback.clear_frames(cause.__traceback__)  # frames would keep volumes and tensors alive
            cause = cause.__cause__


def _middle_of(window: QWidget) -> QWidget:
    """Where the pictures are."""
    middle = window.centralWidget() if isinstance(window, QMainWindow) else None
    return window if middle is None else middle
