"""The list of runs: name and state of each; a click looks at one, a menu opens its folder or takes it out."""

from pathlib import Path

from qtpy.QtCore import QPoint, Qt, QUrl, Signal
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QListWidget, QListWidgetItem, QMenu, QWidget

from mrviewer.finetuning import RunRecord, UnreadableRun
from mrviewer_napari.sections.finetune.facts.run_manager import RunManager
from mrviewer_napari.sections.finetune.facts.run_texts import state_text
from mrviewer_napari.widgets.controls import show_if, signals_blocked
from mrviewer_napari.widgets.plain_widgets import plain_tip

__all__ = ["RunList"]

_PATH = Qt.ItemDataRole.UserRole
_ROWS_SHOWN = 4
_ENABLED = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable


class RunList(QListWidget):
    """A line for each run, the latest first."""

    failed = Signal(object)

    def __init__(self, manager: RunManager, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._manager = manager
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setToolTip("Runs of this and of earlier windows, and of the command line; the right button has more")
        self.currentItemChanged.connect(self._select)
        self.customContextMenuRequested.connect(self._ask)
        manager.runs_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show every run and its state."""
        runs, unreadable = self._manager.runs, self._manager.unreadable
        count = len(runs) + len(unreadable)
        show_if(self, bool(count))
        with signals_blocked(self):
            while self.count() > count:
                self.takeItem(self.count() - 1)
            while self.count() < count:
                self.addItem(QListWidgetItem())
            for row, run in enumerate(runs):
                self._show(self.item(row), run)
            for row, one in enumerate(unreadable, len(runs)):
                self._show_unreadable(self.item(row), one)
        row = max(self.sizeHintForRow(0), 1)
        self.setFixedHeight(row * min(max(count, 1), _ROWS_SHOWN) + 2 * self.frameWidth() + 2)

    def menu(self, run: RunRecord) -> QMenu:
        """What can be done with a run."""
        menu = QMenu(self)
        menu.addAction("Open its folder", lambda: _show_folder(run.path))
        remove = menu.addAction("Take out of the list", lambda: self._forget(run))
        remove.setEnabled(not run.state.is_active)
        return menu

    def _show(self, item: QListWidgetItem, run: RunRecord) -> None:
        share = f" {100 * run.step // run.total_steps} %" if run.state.is_active and run.total_steps else ""
        text = f"{run.path.name}: {state_text(run)}{share}"
        if item.text() != text:
            item.setText(text)
            item.setToolTip(plain_tip(text))
        item.setFlags(_ENABLED)
        item.setData(_PATH, run.path)
        if run.path == self._manager.selected_path:
            self.setCurrentItem(item)

    def _show_unreadable(self, item: QListWidgetItem, run: UnreadableRun) -> None:
        """A line that cannot be chosen, with the reason behind it."""
        item.setText(f"{run.path.name}: cannot be read")
        item.setToolTip(plain_tip(run.reason))
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        item.setData(_PATH, None)

    def _select(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self._manager.select(item.data(_PATH))

    def _ask(self, place: QPoint) -> None:
        item = self.itemAt(place)
        run = None if item is None else next((run for run in self._manager.runs if run.path == item.data(_PATH)), None)
        if run is not None:
            self.menu(run).popup(self.mapToGlobal(place))

    def _forget(self, run: RunRecord) -> None:
        try:
            self._manager.forget(run)
        except OSError as error:
            self.failed.emit(error)


def _show_folder(path: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
