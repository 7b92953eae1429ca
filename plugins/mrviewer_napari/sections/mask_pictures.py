"""Small pictures of a mask, of its point spread function, and of the probabilities behind a learned one."""

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage, QPixmap

from mrviewer.sampling import Mask, point_spread_function

__all__ = ["mask_picture", "probability_picture", "spread_picture"]

_FLOOR_DB = -60.0


def mask_picture(mask: Mask, shape: tuple[int, int], size: int) -> QPixmap:
    """Acquired samples in white; whole lines for a line mask."""
    return _pixmap(np.broadcast_to(mask.pattern, shape) * np.float32(255), size)


def spread_picture(mask: Mask, shape: tuple[int, int], size: int) -> QPixmap:
    """Point spread function from -60 to 0 dB; a line mask's, which is one row, is drawn over the whole height."""
    spread = point_spread_function(mask, shape)
    if mask.is_line_mask:
        spread = np.broadcast_to(spread[shape[0] // 2], shape)
    decibels = 20 * np.log10(np.maximum(spread, 10 ** (_FLOOR_DB / 20)))
    return _pixmap((decibels / -_FLOOR_DB + 1) * 255, size)


def probability_picture(probability: NDArray[np.float32], shape: tuple[int, int], size: int) -> QPixmap:
    """Probabilities from 0, black, to 1, white; those of lines are drawn over the whole height."""
    return _pixmap(np.broadcast_to(probability, shape) * np.float32(255), size)


def _pixmap(gray: NDArray[np.floating], size: int) -> QPixmap:
    pixels = np.ascontiguousarray(np.clip(gray, 0, 255), np.uint8)
    height, width = pixels.shape
    image = QImage(pixels.data, width, height, width, QImage.Format.Format_Grayscale8).copy()
    return QPixmap.fromImage(image).scaled(size, size, Qt.AspectRatioMode.KeepAspectRatio)
