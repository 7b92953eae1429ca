"""Lesions: a row a lesion; a click on a row moves every tile there, a click on a lesion selects its row."""

from qtpy.QtCore import QItemSelectionModel, QModelIndex, QSize, QSortFilterProxyModel, Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QDoubleSpinBox,
    QFormLayout,
    QHeaderView,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from mrviewer.metrics.metric_list import METRICS_BY_KEY
from mrviewer_napari.computing.finished_outcomes import FinishedOutcomes
from mrviewer_napari.computing.method_catalogue import MethodCatalogue
from mrviewer_napari.computing.outcomes import Outcome
from mrviewer_napari.facts.lesion_columns import lesion_at, voxel_of
from mrviewer_napari.facts.tile_key import TileKey
from mrviewer_napari.opening.shown_scan import ShownScan
from mrviewer_napari.panel_state import PanelState
from mrviewer_napari.sections.lesion_table import LesionModel
from mrviewer_napari.tiles.tile_grid import TileGrid
from mrviewer_napari.widgets.controls import choice_box, quiet_label, signals_blocked
from mrviewer_napari.widgets.plain_widgets import PlainLabel

__all__ = ["LesionsSection"]


class LesionsSection(QWidget):
    """The lesion table of one method."""

    def __init__(
        self,
        finished: FinishedOutcomes,
        catalogue: MethodCatalogue,
        shown_scan: ShownScan,
        state: PanelState,
        grid: TileGrid,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._finished, self._catalogue, self._shown_scan = finished, catalogue, shown_scan
        self._state, self._grid = state, grid
        self._following = False
        self.method = choice_box("Whose segmentation is compared with the reference labels")
        self.smallest = QDoubleSpinBox(minimum=0, maximum=100, singleStep=0.005, decimals=3, suffix=" ml")
        self.smallest.setToolTip("Lesions and predicted regions smaller than this are left out; 0 leaves none out")
        self.summary = PlainLabel()
        self.summary.setWordWrap(True)
        self.waiting = quiet_label("The table comes when a method that segments has finished its volume.")
        self.model = LesionModel(self)
        self.sorted = QSortFilterProxyModel(self)
        self.sorted.setSourceModel(self.model)
        self.sorted.setSortRole(Qt.ItemDataRole.UserRole)
        self.table = self._make_table()
        self.choice = QWidget()
        form = QFormLayout(self.choice)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("Method", self.method)
        form.addRow("Smallest lesion", self.smallest)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.choice)
        layout.addWidget(self.summary)
        layout.addWidget(self.waiting)
        layout.addWidget(self.table)
        self._connect()
        self.refresh()

    def _make_table(self) -> QTableView:
        table = QTableView()
        table.setModel(self.sorted)
        table.setSortingEnabled(True)
        table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.verticalHeader().setVisible(False)
        table.verticalHeader().setDefaultSectionSize(22)
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            table.horizontalHeader().setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        table.setIconSize(QSize(10, 10))
        table.setMinimumHeight(250)
        return table

    def _connect(self) -> None:
        self.method.activated.connect(self._choose_method)
        self.smallest.editingFinished.connect(self._wish_smallest)
        self.table.selectionModel().currentRowChanged.connect(self._go_to_row)
        self.table.clicked.connect(self._go_to_row)
        self._finished.changed.connect(self.refresh)
        self._shown_scan.changed.connect(self.refresh)

    @property
    def outcome(self) -> Outcome | None:
        """The outcome whose lesions are shown."""
        found = self._with_lesions()
        return found.get(self._state.lesion_method) or next(iter(found.values()), None)

    def refresh(self) -> None:
        """Show the lesions of the chosen method."""
        found, outcome = self._with_lesions(), self.outcome
        with signals_blocked(self.method):
            self.method.clear()
            for name, each in found.items():
                self.method.addItem(self._catalogue.methods[name].card.title, each.request.method)
            if outcome is not None:
                self.method.setCurrentIndex(self.method.findData(outcome.request.method))
        with signals_blocked(self.smallest):
            self.smallest.setValue(self._state.min_lesion_ml)
        table = None if outcome is None else outcome.assessment.lesions
        self.waiting.setVisible(table is None)
        for widget in (self.table, self.summary, self.choice):
            widget.setVisible(table is not None)
        if outcome is None or table is None:
            self.model.set_rows(())
            return
        self.model.set_rows(table.rows)
        self.summary.setText(
            f"{table.n_found} of {table.n_reference} lesions found, {table.n_false} false regions, "
            f"{METRICS_BY_KEY['lesion_f1'].sentence(table.lesion_f1)}, "
            f"{METRICS_BY_KEY['lesion_f1_iou10'].sentence(table.lesion_f1_iou10)}"
        )

    def _with_lesions(self) -> dict[str, Outcome]:
        return {
            outcome.request.method: outcome
            for outcome in self._finished.outcomes
            if outcome.assessment.lesions is not None
        }

    def _choose_method(self) -> None:
        self._state.lesion_method = self.method.currentData()
        self.refresh()

    def _wish_smallest(self) -> None:
        self._state.min_lesion_ml = self.smallest.value()

    def _go_to_row(self, index: QModelIndex, before: QModelIndex | None = None) -> None:
        del before
        outcome, scan = self.outcome, self._shown_scan.scan
        if self._following or not index.isValid() or outcome is None or scan is None:
            return
        table = outcome.assessment.lesions
        if table is not None:
            lesion = self.model.rows[self.sorted.mapToSource(index).row()]
            self._grid.go_to(voxel_of(table, lesion, scan.geometry, scan.slice_axis))

    def select_at(self, voxel: tuple[int, int, int], key: TileKey) -> None:
        """Select the row of the lesion under a click; a click on a segmenting method's tile shows its table."""
        name = key.image
        if name in self._with_lesions() and name != self._state.lesion_method:
            self._state.lesion_method = name
            self.refresh()
        outcome = self.outcome
        table = None if outcome is None else outcome.assessment.lesions
        number = None if table is None else lesion_at(table, voxel)
        row = None if number is None else self.model.row_of(number)
        if row is None:
            return
        index = self.sorted.mapFromSource(self.model.index(row, 0))
        flags = QItemSelectionModel.SelectionFlag
        self._following = True
        self.table.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
        self._following = False
        self.table.scrollTo(index)
