"""The validation picture of a run: one slice with what is true and what was predicted."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage, QPixmap, QResizeEvent
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from mrviewer.array_files.stored_npz import read_npz
from mrviewer_napari.facts.colours import Agreement, agreement
from mrviewer_napari.widgets.controls import show_if
from mrviewer_napari.widgets.plain_widgets import PlainLabel, RichLabel

__all__ = ["ValidationPicture", "compared", "painted"]

_TALLEST = 260
_ENLARGED = 320
"""Smallest edge of the picture in which outlines are drawn, so that they stay thin over few voxels."""


class ValidationPicture(QWidget):
    """The latest picture, as wide as the panel lets it be; hidden while there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture, self.caption = PlainLabel(), RichLabel()
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.picture.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.caption.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.picture)
        layout.addWidget(self.caption)
        self._whole = QPixmap()
        self._path: Path | None = None
        self.hide()

    def show_file(self, path: Path | None) -> None:
        """Show a picture of a run folder; one that cannot be read leaves the last one."""
        if path is None:
            self._path = None
            self.hide()
        if path is None or path == self._path:
            return
        try:
            image, caption = painted(read_npz(path))
        except (OSError, ValueError, KeyError, TypeError, IndexError):  # damaged, or the run has replaced it
            return
        self._path = path
        self._whole = QPixmap.fromImage(image)
        self.caption.setText(caption)
        self._fit()
        show_if(self, True)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Follow the width of the panel."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        if not self._whole.isNull():
            mode = Qt.TransformationMode.SmoothTransformation
            shown = self._whole.scaled(self.width(), _TALLEST, Qt.AspectRatioMode.KeepAspectRatio, mode)
            self.picture.setPixmap(shown)
            self.picture.setFixedHeight(shown.height())


def painted(parts: dict[str, NDArray[np.generic]]) -> tuple[QImage, str]:
    """Draw the parts of a validation picture, and say what they are.

    Parameters
    ----------
    parts : (y, x) each
        ``image``, ``truth`` and ``prediction``; truth and prediction are whole numbers where they are segmentations,
        and images otherwise.
    """
    image, truth, prediction = parts["image"], parts["truth"], parts["prediction"]
    if np.issubdtype(truth.dtype, np.floating):
        pictures = np.concatenate([_gray(part, float(np.abs(truth).max())) for part in (image, prediction, truth)], 1)
        return _picture(np.repeat(pictures[..., None], 3, axis=2)), "before the network, prediction, truth"
    colours = compared(image, truth, prediction)
    words = [f'<span style="color:{each.colour}">■</span> {each.label}' for each in Agreement]
    return _picture(colours), "&nbsp;&nbsp;".join(words)


def compared(
    image: NDArray[np.generic], truth: NDArray[np.generic], prediction: NDArray[np.generic]
) -> NDArray[np.uint8]:
    """Slice ``(y, x, 3)`` in gray with the outlines of agreement over it, enlarged so that they are thin."""
    zoom = max(1, -(-_ENLARGED // min(image.shape)))
    gray = _enlarged(_gray(image, float(np.quantile(np.asarray(image, np.float32), 0.995))), zoom)
    codes = _enlarged(agreement(prediction, truth), zoom)
    colours = np.repeat(gray[..., None], 3, axis=2)
    for each in Agreement:
        colours[_edge(codes == each, max(1, zoom // 3))] = [
            int(each.colour[place : place + 2], 16) for place in (1, 3, 5)
        ]
    return colours


def _enlarged(plane: NDArray[np.uint8], zoom: int) -> NDArray[np.uint8]:
    return plane.repeat(zoom, axis=0).repeat(zoom, axis=1)


def _edge(region: NDArray[np.bool_], width: int) -> NDArray[np.bool_]:
    """Rim inside a region."""
    from scipy.ndimage import binary_erosion

    rim: NDArray[np.bool_] = region & ~binary_erosion(region, iterations=width)
    return rim


def _gray(image: NDArray[np.generic], white: float) -> NDArray[np.uint8]:
    values = np.abs(np.nan_to_num(np.asarray(image, np.float32)))
    low = float(values.min(initial=0))
    scaled = (values - low) / max(white - low, 1e-12)
    return (np.clip(scaled, 0, 1) * 255).astype(np.uint8)


def _picture(colours: NDArray[np.uint8]) -> QImage:
    rows = np.ascontiguousarray(colours)
    height, width, _ = rows.shape
    return QImage(rows.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
