"""Sampling: the mask, its picture, and the rate that it really reaches."""

from dataclasses import replace
from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from mrviewer.evaluation.conditions import SamplingCondition
from mrviewer.sampling import FILE, MaskSetting, family_of, learned_probability, mask_families
from mrviewer_napari.computing.mask_choice import MaskChoice
from mrviewer_napari.facts.study_facts import mask_facts
from mrviewer_napari.opening.shown_scan import ShownScan
from mrviewer_napari.panel_state import PanelState
from mrviewer_napari.sections.mask_pictures import mask_picture, probability_picture, spread_picture
from mrviewer_napari.widgets.controls import quiet_label, show_if, signals_blocked, warning_label
from mrviewer_napari.widgets.plain_widgets import PlainLabel, plain_tip

__all__ = ["SamplingSection"]

_STEPS = 10
"""Slider steps for each unit of acceleration."""
_FASTEST = 16
_ACQUIRED = (
    "The scan was acquired undersampled, on this mask. No other can be chosen: what was not acquired is not known."
)
_PICTURE = 98
"""Three of them fit side by side."""


class SamplingSection(QWidget):
    """The wished mask."""

    def __init__(
        self, state: PanelState, mask_choice: MaskChoice, shown_scan: ShownScan, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._state, self._mask_choice, self._shown_scan = state, mask_choice, shown_scan
        self.family = QComboBox()
        self.family.setPlaceholderText("as it was acquired")
        for family in mask_families():
            self.family.addItem(family.title, family.name)
            self.family.setItemData(self.family.count() - 1, plain_tip(family.citation), Qt.ItemDataRole.ToolTipRole)
        self.file_button = QPushButton("File...")
        self.file_button.setToolTip("A mask from a file: .npy, .png or .mat")
        self.description = quiet_label()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setMinimumWidth(80)
        self.slider.setRange(_STEPS, _FASTEST * _STEPS)
        self.slider.setPageStep(_STEPS)
        self.slider.setToolTip("How many times fewer samples are taken; drag to see the shown slice follow")
        self.acceleration = QDoubleSpinBox(minimum=1, maximum=_FASTEST, singleStep=0.5, decimals=1)
        self.center = QDoubleSpinBox(minimum=0, maximum=1, singleStep=0.01, decimals=3)
        self.center.setToolTip("Part of k-space around its centre that is always acquired")
        self.seed = QSpinBox(minimum=0, maximum=2**31 - 1)
        self.seed.setToolTip("The same seed gives the same mask")
        self.dice = QPushButton("Another")
        self.dice.setToolTip("Draw another mask of the same kind")
        self.pattern, self.spread, self.probability = PlainLabel(), PlainLabel(), PlainLabel()
        self.achieved = PlainLabel()
        self.achieved.setWordWrap(True)
        self.problem = warning_label()
        self._lay_out()
        self._connect()
        self._show(self._state.mask)
        self.show_mask()

    def _lay_out(self) -> None:
        first = QHBoxLayout()
        first.addWidget(self.family, 1)
        first.addWidget(self.file_button)
        rate = QHBoxLayout()
        rate.addWidget(self.slider, 1)
        rate.addWidget(self.acceleration)
        draw = QHBoxLayout()
        draw.addWidget(self.seed, 1)
        draw.addWidget(self.dice)
        self._form = form = QFormLayout()
        form.setVerticalSpacing(6)
        form.addRow("Acceleration", rate)
        form.addRow("Centre fraction", self.center)
        form.addRow("Seed", draw)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(first)
        layout.addWidget(self.description)
        layout.addLayout(form)
        layout.addWidget(self.problem)
        layout.addWidget(self._pictures())
        layout.addWidget(self.achieved)

    def _pictures(self) -> QWidget:
        """Pictures side by side, each over its caption."""
        self.pattern.setToolTip("Bright where a sample is acquired; the centre of k-space is in the middle")
        self.spread.setToolTip("How one bright pixel looks in the zero-filled image; what lies beside it are ghosts")
        self.probability.setToolTip("How much a method wants each sample: what is brightest is acquired, at any rate")
        self.pictures = QWidget()
        row = QHBoxLayout(self.pictures)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        self._columns = {}
        for label, caption in (
            (self.pattern, "samples"),
            (self.spread, "spread, 60 dB"),
            (self.probability, "probability"),
        ):
            label.setFixedSize(_PICTURE, _PICTURE)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            self._columns[label] = QWidget()
            column = QVBoxLayout(self._columns[label])
            column.setContentsMargins(0, 0, 0, 0)
            column.addWidget(label)
            column.addWidget(quiet_label(caption))
            row.addWidget(self._columns[label])
        row.addStretch(1)
        return self.pictures

    def _connect(self) -> None:
        self.family.activated.connect(self._choose_family)
        self.file_button.clicked.connect(self._ask_file)
        self.slider.valueChanged.connect(self._slide)
        self.acceleration.valueChanged.connect(self._set_acceleration)
        self.center.valueChanged.connect(self._set_center)
        self.seed.valueChanged.connect(self._set_seed)
        self.dice.clicked.connect(self._next_seed)
        self._state.events.mask.connect(self._show)

    # From the person -----------------------------------------------------------------------------------------------

    def _choose_family(self) -> None:
        self._state.mask = replace(self._state.mask, family=self.family.currentData())

    def _ask_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open a sampling mask", "", "Masks (*.npy *.png *.mat);;All (*)")
        if path:
            self._state.mask = replace(self._state.mask, family=FILE.named(path))

    def _slide(self, steps: int) -> None:
        self._state.mask = replace(self._state.mask, acceleration=steps / _STEPS)

    def _set_acceleration(self, value: float) -> None:
        self._state.mask = replace(self._state.mask, acceleration=value)

    def _set_center(self, value: float) -> None:
        self._state.mask = replace(self._state.mask, center_fraction=value)

    def _set_seed(self, value: int) -> None:
        self._state.mask = replace(self._state.mask, seed=value)

    def _next_seed(self) -> None:
        self._state.mask = replace(self._state.mask, seed=self._state.mask.seed + 1)

    # To the person -------------------------------------------------------------------------------------------------

    def _show(self, wish: SamplingCondition) -> None:
        """Show the wish; of a scan that has a mask of its own, the rate of that one."""
        mask, free = self._mask_choice.mask, self._is_free
        rate = wish.acceleration if free or mask is None else mask.achieved_acceleration
        for widget, value in (
            (self.slider, round(rate * _STEPS)),
            (self.acceleration, rate),
            (self.center, wish.center_fraction),
            (self.seed, wish.seed),
        ):
            with signals_blocked(widget):
                widget.setValue(value)
        with signals_blocked(self.family):
            self.family.setCurrentIndex(self.family.findData(family_of(wish.family).name) if free else -1)
        self._offer(wish)

    @property
    def _is_free(self) -> bool:
        """Whether a mask can be chosen: a scan that was acquired undersampled has its own."""
        scan = self._shown_scan.scan
        return scan is None or scan.raw.acquired is None

    def _offer(self, wish: SamplingCondition) -> None:
        """Offer what can be chosen of the wished mask."""
        family, path = family_of(wish.family), wish.family.partition(":")[2]
        read = family.settings if self._is_free else frozenset[MaskSetting]()
        for widget in (self.family, self.file_button):
            widget.setEnabled(self._is_free)
        for widget in (self.slider, self.acceleration):
            widget.setEnabled(MaskSetting.ACCELERATION in read)
        self.center.setEnabled(MaskSetting.CENTER_FRACTION in read)
        for widget in (self.seed, self.dice):
            widget.setEnabled(MaskSetting.SEED in read)
        for row in (1, 2):
            self._form.setRowVisible(row, self._is_free)
        words = f"Mask from {Path(path).name}" if family is FILE else family.description
        self.description.setText(words if self._is_free else _ACQUIRED)

    def show_mask(self) -> None:
        """Show the mask that is used, or why the selected one cannot be made."""
        mask, scan = self._mask_choice.mask, self._shown_scan.scan
        self._show(self._state.mask)
        self.problem.setText(self._mask_choice.problem)
        show_if(self.problem, bool(self._mask_choice.problem))
        show_if(self.pictures, mask is not None and scan is not None)
        show_if(self.achieved, mask is not None and scan is not None)
        if mask is None or scan is None:
            return
        shape = scan.plane_shape
        self.pattern.setPixmap(mask_picture(mask, shape, _PICTURE))
        self.spread.setPixmap(spread_picture(mask, shape, _PICTURE))
        is_learned = family_of(mask.name).is_learned
        show_if(self._columns[self.probability], is_learned)
        if is_learned:
            wanted = learned_probability(mask.name, shape, mask.achieved_acceleration)
            self.probability.setPixmap(probability_picture(wanted, shape, _PICTURE))
        self.achieved.setText("\n".join(filter(None, (mask_facts(mask), mask.note))))
