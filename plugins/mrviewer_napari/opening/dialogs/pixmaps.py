"""Gray slices as pictures of a widget, with square millimetres."""

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage, QPixmap

from mrviewer_napari.opening.first_picture import FirstPicture

__all__ = ["pixmap_of", "slice_pixmap"]


def pixmap_of(grey: NDArray[np.uint8]) -> QPixmap:
    """Picture of gray values, pixel by pixel."""
    rows = np.ascontiguousarray(grey)
    height, width = rows.shape
    image = QImage(rows.data, width, height, width, QImage.Format.Format_Grayscale8)
    return QPixmap.fromImage(image.copy())


def slice_pixmap(picture: FirstPicture, size: int) -> QPixmap:
    """Picture whose longer edge is `size`, pixels as long and wide as they are in the patient."""
    rows, columns = picture.grey.shape
    height, width = rows * picture.pixel_mm[0], columns * picture.pixel_mm[1]
    scale = size / max(height, width)
    return pixmap_of(picture.grey).scaled(
        max(1, round(width * scale)),
        max(1, round(height * scale)),
        Qt.AspectRatioMode.IgnoreAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )
