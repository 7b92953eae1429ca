"""The table of subjects: what each holds, what is odd, and two boxes that say what it is used for."""

from collections.abc import Sequence
from typing import TypeAlias

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from qtpy.QtGui import QBrush, QColor

from mrviewer_napari.sections.finetune.facts.subject_rows import Role, SubjectRow
from mrviewer_napari.widgets.plain_widgets import plain_tip

__all__ = ["COLUMNS", "SubjectTableModel"]

COLUMNS = ("Use", "Validation", "Subject", "Patient", "Modalities", "Label", "Matrix", "Voxel (mm)", "What is odd")
_USE, _VALIDATION, _ODD = 0, 1, len(COLUMNS) - 1
_TIPS = {
    _USE: "Unticked subjects are left out",
    _VALIDATION: "Ticked subjects are never trained on: they tell whether the model became better",
    _ODD: "What the headers and a few slices show to be unusual",
}
_ODD_COLOUR, _SOFT_COLOUR = QColor("#E69F00"), QColor("#8b9098")
_Index: TypeAlias = QModelIndex | QPersistentModelIndex
_TOP = QModelIndex()


class SubjectTableModel(QAbstractTableModel):
    """Rows of `SubjectRow`; ticking emits wishes, and the rows change when their owner sets them anew."""

    use_wished = Signal(str, bool)
    validation_wished = Signal(str, bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[SubjectRow, ...] = ()

    def set_rows(self, rows: Sequence[SubjectRow]) -> None:
        """Show these subjects; the place of the table is kept where they are the same."""
        if [row.name for row in rows] != [row.name for row in self.rows]:
            self.beginResetModel()
            self.rows = tuple(rows)
            self.endResetModel()
            return
        self.rows = tuple(rows)
        if rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, _ODD))

    def rowCount(self, parent: _Index = _TOP) -> int:  # noqa: N802
        """Number of subjects."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: _Index = _TOP) -> int:  # noqa: N802
        """Number of columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:  # noqa: N802
        """Titles of the columns."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.ToolTipRole:
            return _TIPS.get(section)
        return COLUMNS[section] if role == Qt.ItemDataRole.DisplayRole else None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """Boxes can be ticked where they mean something."""
        flags = super().flags(index)
        role = self.rows[index.row()].role
        if index.column() == _USE and role is not Role.UNUSABLE:
            return flags | Qt.ItemFlag.ItemIsUserCheckable
        if index.column() == _VALIDATION and role in (Role.TRAINING, Role.VALIDATION):
            return flags | Qt.ItemFlag.ItemIsUserCheckable
        return flags

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """What a cell shows, sorts by, or says under the mouse."""
        row, column = self.rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return _text(row, column)
        if role == Qt.ItemDataRole.UserRole:
            return _sort_key(row, column)
        if role == Qt.ItemDataRole.CheckStateRole and column in (_USE, _VALIDATION):
            return _checked(row, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip("\n".join(row.oddities)) or None
        if role == Qt.ItemDataRole.ForegroundRole:
            return _brush(row, column)
        return None

    def setData(self, index: _Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:  # noqa: N802
        """Pass on the wish of a person who ticks a box."""
        if role != Qt.ItemDataRole.CheckStateRole:
            return False
        on = Qt.CheckState(value) is Qt.CheckState.Checked
        wish = self.use_wished if index.column() == _USE else self.validation_wished
        wish.emit(self.rows[index.row()].name, on)
        return True


def _checked(row: SubjectRow, column: int) -> Qt.CheckState | None:
    usable = row.role in (Role.TRAINING, Role.VALIDATION)
    if column == _VALIDATION and not usable:
        return None
    on = usable if column == _USE else row.role is Role.VALIDATION
    return Qt.CheckState.Checked if on else Qt.CheckState.Unchecked


def _text(row: SubjectRow, column: int) -> str:
    return (
        "",
        "",
        row.name,
        row.patient,
        ", ".join(row.modalities) or "none",
        "yes" if row.labelled else "none",
        " x ".join(map(str, row.shape[::-1])) or "unknown",
        " x ".join(f"{size:.3g}" for size in row.voxel_mm[::-1]) or "unknown",
        " ".join(row.oddities),
    )[column]


def _sort_key(row: SubjectRow, column: int) -> str | int:
    if column in (_USE, _VALIDATION):
        return list(Role).index(row.role)
    return -len(row.oddities) if column == _ODD else _text(row, column)


def _brush(row: SubjectRow, column: int) -> QBrush | None:
    if row.role in (Role.UNUSABLE, Role.LEFT_OUT):
        return QBrush(_SOFT_COLOUR)
    return QBrush(_ODD_COLOUR) if column == _ODD and not row.harmless else None
