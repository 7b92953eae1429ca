"""The dock Coils: what every coil sees of the shown slice. While it is closed it computes and holds nothing."""

from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QHideEvent, QImage, QPainter, QPaintEvent, QShowEvent
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from mrviewer.geometry import INTERNAL_AXES
from mrviewer_napari.facts.orientation import axis_names, edge_letters
from mrviewer_napari.facts.scan import Scan
from mrviewer_napari.opening.shown_scan import ShownScan
from mrviewer_napari.panel_state import PanelState
from mrviewer_napari.sections.coils.coil_pictures import (
    CoilPictureKind,
    CoilPictures,
    DrawingArea,
    coil_facts,
    look_at_coils,
)
from mrviewer_napari.tiles.tile_grid import TileGrid
from mrviewer_napari.widgets.controls import quiet_label
from mrviewer_napari.widgets.jobs import Slot

__all__ = ["CoilView"]

_SHOWN_FIRST = (CoilPictureKind.IMAGE, CoilPictureKind.MAP)
_WORDS, _LETTERS, _SHADOW = QColor("#e0e3e8"), QColor("#F0E442"), QColor("#000000")
_GAP, _LINE = 2, 20


class CoilView(QWidget):
    """Pictures of all coils, following the slice of the tiles.

    Parameters
    ----------
    shown_scan
        What is open.
    grid
        Says which slice is shown.
    state
        Says on which side the patient's left is.

    Signals
    -------
    failed : Exception
    """

    failed = Signal(object)

    def __init__(self, shown_scan: ShownScan, grid: TileGrid, state: PanelState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown_scan, self._grid, self._state = shown_scan, grid, state
        self._slot = Slot(self)
        self._asked: tuple[Scan, int] | None = None
        self.boxes = {kind: QCheckBox(kind.value) for kind in CoilPictureKind}
        self.canvas = CoilCanvas()
        self.title, self.facts = quiet_label(), quiet_label()
        boxes = QHBoxLayout()
        for kind, box in self.boxes.items():
            box.setChecked(kind in _SHOWN_FIRST)
            box.toggled.connect(self._choose)
            boxes.addWidget(box)
        boxes.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 4)
        layout.addLayout(boxes)
        layout.addWidget(self.canvas, 1)
        layout.addWidget(self.title)
        layout.addWidget(self.facts)
        self._slot.returned.connect(self._show_pictures)
        self._slot.failed.connect(self.failed)
        shown_scan.changed.connect(self.refresh)
        grid.slice_changed.connect(self._on_slice)
        state.events.radiological.connect(self._turn)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Room for two rows of eight coils."""
        return QSize(900, 420)

    @property
    def busy(self) -> bool:
        """Whether pictures are on their way."""
        return self._slot.busy

    def refresh(self) -> None:
        """Have the shown slice, unless nobody looks."""
        scan = self._shown_scan.scan
        if scan is None or not self.isVisible():
            return
        wanted = (scan, self._grid.current_slice())
        if wanted == self._asked:
            return
        if self._asked is None or self._asked[0] is not scan:
            self._describe(scan)
        self._asked = wanted
        self.title.setText(f"Slice {wanted[1] + 1} of {scan.n_slices} ...")
        self._slot.request(lambda: look_at_coils(scan.raw, wanted[1]))

    def close_jobs(self, wait_s: float) -> bool:
        """Stop for good; says whether the thread has ended."""
        self._grid.slice_changed.disconnect(self._on_slice)
        self._state.events.radiological.disconnect(self._turn)
        return self._slot.close(wait_s)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Begin to look."""
        super().showEvent(event)
        self.refresh()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802
        """Stop, and let go of the pictures; a window that is only minimised keeps them."""
        super().hideEvent(event)
        if not event.spontaneous():
            self._slot.cancel()
            self._asked = None
            self.canvas.show_pictures(None)

    def _describe(self, scan: Scan) -> None:
        self.canvas.show_pictures(None)
        self.facts.setText(" ".join(coil_facts(scan)))
        sizes = scan.geometry.voxel_size_mm
        row, column = (axis for axis in range(3) if axis != scan.slice_axis)
        height, width = scan.plane_shape
        self.canvas.aspect = width * sizes[column] / (height * sizes[row])
        self.canvas.axes, self.canvas.names = (row, column), axis_names(scan.geometry)
        self._turn()

    def _turn(self, radiological: bool | None = None) -> None:
        """Put the sides of the patient where the tiles have them."""
        del radiological
        row, column = self.canvas.axes
        self.canvas.mirrored = not self._state.radiological and column == INTERNAL_AXES.index("L")
        letters = edge_letters(self.canvas.names, (row, column), "down", "left" if self.canvas.mirrored else "right")
        self.canvas.sides = (letters.left, letters.right)
        self.canvas.update()

    def _choose(self, on: bool) -> None:
        del on
        self.canvas.kinds = tuple(kind for kind, box in self.boxes.items() if box.isChecked())
        self.canvas.update()

    def _on_slice(self, index: int) -> None:
        del index
        self.refresh()

    def _show_pictures(self, pictures: CoilPictures) -> None:
        if self._asked is not None and pictures.index == self._asked[1]:
            self.title.setText(f"Slice {pictures.index + 1} of {self._asked[0].n_slices}")
            self.canvas.show_pictures(pictures)


class CoilCanvas(QWidget):
    """Draws the chosen pictures as large as they fit, a block a kind under its title.

    Attributes
    ----------
    kinds
        What is drawn.
    aspect
        Width of a picture over its height, in millimetres.
    axes
        Axes (z, y, x) of rows and columns.
    names
        What the axes (z, y, x) are called.
    mirrored
        Whether columns run from right to left.
    sides
        Letters at the left and at the right edge.
    """

    def __init__(self) -> None:
        super().__init__()
        self.kinds: tuple[CoilPictureKind, ...] = _SHOWN_FIRST
        self.aspect, self.axes, self.mirrored = 1.0, (1, 2), False
        self.names, self.sides = INTERNAL_AXES, ("", "")
        self._images: dict[CoilPictureKind, list[QImage]] = {}
        self.setMinimumSize(240, 160)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self._images

    def show_pictures(self, pictures: CoilPictures | None) -> None:
        """Take new pictures, or let go of them."""
        self._images = {}
        if pictures is not None:
            for kind, stack in pictures.pixels.items():
                height, width = stack.shape[1:3]
                form = QImage.Format.Format_RGB888
                self._images[kind] = [QImage(one.tobytes(), width, height, 3 * width, form).copy() for one in stack]
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draw all blocks."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        kinds = [kind for kind in self.kinds if kind in self._images]
        if not kinds:
            return
        whole, count = DrawingArea(self.width(), self.height(), self.aspect), len(self._images[kinds[0]])
        columns = whole.block_columns(len(kinds), count, _LINE)
        block = whole.block(len(kinds), columns, _LINE)
        for place, kind in enumerate(kinds):
            row, column = divmod(place, columns)
            self._draw_block(painter, kind, block, QPointF(column * block.width, row * (block.height + _LINE)))

    def _draw_block(self, painter: QPainter, kind: CoilPictureKind, room: DrawingArea, corner: QPointF) -> None:
        words = f"{kind.value}: red 0°, green 120°, blue 240°" if kind.is_phase else kind.value
        head = QRectF(corner.x() + 2, corner.y(), room.width - 2, _LINE)
        painter.setPen(_WORDS)
        painter.drawText(head, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)
        images = self._images[kind]
        columns = room.columns(len(images))
        edge = room.edge(len(images), columns)
        for number, image in enumerate(images):
            row, column = divmod(number, columns)
            left, top = corner.x() + column * edge * self.aspect, corner.y() + _LINE + row * edge
            cell = QRectF(left, top, edge * self.aspect - _GAP, edge - _GAP)
            painter.drawImage(cell, image.mirrored(True, False) if self.mirrored else image)
            self._write(painter, cell, number)

    def _write(self, painter: QPainter, cell: QRectF, number: int) -> None:
        """Number of the coil, and the sides of the patient on the first picture."""
        inside = cell.adjusted(3, 1, -3, -1)
        left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        _write_over(painter, inside, left | Qt.AlignmentFlag.AlignTop, str(number + 1), _WORDS)
        if number == 0:
            for side, letter in zip((left, right), self.sides, strict=True):
                _write_over(painter, inside, side | Qt.AlignmentFlag.AlignVCenter, letter, _LETTERS)


def _write_over(painter: QPainter, room: QRectF, place: Qt.AlignmentFlag, words: str, colour: QColor) -> None:
    """Words with a shadow, readable over dark and bright."""
    painter.setPen(_SHADOW)
    painter.drawText(room.translated(1, 1), place, words)
    painter.setPen(colour)
    painter.drawText(room, place, words)
