"""The window Before and after: the verdict, all cases together, each case, each lesion; what became better in bold."""

from collections.abc import Sequence
from html import escape

from qtpy.QtCore import Qt
from qtpy.QtGui import QBrush, QColor
from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from mrviewer.plain_text import plain
from mrviewer_napari.sections.finetune.facts.run_result import RunResult, ScoreChange, ScoreRow
from mrviewer_napari.widgets.controls import quiet_label
from mrviewer_napari.widgets.plain_widgets import RichLabel

__all__ = ["ResultWindow", "means_html", "means_table", "verdict_html"]

_SIZE = (820, 560)
_WORSE = QBrush(QColor("#D55E00"))
_COLOURS = {"better": "#009E73", "worse": "#D55E00"}
_LESION_TITLES = ("Subject", "Lesion", "Volume (ml)", "Found")


class ResultWindow(QDialog):
    """What a run came to."""

    def __init__(self, result: RunResult, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(plain(f"Before and after: {result.model}"))
        self.resize(*_SIZE)
        verdict = RichLabel(verdict_html(result))
        verdict.setWordWrap(True)
        self.tabs = QTabWidget()
        self.tabs.addTab(means_table(result.means), "All cases")
        self.tabs.addTab(_rows_table(("Subject",), result.subjects), f"By case ({len(result.subjects)})")
        if result.lesions:
            self.tabs.addTab(_rows_table(_LESION_TITLES, result.lesions), f"By lesion ({len(result.lesions)})")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.addWidget(verdict)
        layout.addWidget(self.tabs, 1)
        if result.remarks:
            layout.addWidget(quiet_label("\n".join(result.remarks)))
        layout.addWidget(buttons)


def verdict_html(result: RunResult) -> str:
    """The verdict, its first sentence in the colour of what it says."""
    head, stop, rest = escape(result.sentence).partition(". ")
    colour = _COLOURS.get(result.verdict, "#c3c7cd")
    return f'<b style="color:{colour}">{head}{stop.strip()}</b> {rest}'


def means_html(figures: Sequence[ScoreChange]) -> str:
    """Figures before and after as a small table of rich text, the better of both in bold."""
    rows = []
    for figure in figures:
        texts = [
            f"<b>{escape(text)}</b>"
            if figure.is_better is (place == 1) and figure.is_better is not None
            else escape(text)
            for place, text in enumerate(figure.texts)
        ]
        cells = "".join(f"<td>{text}&nbsp;&nbsp;</td>" for text in (escape(figure.name), *texts))
        rows.append(f"<tr>{cells}")
    return "<table><tr><td></td><td>before&nbsp;&nbsp;</td><td>after</td></tr>" + "</tr>".join(rows) + "</tr></table>"


def means_table(figures: Sequence[ScoreChange]) -> QTableWidget:
    """Figures before and after, a row each."""
    table = _table(["", "Before", "After"], len(figures))
    for row, figure in enumerate(figures):
        table.setItem(row, 0, _cell(figure.name))
        _put(table, row, 1, figure)
    return table


def _rows_table(titles: Sequence[str], rows: Sequence[ScoreRow]) -> QTableWidget:
    """Subjects or lesions, a row each, with two columns a figure."""
    names = [figure.name for figure in rows[0].figures] if rows else []
    table = _table([*titles, *(f"{name}\n{when}" for name in names for when in ("before", "after"))], len(rows))
    for number, row in enumerate(rows):
        for column, text in enumerate(row.title):
            table.setItem(number, column, _cell(text))
        for place, figure in enumerate(row.figures):
            _put(table, number, len(titles) + 2 * place, figure)
    return table


def _table(titles: Sequence[str], n_rows: int) -> QTableWidget:
    table = QTableWidget(n_rows, len(titles))
    table.setHorizontalHeaderLabels(list(titles))
    table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
    table.verticalHeader().setVisible(False)
    table.verticalHeader().setDefaultSectionSize(24)
    table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    table.horizontalHeader().setStretchLastSection(True)
    return table


def _put(table: QTableWidget, row: int, column: int, figure: ScoreChange) -> None:
    """Two cells; the better of both in bold, one that became worse in the colour of warnings."""
    for place, text in enumerate(figure.texts):
        cell = _cell(text)
        font = cell.font()
        font.setBold(figure.is_better is (place == 1) and figure.is_better is not None)
        cell.setFont(font)
        if place == 1 and figure.is_better is False:
            cell.setForeground(_WORSE)
        table.setItem(row, column + place, cell)


def _cell(text: str) -> QTableWidgetItem:
    return QTableWidgetItem(text)
