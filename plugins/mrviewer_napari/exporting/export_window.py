"""The window Save results: methods, what to write, what of the person may leave, where to, and how far it is."""

from functools import partial
from pathlib import Path

from qtpy.QtCore import QUrl, Signal
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import (
    QCheckBox,
    QDialog,
    QFormLayout,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from mrviewer.errors import InputError
from mrviewer.progress import Progress
from mrviewer_napari.exporting.export_items import Group, Item
from mrviewer_napari.exporting.export_rows import ItemGroup
from mrviewer_napari.exporting.exporter import Exporter
from mrviewer_napari.exporting.privacy_texts import ANONYMOUS, IDENTIFIED, KEPT_UIDS, NEW_UIDS
from mrviewer_napari.exporting.series_row import SeriesRow
from mrviewer_napari.exporting.writing import Exported, ExportRequest
from mrviewer_napari.widgets.controls import quiet_label, show_if, warning_label
from mrviewer_napari.widgets.option_widget import option_values, option_widgets
from mrviewer_napari.widgets.plain_widgets import PlainLabel, key_text, set_tip

__all__ = ["ExportWindow"]

_SIZE = (800, 600)
_METHODS_A_ROW = 4


class ExportWindow(QDialog):
    """One place for all that leaves the viewer; it stays open beside it.

    Parameters
    ----------
    exporter
        What can be exported, and who writes it.
    """

    opened = Signal(object)
    """Path of a folder that was shown."""

    def __init__(self, exporter: Exporter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._exporter = exporter
        self._saved: Path | None = None
        self._name_is_ours = True
        self.setWindowTitle("Save results")
        self.resize(*_SIZE)
        self.methods: dict[str, QCheckBox] = {}
        self._left_out: set[str] = set()
        self.groups = {group: ItemGroup(group) for group in Group}
        self.rows = {item: row for group in self.groups.values() for item, row in group.rows.items()}
        self._make_fields()
        self._lay_out()
        self._connect()
        self.refresh()

    def _make_fields(self) -> None:
        self.nothing = quiet_label("Nothing is finished yet: tick a method and wait until its volume is there.")
        self.series = SeriesRow()
        self.form = option_widgets(ExportRequest(frozenset(), Path.home(), ""), hidden=("items",))
        self.privacy = quiet_label()
        self.bar, self.doing = QProgressBar(textVisible=False), quiet_label()
        self.bar.setFixedHeight(6)
        self.problem, self.told = warning_label(), PlainLabel()
        self.told.setWordWrap(True)
        self.save, self.stop = QPushButton("Save"), QPushButton("Cancel")
        self.show_folder, self.leave = QPushButton("Open folder"), QPushButton("Close")
        self.save.setDefault(True)

    def _lay_out(self) -> None:
        box = QGroupBox("Methods")
        self._methods = QGridLayout(box)
        self._methods.addWidget(self.nothing, 0, 0)
        dicom, numbers = self.groups[Group.DICOM], self.groups[Group.NUMBERS]
        dicom.column.addLayout(self._rows("kind", "region"))
        dicom.column.addWidget(self.series)
        numbers.column.addLayout(self._rows("subject"))
        grid = QGridLayout()
        for group, row, column in ((Group.NIFTI, 0, 0), (Group.DICOM, 0, 1), (Group.NUMBERS, 1, 0)):
            grid.addWidget(self.groups[group], row, column)
        grid.addWidget(self._lay_out_privacy(), 1, 1, 2, 1)
        grid.addWidget(self.groups[Group.FIGURE], 2, 0)
        for group in self.groups.values():
            group.column.addStretch(1)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        layout = QVBoxLayout(self)
        layout.addWidget(box)
        layout.addLayout(grid)
        layout.addLayout(self._rows("parent", "name"))
        layout.addStretch(1)
        for widget in (self.bar, self.doing, self.problem, self.told):
            layout.addWidget(widget)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        for button in (self.show_folder, self.stop, self.save, self.leave):
            buttons.addWidget(button)
        layout.addLayout(buttons)

    def _lay_out_privacy(self) -> QGroupBox:
        box = QGroupBox("Privacy")
        column = QVBoxLayout(box)
        ticks = QHBoxLayout()
        for name in ("is_anonymous", "new_uids"):
            ticks.addWidget(self.form[name].native)
        ticks.addStretch(1)
        column.addLayout(ticks)
        column.addWidget(self.privacy)
        column.addStretch(1)
        return box

    def _rows(self, *names: str) -> QFormLayout:
        rows = QFormLayout()
        for name in names:
            rows.addRow(self.form[name].label, self.form[name].native)
        return rows

    def _connect(self) -> None:
        exporter = self._exporter
        exporter.changed.connect(self.refresh)
        exporter.busy_changed.connect(self.refresh)
        exporter.progressed.connect(self._show_progress)
        exporter.exported.connect(self._show_done)
        exporter.failed.connect(self._show_problem)
        for group in self.groups.values():
            group.toggled_item.connect(self._show_buttons)
        for name in ("is_anonymous", "new_uids"):
            self.form[name].on_change(self._show_privacy)
        self.form["name"].on_change(self._keep_name)
        self.series.folder_named.connect(exporter.look_in)
        self.series.chosen.connect(exporter.choose)
        self.save.clicked.connect(self._export)
        self.stop.clicked.connect(exporter.cancel)
        self.show_folder.clicked.connect(self._open_saved)
        self.leave.clicked.connect(self.close)

    # To the person -------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Offer what there is."""
        if self.isVisible():
            self._exporter.look_around()
        self._show_methods()
        self._show_items()
        self.series.show_state(self._exporter.found)
        self._show_privacy()

    def look(self) -> None:
        """Come up, with what there is now."""
        self.show()
        self.raise_()
        self.refresh()

    @property
    def chosen(self) -> tuple[str, ...]:
        """Methods that are ticked."""
        return tuple(name for name, box in self.methods.items() if box.isChecked())

    def _show_methods(self) -> None:
        names = tuple(outcome.request.method for outcome in self._exporter.outcomes)
        if names != tuple(self.methods):
            for box in self.methods.values():
                self._methods.removeWidget(box)
                box.deleteLater()
            self.methods = {name: QCheckBox(key_text(name)) for name in names}
            for place, (name, box) in enumerate(self.methods.items()):
                box.setChecked(name not in self._left_out)
                box.toggled.connect(partial(self._choose_method, name))
                self._methods.addWidget(box, *divmod(place, _METHODS_A_ROW))
        show_if(self.nothing, not names)

    def _choose_method(self, name: str, on: bool) -> None:
        self._left_out = self._left_out - {name} if on else self._left_out | {name}
        self._show_items()

    def _show_items(self) -> None:
        reasons = self._exporter.refusals(self.chosen)
        for group in self.groups.values():
            group.refuse(reasons)
        if self._name_is_ours:
            name = "-".join(("mrviewer", *(self.chosen if len(self.chosen) == 1 else ()))).replace("+", "-")
            self.form["name"].show(name)
        self._show_buttons()

    def _show_buttons(self) -> None:
        busy = self._exporter.busy
        self.save.setEnabled(bool(self._items) and not busy)
        show_if(self.stop, busy)
        for widget in (self.bar, self.doing):
            show_if(widget, busy)
        show_if(self.show_folder, self._saved is not None and not busy)
        show_if(self.told, self._saved is not None and not busy)
        if not busy:
            self.bar.setValue(0)

    def _show_privacy(self, text: str = "") -> None:
        del text
        is_anonymous = bool(self.form["is_anonymous"].value)
        self.form["new_uids"].native.setEnabled(is_anonymous)
        if not is_anonymous:
            self.form["new_uids"].show("False")
        anonymous = f"{ANONYMOUS} {NEW_UIDS if self.form['new_uids'].value else KEPT_UIDS}"
        self.privacy.setText(anonymous if is_anonymous else IDENTIFIED)

    def _show_progress(self, step: Progress) -> None:
        self.bar.setRange(0, max(step.total, 1))
        self.bar.setValue(step.done)
        self.doing.setText(f"{step.message} ...")

    def _show_done(self, done: Exported) -> None:
        self._saved = done.folder
        self.told.setText("\n".join((done.sentence, *done.notes)))
        set_tip(self.told, str(done.folder))
        self._show_buttons()

    def _show_problem(self, error: Exception) -> None:
        self.problem.setText(str(error))
        show_if(self.problem, True)
        self._show_buttons()

    # From the person -------------------------------------------------------------------------------------------------

    @property
    def _items(self) -> frozenset[Item]:
        return frozenset(item for item, row in self.rows.items() if row.is_on)

    def _export(self) -> None:
        show_if(self.problem, False)
        self._saved = None
        try:
            wish = ExportRequest(self._items, **option_values(self.form))
        except InputError as error:
            self._show_problem(error)
            return
        self._exporter.export(self.chosen, wish)

    def _keep_name(self, text: str) -> None:
        del text
        self._name_is_ours = False

    def _open_saved(self) -> None:
        if self._saved is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._saved)))
            self.opened.emit(self._saved)
