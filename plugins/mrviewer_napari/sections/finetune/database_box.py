"""The first part of the section: choose a database, see it in one line, and open its window."""

from html import escape
from typing import cast

from qtpy.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from mrviewer.database import DatabaseMapping
from mrviewer.progress import Progress
from mrviewer_napari.sections.finetune.database_window import DatabaseWindow
from mrviewer_napari.sections.finetune.facts.database_choice import DatabaseChoice
from mrviewer_napari.sections.finetune.facts.subject_rows import split_text, whole_messages
from mrviewer_napari.widgets.controls import quiet_label, show_if, warning_label
from mrviewer_napari.widgets.plain_widgets import RichLabel, set_tip

__all__ = ["DatabaseBox"]

_MESSAGES_SHOWN = 6
_TABLES = "Databases (dataset.json *.csv *.tsv);;All files (*)"


class DatabaseBox(QWidget):
    """Two buttons, a line, and a window."""

    def __init__(self, database: DatabaseChoice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._database = database
        self._classes: tuple[str, ...] = ()
        self.folder, self.file = QPushButton("Database folder..."), QPushButton("Database file...")
        self.folder.setToolTip("A folder with one sub-folder for each subject, or a BIDS folder")
        self.file.setToolTip("A dataset.json of the Medical Segmentation Decathlon, or a table of paths (CSV, TSV)")
        self.name, self.summary, self.oddities = RichLabel(), quiet_label(), warning_label()
        self.name.setWordWrap(True)
        self.more = QPushButton("Subjects and mapping...")
        self.bar, self.reading, self.cancel = QProgressBar(textVisible=False), quiet_label(), QPushButton("Cancel")
        self.bar.setFixedHeight(6)
        self.window_: DatabaseWindow | None = None
        self._build()
        self.folder.clicked.connect(self._ask_folder)
        self.file.clicked.connect(self._ask_file)
        self.more.clicked.connect(self.open_window)
        self.cancel.clicked.connect(database.cancel)
        database.changed.connect(self.refresh)
        database.progressed.connect(self._show_progress)
        database.busy_changed.connect(self.refresh)
        self.refresh()

    def _build(self) -> None:
        buttons = QGridLayout()
        buttons.setSpacing(6)
        buttons.addWidget(self.folder, 0, 0)
        buttons.addWidget(self.file, 0, 1)
        waiting = QHBoxLayout()
        waiting.addWidget(self.reading, 1)
        waiting.addWidget(self.cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(buttons)
        layout.addWidget(self.bar)
        layout.addLayout(waiting)
        for widget in (self.name, self.summary, self.oddities, self.more):
            layout.addWidget(widget)

    def set_classes(self, classes: tuple[str, ...]) -> None:
        """Offer the classes of the chosen method in the mapping."""
        if classes != self._classes:
            self._classes = classes
            self._fill_window()

    def refresh(self) -> None:
        """Show what is open, and whether something is being read."""
        survey, busy = self._database.survey, self._database.busy
        for widget in (self.bar, self.reading, self.cancel):
            show_if(widget, busy)
        for widget in (self.name, self.summary, self.more):
            show_if(widget, survey is not None)
        messages = self._messages()
        self.oddities.setText("\n".join(messages))
        show_if(self.oddities, bool(messages))
        if survey is not None:
            self.name.setText(f"<b>{escape(survey.name)}</b>")
            self.summary.setText(self._database.summary)
            set_tip(self.summary, split_text(self._database.rows, names=True))
            self._fill_window()

    def _messages(self) -> list[str]:
        """What is odd about the database and its files, and how many subjects are odd by themselves."""
        survey, rows = self._database.survey, self._database.rows
        if survey is None:
            return []
        messages = list(whole_messages(survey, harmless=False))
        rest = len(messages) - _MESSAGES_SHOWN
        messages[_MESSAGES_SHOWN:] = [f"and {rest} more; see below."] if rest > 0 else []
        odd = sum(not row.harmless for row in rows)
        seen = f"Something is odd about {odd} of {len(rows)} subjects; see below."
        return messages + ([seen] if odd else [])

    def open_window(self) -> None:
        """Show the window Database beside the viewer."""
        if self.window_ is None:
            self.window_ = DatabaseWindow(self.window())
            self.window_.mapping_changed.connect(self._take_mapping)
            self.window_.use_wished.connect(self._database.set_use)
            self.window_.validation_wished.connect(self._database.set_validation)
            self.window_.split_wished.connect(self._database.propose_split)
        self._fill_window()
        self.window_.show()
        self.window_.raise_()

    def _fill_window(self) -> None:
        survey, window = self._database.survey, self.window_
        if survey is None or window is None:
            return
        sampled = f". {survey.sampled[:1].upper()}{survey.sampled[1:]}" if survey.sampled else ""
        window.show_survey(survey, f"{self._database.facts}{sampled}")
        window.show_rows(survey, self._database.mapping, self._database.rows, self._classes)

    def _take_mapping(self, mapping: object) -> None:
        self._database.set_mapping(cast("DatabaseMapping", mapping))

    def _show_progress(self, step: Progress) -> None:
        self.bar.setRange(0, step.total)
        self.bar.setValue(step.done)
        self.reading.setText(f"{step.message} ...")

    def _ask_folder(self) -> None:
        if folder := QFileDialog.getExistingDirectory(self, "Choose the folder of a database"):
            self._database.open(folder)

    def _ask_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Choose the file of a database", "", _TABLES)
        if path:
            self._database.open(path)
