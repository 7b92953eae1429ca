"""Volumes as napari layers: position, units and colours, the same for every tile."""

import numpy as np
from napari.layers import Image, Labels
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import NDArray

from mrviewer.geometry import Geometry
from mrviewer_napari.colours import CLASS_COLOURS, PLAIN, PLAIN_COLOUR, RIM, RIM_COLOUR, Agreement, class_code
from mrviewer_napari.orientation import axis_names

__all__ = ["blank_layer", "contour_layer", "image_layer", "place", "place_blank", "placement", "window_of"]


def placement(geometry: Geometry) -> dict[str, object]:
    """Keyword arguments that put a ``(z, y, x)`` layer where the patient lay.

    World coordinates are minus (S, A, R) in mm, so that napari's own directions, down and right, give the radiological
    picture. An oblique grid is shown along its own axes; its true affine stays in the metadata.
    """
    return {
        "scale": geometry.voxel_size_mm,
        "translate": tuple(-geometry.affine[2::-1, 3]),
        "axis_labels": axis_names(geometry),
        "units": "mm",
        "metadata": {"affine": geometry.affine},
    }


def place(layer: Image | Labels, geometry: Geometry) -> None:
    """Move an existing layer to another grid."""
    layer.scale = geometry.voxel_size_mm
    layer.translate = -geometry.affine[2::-1, 3]
    layer.axis_labels = axis_names(geometry)
    layer.metadata = {"affine": geometry.affine}


def image_layer(geometry: Geometry) -> Image:
    """Empty gray volume."""
    return Image(
        np.zeros(geometry.shape, np.float32),
        contrast_limits=(0, 1),
        colormap="gray",
        interpolation2d="nearest",
        **placement(geometry),
    )


def contour_layer(geometry: Geometry) -> Labels:
    """Empty map of the codes of `mrviewer_napari.colours`, drawn as outlines one voxel thick."""
    colours: dict[int | None, str] = {None: "transparent", 0: "transparent", RIM: RIM_COLOUR, PLAIN: PLAIN_COLOUR}
    colours |= {int(code): code.colour for code in Agreement}
    colours |= {class_code(number): colour for number, colour in enumerate(CLASS_COLOURS)}
    layer = Labels(
        np.zeros(geometry.shape, np.uint8),
        colormap=DirectLabelColormap(color_dict=colours),
        opacity=0,
        **placement(geometry),
    )
    layer.contour = 1
    layer.editable = False
    return layer


def blank_layer(geometry: Geometry) -> Image:
    """Transparent voxel as large as the grid; it keeps a cell free, for napari closes cells whose layers are hidden."""
    layer = Image(np.zeros((1, 1, 1), np.float32), contrast_limits=(0, 1), opacity=0, **placement(geometry))
    place_blank(layer, geometry)
    return layer


def place_blank(layer: Image, geometry: Geometry) -> None:
    """Stretch the voxel of a blank layer over another grid."""
    size, voxel = np.multiply(geometry.shape, geometry.voxel_size_mm), np.array(geometry.voxel_size_mm)
    layer.scale = size
    layer.translate = -geometry.affine[2::-1, 3] + (size - voxel) / 2


def window_of(volume: NDArray[np.float32]) -> tuple[float, float]:
    """Contrast limits of a volume: nearly its minimum to nearly its maximum, from every fourth voxel along each axis.

    A quantile of a whole volume takes too long while somebody looks.
    """
    sample = volume[tuple(slice(None, None, 4 if n >= 64 else 1) for n in volume.shape)]
    low, high = map(float, np.quantile(sample, (0.02, 0.998)))
    return (low, high) if high > low else (low, low + 1.0)
