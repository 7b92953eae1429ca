"""The window Database: its subjects with what is odd, the mapping, and the split that will be kept to."""

from collections.abc import Sequence
from html import escape

from qtpy.QtCore import QModelIndex, QSortFilterProxyModel, Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QScrollArea,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from mrviewer.database import DatabaseMapping, Survey
from mrviewer_napari.sections.finetune.facts.subject_rows import SubjectRow, split_text, whole_messages
from mrviewer_napari.sections.finetune.mapping_form import MappingForm
from mrviewer_napari.sections.finetune.subject_table import COLUMNS, SubjectTableModel
from mrviewer_napari.widgets.controls import quiet_label, show_if, warning_label
from mrviewer_napari.widgets.plain_widgets import PlainLabel, RichLabel, set_tip

__all__ = ["DatabaseWindow"]

_SIZE = (1320, 720)
_SHARES = (920, 380)
_ODDITIES_SHOWN = 6


class DatabaseWindow(QDialog):
    """A window of its own, for a table needs more room than a panel has; it stays open beside the viewer."""

    mapping_changed = Signal(object)
    use_wished = Signal(str, bool)
    validation_wished = Signal(str, bool)
    split_wished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Database")
        self.resize(*_SIZE)
        self.title, self.facts = RichLabel(), quiet_label()
        self.oddities, self.remarks = warning_label(), quiet_label()
        self.model = SubjectTableModel(self)
        self.sorted = QSortFilterProxyModel(self)
        self.sorted.setSourceModel(self.model)
        self.sorted.setSortRole(Qt.ItemDataRole.UserRole)
        self.table = self._make_table()
        self.mapping = MappingForm()
        self.details = quiet_label("What is odd about the selected subject stands here.")
        self.split = PlainLabel()
        self.split.setWordWrap(True)
        self.again = QPushButton("Propose a split")
        self.again.setToolTip("A quarter of the patients, at random but always the same")
        self._build()
        self.model.use_wished.connect(self.use_wished)
        self.model.validation_wished.connect(self.validation_wished)
        self.mapping.changed.connect(self.mapping_changed)
        self.again.clicked.connect(self.split_wished)
        self.table.selectionModel().currentRowChanged.connect(self._show_details)

    def _make_table(self) -> QTableView:
        table = QTableView()
        table.setModel(self.sorted)
        table.setSortingEnabled(True)
        table.sortByColumn(COLUMNS.index("Subject"), Qt.SortOrder.AscendingOrder)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setWordWrap(False)
        table.verticalHeader().setVisible(False)
        table.verticalHeader().setDefaultSectionSize(24)
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        table.horizontalHeader().setStretchLastSection(True)
        table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        return table

    def _build(self) -> None:
        side = QScrollArea(widgetResizable=True)
        side.setWidget(self.mapping)
        side.setMinimumWidth(360)
        middle = QSplitter(Qt.Orientation.Horizontal)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.table, 1)
        column.addWidget(self.details)
        middle.addWidget(left)
        middle.addWidget(side)
        middle.setStretchFactor(0, 1)
        middle.setSizes(list(_SHARES))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        foot = QHBoxLayout()
        foot.addWidget(self.split, 1)
        foot.addWidget(self.again)
        foot.addWidget(buttons)
        layout = QVBoxLayout(self)
        for widget in (self.title, self.facts, self.oddities, self.remarks):
            layout.addWidget(widget)
        layout.addWidget(middle, 1)
        layout.addLayout(foot)

    def show_survey(self, survey: Survey, facts: str) -> None:
        """Show what holds for the database as a whole."""
        self.title.setText(f"<b>{escape(survey.name)}</b>")
        self.facts.setText(facts)
        for label, harmless in ((self.oddities, False), (self.remarks, True)):
            messages = whole_messages(survey, harmless=harmless)
            rest = len(messages) - _ODDITIES_SHOWN
            label.setText("\n".join(messages[:_ODDITIES_SHOWN]) + (f"\nand {rest} more" if rest > 0 else ""))
            set_tip(label, "\n".join(messages))
            show_if(label, bool(messages))

    def show_rows(
        self, survey: Survey, mapping: DatabaseMapping, rows: Sequence[SubjectRow], classes: Sequence[str]
    ) -> None:
        """Show the subjects under a mapping, and the split."""
        fresh = [row.name for row in rows] != [row.name for row in self.model.rows]
        self.mapping.show_mapping(survey, mapping, classes)
        self.model.set_rows(rows)
        self.split.setText(split_text(rows))
        set_tip(self.split, split_text(rows, names=True))
        several = any(row.patient != row.name for row in rows)
        self.table.setColumnHidden(COLUMNS.index("Patient"), not several)
        if fresh:
            self.table.resizeColumnsToContents()

    def _show_details(self, index: QModelIndex, before: QModelIndex) -> None:
        del before
        if index.isValid():
            row = self.model.rows[self.sorted.mapToSource(index).row()]
            self.details.setText(" ".join(row.oddities) or f"Nothing is odd about {row.name}.")
