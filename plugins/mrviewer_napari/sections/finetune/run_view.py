"""One run: how far it is, its curves and its picture, buttons to pause and stop it, and what came of it."""

from html import escape
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from mrviewer.finetuning import RunRecord, RunState
from mrviewer_napari.sections.finetune.facts.run_manager import RESUMABLE, RunManager
from mrviewer_napari.sections.finetune.facts.run_result import RunResult, read_result
from mrviewer_napari.sections.finetune.facts.run_texts import progress_text, state_text
from mrviewer_napari.sections.finetune.result_window import means_html, verdict_html
from mrviewer_napari.sections.finetune.validation_picture import ValidationPicture
from mrviewer_napari.widgets.controls import quiet_label, show_if, warning_label
from mrviewer_napari.widgets.plain_widgets import RichLabel

__all__ = ["RunView"]

_NOTES_SHOWN = 3
_UNCOUNTED = (RunState.PREPARING, RunState.ZERO_SHOT, RunState.EVALUATING)
"""States in which no steps are taken."""


class RunView(QWidget):
    """Shows the run that `RunDesk` looks at; hidden while there is none."""

    result_wished = Signal(object)

    def __init__(self, manager: RunManager, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._manager = manager
        self._result: RunResult | None = None
        self._stopped: tuple[object, ...] = ()
        self.title = RichLabel()
        self.title.setWordWrap(True)
        self.bar = QProgressBar(textVisible=False)
        self.bar.setFixedHeight(6)
        self.facts, self.notes, self.failure = quiet_label(), quiet_label(), warning_label()
        self.curves: Any = None
        self.picture = ValidationPicture()
        self.verdict = RichLabel()
        self.verdict.setWordWrap(True)
        self.pause, self.finish, self.stop = QPushButton("Pause"), QPushButton("Finish"), QPushButton("Stop")
        self.go_on, self.compare = QPushButton("Go on"), QPushButton("Before and after...")
        self._build()
        self.pause.clicked.connect(self._pause_or_resume)
        self.finish.clicked.connect(self._finish)
        self.stop.clicked.connect(self._stop)
        self.go_on.clicked.connect(self._go_on)
        self.compare.clicked.connect(self._compare)
        manager.runs_changed.connect(self.refresh)
        manager.history_changed.connect(self._draw)
        self.refresh()

    def _build(self) -> None:
        self.pause.setToolTip("The process waits and keeps its memory")
        self.finish.setToolTip("Train no further: measure the best weights now, and add the model to the list")
        self.stop.setToolTip("End at once; the best weights are kept, and the run can go on later")
        self.go_on.setToolTip("Start again from the last checkpoint, to the same numbers as without the break")
        buttons = QHBoxLayout()
        for button in (self.pause, self.finish, self.stop, self.go_on, self.compare):
            buttons.addWidget(button)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 4, 0, 0)
        self._layout.setSpacing(4)
        for widget in (self.title, self.bar, self.facts, self.failure, self.picture, self.verdict, self.notes):
            self._layout.addWidget(widget)
        self._layout.addLayout(buttons)

    @property
    def run(self) -> RunRecord | None:
        """The run that is shown."""
        return self._manager.selected

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Draw what came while nobody looked."""
        super().showEvent(event)
        self._draw()

    def refresh(self) -> None:
        """Show state, numbers and buttons."""
        run = self.run
        show_if(self, run is not None)
        if run is None:
            return
        self.title.setText(f"<b>{escape(run.path.name)}</b>: {escape(state_text(run))}")
        self._show_buttons(run)
        self._show_result(run)
        self._show_numbers(run)

    def _show_numbers(self, run: RunRecord) -> None:
        history = self._manager.history
        waits = run.state in _UNCOUNTED
        show_if(self.bar, run.state.is_active and not waits)
        self.bar.setRange(0, history.total_steps or run.total_steps)
        self.bar.setValue(max(history.step, run.step))
        self.facts.setText(progress_text(run, history) + (f"\n{run.message}" if waits and run.message else ""))
        failed = run.state in (RunState.FAILED, RunState.INTERRUPTED)
        show_if(self.failure, failed and bool(run.message or history.failure))
        self.failure.setText((run.message or history.failure) if failed else "")
        self.notes.setText("\n".join(history.notes[-_NOTES_SHOWN:]))
        show_if(self.notes, bool(history.notes))

    def _show_buttons(self, run: RunRecord) -> None:
        paused = run.state is RunState.PAUSED
        self.pause.setText("Resume" if paused else "Pause")
        for button, wanted in (
            (self.pause, run.state in (RunState.TRAINING, RunState.PAUSED)),
            (self.finish, run.state in (RunState.TRAINING, RunState.PAUSED)),
            (self.stop, run.state.is_active),
            (self.go_on, run.state in RESUMABLE),
            (self.compare, self._result is not None),
        ):
            show_if(button, wanted)
        self.stop.setEnabled(run.state is not RunState.STOPPING and self._stopped != (run.path, run.started))
        self.go_on.setEnabled(not self._manager.starting)

    def _show_result(self, run: RunRecord) -> None:
        ended = run.state is RunState.FINISHED
        if ended and (self._result is None or self._result.path != run.path):
            self._result = read_result(run)
        elif not ended:
            self._result = None
        show_if(self.verdict, self._result is not None)
        show_if(self.compare, self._result is not None)
        result = self._result
        self.verdict.setText("" if result is None else verdict_html(result) + means_html(result.means))

    def _draw(self) -> None:
        """Bring numbers, curves and picture to what the log has told; it is read five times a second at most."""
        run, history = self.run, self._manager.history
        if run is not None:
            self._show_numbers(run)
        drawn = bool(history.loss.steps or history.validation)
        if drawn and self.curves is None and self.isVisible():
            from mrviewer_napari.sections.finetune.run_curves import RunCurves

            self.curves = RunCurves()
            self._layout.insertWidget(self._layout.indexOf(self.picture), self.curves)
        if self.curves is not None:
            self.curves.draw(history)
            show_if(self.curves, drawn)
        where = self._manager.selected_path
        self.picture.show_file(where / history.picture if where is not None and history.picture else None)

    def _pause_or_resume(self) -> None:
        if self.run is not None:
            (self._manager.resume if self.run.state is RunState.PAUSED else self._manager.pause)(self.run)

    def _finish(self) -> None:
        if self.run is not None:
            self._manager.finish(self.run)

    def _stop(self) -> None:
        if self.run is not None:
            self._manager.stop(self.run)
            self._stopped = (self.run.path, self.run.started)  # the run may need the rest of a step to hear of it
            self.stop.setEnabled(False)

    def _go_on(self) -> None:
        if self.run is not None:
            self._manager.go_on(self.run)

    def _compare(self) -> None:
        if self._result is not None:
            self.result_wished.emit(self._result)
