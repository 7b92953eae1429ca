"""Corrections: paint over a result or the reference labels, and save it beside the study, where it can train models."""

from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QButtonGroup,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QInputDialog,
    QPushButton,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from mrviewer.errors import MrviewerError
from mrviewer_napari.computing.finished_outcomes import FinishedOutcomes
from mrviewer_napari.opening.shown_scan import ShownScan
from mrviewer_napari.preferences import author_from_preferences, remember_author
from mrviewer_napari.sections.corrections.label_painting import N_CLASSES, Correcting, Template, templates
from mrviewer_napari.widgets.controls import choice_box, quiet_label, show_if, signals_blocked
from mrviewer_napari.widgets.plain_widgets import set_tip

__all__ = ["CorrectionsSection"]

_TOOLS = {
    "pan_zoom": ("Move", "Drag the picture, turn the wheel to zoom"),
    "paint": ("Paint", "Paint the chosen class into the shown slice"),
    "erase": ("Erase", "Erase from the shown slice"),
    "fill": ("Fill", "Give a whole region of the shown slice the chosen class"),
}
_LARGEST_BRUSH = 40
_FIRST_BRUSH = 4


class CorrectionsSection(QWidget):
    """Choose what to correct; then tools, and Save or Discard.

    Signals
    -------
    failed : Exception
    """

    failed = Signal(object)

    def __init__(
        self,
        shown_scan: ShownScan,
        finished: FinishedOutcomes,
        viewer: Any,  # noqa: ANN401 -- napari is not typed here
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._shown_scan, self._finished = shown_scan, finished
        self.correcting = Correcting(viewer, self)
        self._templates: tuple[Template, ...] = ()
        self.template, self.begin = choice_box("What the correction begins with"), QPushButton("Correct")
        self.begin.setToolTip("Paint on a copy; the original stays as it is")
        self.tools = {name: self._tool(name) for name in _TOOLS}
        self.brush = QSlider(Qt.Orientation.Horizontal, minimum=1, maximum=_LARGEST_BRUSH, value=_FIRST_BRUSH)
        self.brush.setToolTip("Size of the brush in voxels")
        self.value = QSpinBox(minimum=1, maximum=N_CLASSES)
        self.value.setToolTip("Class to paint: 1 is the lesion, or the first class of the method")
        self.undo, self.redo = QPushButton("Undo"), QPushButton("Redo")
        self.save, self.discard = QPushButton("Save correction"), QPushButton("Discard")
        self.text = quiet_label()
        self._build()
        self._connect()
        self.refresh()

    def _tool(self, name: str) -> QPushButton:
        word, tip = _TOOLS[name]
        button = QPushButton(word, checkable=True)
        set_tip(button, tip)
        return button

    def _build(self) -> None:
        self.choice, self.work = QWidget(), QWidget()
        first = QHBoxLayout(self.choice)
        first.setContentsMargins(0, 0, 0, 0)
        first.addWidget(quiet_label("Start from"))
        first.addWidget(self.template, 1)
        first.addWidget(self.begin)
        self._group = QButtonGroup(self)
        tools, strokes = QHBoxLayout(), QHBoxLayout()
        tools.setSpacing(4)
        for button in self.tools.values():
            self._group.addButton(button)
            tools.addWidget(button)
        for button in (self.undo, self.redo):
            strokes.addWidget(button)
        form = QFormLayout()
        form.addRow("Brush", self.brush)
        form.addRow("Class", self.value)
        ends = QHBoxLayout()
        ends.addWidget(self.save)
        ends.addWidget(self.discard)
        column = QVBoxLayout(self.work)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(tools)
        column.addLayout(form)
        column.addLayout(strokes)
        column.addLayout(ends)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self.choice, self.work, self.text):
            layout.addWidget(widget)

    def _connect(self) -> None:
        self.begin.clicked.connect(self._begin)
        for name, button in self.tools.items():
            button.clicked.connect(partial(self._use, name))
        self.brush.valueChanged.connect(self._set_brush)
        self.value.valueChanged.connect(self._set_value)
        self.undo.clicked.connect(self._undo)
        self.redo.clicked.connect(self._redo)
        self.save.clicked.connect(self._save)
        self.discard.clicked.connect(self.correcting.discard)
        self.correcting.changed.connect(self.refresh)
        self.correcting.saved.connect(self._on_saved)
        self.correcting.failed.connect(self.failed)
        self._shown_scan.corrected.connect(self.correcting.take_over)
        self._shown_scan.changed.connect(self._on_scan)
        self._finished.changed.connect(self.refresh)

    def refresh(self) -> None:
        """Offer what can be corrected, or the tools while something is."""
        scan, painting = self._shown_scan.scan, self.correcting.layer is not None
        show_if(self.choice, not painting)
        show_if(self.work, painting)
        self.save.setEnabled(not self.correcting.busy)
        self._templates = () if scan is None else templates(scan, self._finished.outcomes)
        titles = [template.title for template in self._templates]
        if titles != [self.template.itemText(place) for place in range(self.template.count())]:
            chosen = self.template.currentText()
            with signals_blocked(self.template):
                self.template.clear()
                self.template.addItems(titles)
                self.template.setCurrentText(chosen if chosen in titles else next(iter(titles), ""))
        if painting and self.correcting.scan is not None:
            self.text.setText(
                f"Painting on a copy over {self.correcting.scan.study.name}, in the first tile. "
                "Keys of napari work too: [ and ] change the brush, Ctrl-Z takes a stroke back."
            )
        show_if(self.text, bool(self.text.text()))

    def _begin(self) -> None:
        scan, place = self._shown_scan.scan, self.template.currentIndex()
        if scan is not None and 0 <= place < len(self._templates):
            self.correcting.begin(scan, self._templates[place])
            self.tools["paint"].setChecked(True)
            self._set_brush(self.brush.value())
            self._set_value(self.value.value())

    def _use(self, name: str) -> None:
        if self.correcting.layer is not None:
            self.correcting.layer.mode = name

    def _set_brush(self, size: int) -> None:
        if self.correcting.layer is not None:
            self.correcting.layer.brush_size = size

    def _set_value(self, value: int) -> None:
        if self.correcting.layer is not None:
            self.correcting.layer.selected_label = value

    def _undo(self) -> None:
        if self.correcting.layer is not None:
            self.correcting.layer.undo()

    def _redo(self) -> None:
        if self.correcting.layer is not None:
            self.correcting.layer.redo()

    def save_now(self, *, wait: bool = False) -> None:
        """Save beside the study; asks for initials once, and for a folder where the study lies in none.

        Parameters
        ----------
        wait
            Whether to return when it is written, for a window that is about to go.
        """
        scan = self.correcting.scan
        author = author_from_preferences() or self._ask_author()
        if not author or scan is None:
            return
        folder = None
        if not any(image.path for image in scan.study.images.values()):
            chosen = QFileDialog.getExistingDirectory(self, "This study lies in no folder: save its correction in")
            if not chosen:
                return
            folder = Path(chosen)
        try:
            self.correcting.save(author, folder, wait=wait)
        except MrviewerError as error:
            self.failed.emit(error)

    def _save(self) -> None:
        self.save_now()

    def _ask_author(self) -> str:
        title, question = "Who corrects?", "Your initials; they are saved with every correction:"
        author, accepted = QInputDialog.getText(self, title, question)
        author = author.strip() if accepted else ""
        if author:
            remember_author(author)
        return author

    def _on_saved(self, path: Path) -> None:
        self.text.setText(
            f"Saved {path.parent.name}/{path.name} beside the study. A database that holds this study offers "
            "corrections as labels, so that it can join the training set."
        )
        show_if(self.text, True)

    def _on_scan(self) -> None:
        self.correcting.follow(self._shown_scan.scan)
        self.refresh()
