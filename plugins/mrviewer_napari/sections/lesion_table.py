"""The lesion table as a Qt model."""

from collections.abc import Sequence

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt
from qtpy.QtGui import QColor

from mrviewer.metrics.lesions import Lesion
from mrviewer_napari.facts.lesion_columns import AGREEMENT, COLUMNS

__all__ = ["LesionModel"]

_STATUS = next(place for place, column in enumerate(COLUMNS) if column.name == "status")
_NOWHERE = QModelIndex()


class LesionModel(QAbstractTableModel):
    """One row a lesion; numbers sort as numbers (user role), an unknown value sorts lowest."""

    def __init__(self, parent: object | None = None) -> None:
        super().__init__(parent)
        self.rows: Sequence[Lesion] = ()

    def set_rows(self, rows: Sequence[Lesion]) -> None:
        """Show other lesions."""
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def row_of(self, lesion: int) -> int | None:
        """Row of a lesion's number."""
        return next((place for place, row in enumerate(self.rows) if row.id == lesion), None)

    def rowCount(self, parent: QModelIndex = _NOWHERE) -> int:  # noqa: N802
        """Lesions."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex = _NOWHERE) -> int:  # noqa: N802
        """Columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:  # noqa: N802
        """Titles of the columns, and what they mean."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section].title
        return COLUMNS[section].description if role == Qt.ItemDataRole.ToolTipRole else None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Text, sort key, colour chip or alignment of a cell."""
        row, column = self.rows[index.row()], index.column()
        value = COLUMNS[column].value(row)
        if role == Qt.ItemDataRole.UserRole:
            return -1.0 if value is None else value
        if role == Qt.ItemDataRole.DisplayRole:
            digits = COLUMNS[column].digits
            return "" if value is None else str(value) if digits is None else f"{value:.{digits}f}"
        if role == Qt.ItemDataRole.DecorationRole and column == _STATUS:
            return QColor(AGREEMENT[row.status].colour)
        if role == Qt.ItemDataRole.TextAlignmentRole and column != _STATUS:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None
