"""The array form: what the axes of an array in a file are, with a preview that shows whether that is right."""

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QVBoxLayout,
    QWidget,
)

from mrviewer.errors import InputError
from mrviewer.names.image_names import MODALITIES
from mrviewer.plain_text import plain
from mrviewer.raw.arrays.array_layout import AXES, ArrayLayout, Domain
from mrviewer.readers.arrays.numpy_array import ArrayFacts
from mrviewer_napari.opening.dialogs.pixmaps import slice_pixmap
from mrviewer_napari.opening.first_picture import FirstPicture
from mrviewer_napari.opening.questions import ArrayQuestion
from mrviewer_napari.widgets.controls import clear_form, quiet_label, warning_label
from mrviewer_napari.widgets.plain_widgets import PlainLabel, set_tip

__all__ = ["ArrayForm"]

_PREVIEW = 380
_FORM_WIDTH = 300
_AXIS_WORDS = {
    "frame": "frame (time, repetition)",
    "slice": "slice",
    "coil": "coil",
    "z": "z (third axis of 3-D k-space)",
    "y": "y (rows)",
    "x": "x (columns, phase encoding)",
}
_DOMAINS = {Domain.KSPACE: "k-space", Domain.IMAGE: "image"}
_CENTRES = {False: "in the middle", True: "in the corner (index 0)"}


class ArrayForm(QDialog):
    """Boxes for each axis, filled with a proposal.

    Signals
    -------
    preview_wanted : ArrayLayout
        Another picture is needed; it comes by `show_preview`, or why there is none by `show_error`.
    array_wanted : name
        Another array of the file was chosen; its facts come by `fill`.

    Parameters
    ----------
    question
        The file, and what is known of its array.
    """

    preview_wanted = Signal(object)
    array_wanted = Signal(str)

    def __init__(self, question: ArrayQuestion, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        more = f", {question.waiting} more to come" if question.waiting else ""
        self.setWindowTitle(plain(f"Open {question.path.name}{more}"))
        self._facts, self._file = question.facts, question.path.name
        self.axes: list[QComboBox] = []
        self.array = _box({name: f"{name} {_shape(shape)}" for name, shape in question.facts.arrays})
        self.array.activated.connect(self._on_array)
        self.values, self.centre = _box(_DOMAINS), _box(_CENTRES)
        self.voxel = [_edge() for _ in range(3)]
        free = (name for name in MODALITIES if name not in question.taken)
        self.modality = _box({name: name for name in (*free, "unknown")})
        self.modality.setCurrentIndex(self.modality.findData(question.modality))
        self._axis_form = QFormLayout()
        self.picture = PlainLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self.picture.setFixedSize(_PREVIEW, _PREVIEW)
        self.picture.setStyleSheet("background: black;")
        self.caption = quiet_label()
        self.caption.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.caption.setFixedWidth(_PREVIEW)
        self.caption.setMinimumHeight(2 * self.caption.fontMetrics().lineSpacing())
        self.reason, self.warning = quiet_label(), warning_label()
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel)
        if question.waiting:
            self.buttons.button(QDialogButtonBox.StandardButton.Open).setText("Next array")
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._lay_out(question)
        for box in (self.values, self.centre):
            box.activated.connect(self._on_change)
        for edge in self.voxel:
            edge.valueChanged.connect(self._on_change)
        self._show_facts()

    @property
    def layout_of_axes(self) -> ArrayLayout:
        """What the boxes say.

        Raises
        ------
        InputError
            If they contradict each other.
        """
        z, y, x = (edge.value() for edge in self.voxel)
        return ArrayLayout(
            axes=tuple(box.currentData() for box in self.axes),
            domain=Domain(self.values.currentData()),  # Qt keeps the text alone
            corner=self.centre.currentData(),
            voxel_size_mm=(z, y, x),
            name=self._facts.name,
        )

    def begin(self) -> None:
        """Ask for the first preview."""
        self._on_change()

    def fill(self, facts: ArrayFacts) -> None:
        """Show another array with what it seems to be."""
        self._facts = facts
        self._show_facts()
        self._on_change()

    def show_preview(self, picture: FirstPicture) -> None:
        """Show the middle slice of what the boxes say; it can be opened."""
        self.picture.setPixmap(slice_pixmap(picture, _PREVIEW))
        self.caption.setText(picture.title)
        self.warning.hide()
        self._open_button.setEnabled(True)

    def show_error(self, sentence: str) -> None:
        """Say why what the boxes say cannot be opened."""
        self.picture.clear()
        self.caption.clear()
        self.warning.setText(sentence)
        self.warning.show()
        self._open_button.setEnabled(False)

    @property
    def _open_button(self) -> QWidget:
        button: QWidget = self.buttons.button(QDialogButtonBox.StandardButton.Open)
        return button

    def _lay_out(self, question: ArrayQuestion) -> None:
        form = QFormLayout()
        form.addRow("Array", self.array)
        form.setRowVisible(self.array, len(question.facts.arrays) > 1)
        form.addRow(self.reason)
        form.addRow(self._axis_form)
        form.addRow("Values", self.values)
        form.addRow("Centre", self.centre)
        edges = QHBoxLayout()
        for name, edge in zip(("slice", "y", "x"), self.voxel, strict=True):
            set_tip(edge, f"Edge of a voxel along {name} in mm")
            edges.addWidget(edge)
        form.addRow("Voxel z, y, x (mm)", edges)
        form.addRow("Open as", self.modality)
        left = QVBoxLayout()
        left.addLayout(form)
        left.addWidget(self.warning)
        left.addStretch(1)
        self.values.setMinimumWidth(_FORM_WIDTH - 100)
        right = QVBoxLayout()
        right.addWidget(self.picture)
        right.addWidget(self.caption)
        right.addStretch(1)
        sides = QHBoxLayout()
        sides.addLayout(left, 1)
        sides.addSpacing(12)
        sides.addLayout(right)
        layout = QVBoxLayout(self)
        layout.addLayout(sides, 1)
        layout.addWidget(self.buttons)

    def _show_facts(self) -> None:
        """A box for each axis, all filled with the proposal."""
        facts, guess = self._facts, self._facts.guess
        self.array.setCurrentIndex(self.array.findData(facts.name))
        self.reason.setText(f"{facts.doubt or f'{self._file} does not say what its axes are'}. Slowest axis first:")
        clear_form(self._axis_form)
        self.axes = []
        for number, size in enumerate(facts.shape):
            box = _box(_AXIS_WORDS)
            box.setCurrentIndex(AXES.index(guess.axes[number]))
            box.activated.connect(self._on_change)
            self.axes.append(box)
            self._axis_form.addRow(f"Axis {number + 1}, {size} long", box)
        self.values.setCurrentIndex(self.values.findData(guess.domain))
        self.centre.setCurrentIndex(self.centre.findData(guess.corner))
        for edge, value in zip(self.voxel, guess.voxel_size_mm, strict=True):
            with QSignalBlocker(edge):
                edge.setValue(value)

    def _on_array(self) -> None:
        self._open_button.setEnabled(False)
        self.array_wanted.emit(self.array.currentData())

    def _on_change(self) -> None:
        """Ask for a preview of what the boxes say, or tell what is wrong with it."""
        try:
            layout = self.layout_of_axes
        except InputError as error:
            self.show_error(str(error))
            return
        self._open_button.setEnabled(False)
        self.preview_wanted.emit(layout)


def _box(words: dict) -> QComboBox:  # type: ignore[type-arg]
    box = QComboBox()
    for value, text in words.items():
        box.addItem(text, value)
    return box


def _edge() -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(0.01, 999.0)
    box.setDecimals(3)
    box.setSingleStep(0.1)
    return box


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
