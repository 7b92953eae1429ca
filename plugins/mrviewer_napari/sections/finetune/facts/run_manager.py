"""The runs of the Fine-tune section: started, followed through their logs, paused, resumed and stopped."""

from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path

from qtpy.QtCore import QObject, QTimer, Signal

from mrviewer.errors import MrviewerError
from mrviewer.finetuning import (
    EventReader,
    FinetunePlan,
    RunRecord,
    RunState,
    UnreadableRun,
    default_runs_folder,
    launch,
    request_finish,
    request_pause,
    request_resume,
    request_stop,
    survey_runs,
)
from mrviewer.progress import Progress
from mrviewer_napari.sections.finetune.facts.run_history import RunHistory
from mrviewer_napari.widgets.jobs import Slot

__all__ = ["RESUMABLE", "RunManager"]

RESUMABLE = (RunState.STOPPED, RunState.FAILED, RunState.INTERRUPTED)
"""States of a run that can go on from its last checkpoint."""

_TAIL_MS = 200
_LIST_MS = 1000
_REMOVED = "removed"


class RunManager(QObject):
    """All runs of this person, and the one that is looked at.

    Runs are processes of their own. This object only reads what they write and asks them to pause or stop, so that runs
    of an earlier viewer, or of the command line, are shown like those that it started.

    Signals
    -------
    runs_changed
        Another run, or another state of one.
    history_changed
        The run that is looked at has told something, or it is another one.
    ended : RunRecord
        A run that was seen working works no more.
    failed : Exception
    """

    runs_changed = Signal()
    history_changed = Signal()
    ended = Signal(object)
    failed = Signal(object)

    def __init__(self, folder: Path | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.folder = default_runs_folder() if folder is None else folder
        self.runs: tuple[RunRecord, ...] = ()
        self.unreadable: tuple[UnreadableRun, ...] = ()
        self.history = RunHistory()
        self._selected: Path | None = None
        self._tail: EventReader | None = None
        self._list, self._launch = Slot(self), Slot(self)
        self._list.returned.connect(self._on_runs)
        self._list.failed.connect(self.failed)
        self._launch.returned.connect(self._on_launched)
        self._launch.failed.connect(self.failed)
        self._launch.idle.connect(self.runs_changed)
        self._tail_timer, self._list_timer = QTimer(self, interval=_TAIL_MS), QTimer(self, interval=_LIST_MS)
        self._tail_timer.timeout.connect(self._read_log)
        self._list_timer.timeout.connect(self.refresh)
        self._list_timer.start()
        self._tail_timer.start()
        self.refresh()

    @property
    def selected(self) -> RunRecord | None:
        """The run that is looked at."""
        return next((run for run in self.runs if run.path == self._selected), None)

    @property
    def selected_path(self) -> Path | None:
        """Folder of the run that is looked at, which its list may not have yet."""
        return self._selected

    @property
    def active(self) -> tuple[RunRecord, ...]:
        """Runs whose process works."""
        return tuple(run for run in self.runs if run.state.is_active)

    @property
    def starting(self) -> bool:
        """Whether a process is being started."""
        return self._launch.busy

    @property
    def busy(self) -> bool:
        """Whether a thread works."""
        return self._list.busy or self._launch.busy

    def start(self, plan: FinetunePlan) -> None:
        """Start a run in a folder of its own, in a process that outlives this window."""
        planned = replace(plan, output=str(_free_folder(self.folder, plan.name)))
        self._launch.request(lambda: _launched(planned, resume=False))
        self.runs_changed.emit()

    def go_on(self, run: RunRecord) -> None:
        """Take up a run that was stopped, failed or lost its process, from its last checkpoint."""
        plan = run.plan
        self._launch.request(lambda: _launched(plan, resume=True))
        self.runs_changed.emit()

    def pause(self, run: RunRecord) -> None:
        """Ask a run to wait."""
        self._ask(request_pause, run)

    def resume(self, run: RunRecord) -> None:
        """Ask a run that waits to go on."""
        self._ask(request_resume, run)

    def finish(self, run: RunRecord) -> None:
        """Ask a run to train no further and to measure its best weights."""
        self._ask(request_finish, run)

    def stop(self, run: RunRecord) -> None:
        """Ask a run to end; it keeps its best weights."""
        self._ask(request_stop, run)

    def _ask(self, request: Callable[[Path], None], run: RunRecord) -> None:
        """Write a request into the folder of a run, which may be full or gone."""
        try:
            request(run.path)
        except (MrviewerError, OSError) as error:
            self.failed.emit(error)

    def select(self, path: Path | None) -> None:
        """Look at another run."""
        if path == self._selected:
            return
        self._selected = path
        self._tail = None if path is None else EventReader(path)
        self.history = RunHistory()
        self._read_log()
        self.history_changed.emit()

    def forget(self, run: RunRecord) -> Path:
        """Take an ended run out of the list: its folder moves among the removed ones, nothing is deleted."""
        target = _free_folder(self.folder / _REMOVED, run.path.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        run.path.rename(target)
        if self._selected == run.path:
            self.select(None)
        self.refresh()
        return target

    def refresh(self) -> None:
        """Look for runs now, unless somebody does."""
        if not self._list.busy:
            folder = self.folder
            self._list.request(lambda: _listed(folder))

    def close(self, wait_s: float) -> bool:
        """Follow no more; runs go on. Says whether the threads have ended."""
        self._tail_timer.stop()
        self._list_timer.stop()
        return all([self._list.close(wait_s), self._launch.close(wait_s)])

    def _read_log(self) -> None:
        if self._tail is not None and self.history.take(self._tail.new()):
            self.history_changed.emit()

    def _on_launched(self, run: RunRecord) -> None:
        self.select(run.path)
        self.refresh()

    def _on_runs(self, found: tuple[list[RunRecord], list[UnreadableRun]]) -> None:
        working = {run.path for run in self.active}
        runs, unreadable = tuple(found[0]), tuple(found[1])
        changed = (runs, unreadable) != (self.runs, self.unreadable)
        self.runs, self.unreadable = runs, unreadable
        if self._selected is None and runs:
            self.select(next((run.path for run in runs if run.state.is_active), runs[0].path))
        if changed:
            self.runs_changed.emit()
        for run in runs:
            if run.path in working and not run.state.is_active:
                self.ended.emit(run)


def _listed(folder: Path) -> Generator[Progress, None, tuple[list[RunRecord], list[UnreadableRun]]]:
    yield Progress(0, 1, "looking for runs")
    return survey_runs(folder)


def _launched(plan: FinetunePlan, *, resume: bool) -> Generator[Progress, None, RunRecord]:
    yield Progress(0, 1, "starting the run")
    return launch(plan, resume=resume)


def _free_folder(parent: Path, name: str) -> Path:
    """A folder that is not there yet."""
    number, path = 1, parent / name
    while path.exists():
        number += 1
        path = parent / f"{name}-{number}"
    return path
