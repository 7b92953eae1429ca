"""Volumes as napari layers: position, units and colours, the same for every tile."""

from collections.abc import Mapping, Sequence
from enum import Enum
from weakref import WeakKeyDictionary

import numpy as np
from napari.layers import Image, Labels, Layer
from napari.utils.colormaps import CyclicLabelColormap
from napari.utils.colormaps.standardize_color import transform_color
from numpy.typing import NDArray

from mrviewer.geometry import Geometry
from mrviewer_napari.facts.colours import CLASS_COLOURS, PLAIN, PLAIN_COLOUR, RIM, RIM_COLOUR, Agreement, class_code
from mrviewer_napari.facts.orientation import axis_names

__all__ = [
    "TilePart",
    "blank_layer",
    "contour_layer",
    "image_layer",
    "label_colours",
    "load_layers",
    "part_of",
    "place",
    "place_blank",
    "placement",
    "window_of",
]

_PARTS_OF_A_MM = 2.0**20
_VALUES = 256
"""Of an unsigned byte."""


class TilePart(Enum):
    """What a layer of a tile is there for."""

    IMAGE = "image"
    OUTLINES = "outlines"
    BLANK = "blank"
    """Keeps a cell free."""


_parts: WeakKeyDictionary[Layer, TilePart] = WeakKeyDictionary()


def placement(geometry: Geometry) -> dict[str, object]:
    """Keyword arguments that put a ``(z, y, x)`` layer where the patient lay.

    World coordinates are minus (S, A, R) in mm, so that napari's own directions, down and right, give the radiological
    picture. An oblique grid is shown along its own axes; its true affine stays in the metadata.
    """
    return {
        "scale": _exact(geometry.voxel_size_mm),
        "translate": _exact(-geometry.affine[2::-1, 3]),
        "axis_labels": axis_names(geometry),
        "units": "mm",
        "metadata": {"affine": geometry.affine},
    }


def part_of(layer: Layer) -> TilePart | None:
    """What a layer was made for here; `None` for a layer of somebody else, a copy of one of ours among them."""
    return _parts.get(layer)


def place(layer: Image | Labels, geometry: Geometry) -> None:
    """Move an existing layer to another grid."""
    layer.scale = _exact(geometry.voxel_size_mm)
    layer.translate = _exact(-geometry.affine[2::-1, 3])
    layer.axis_labels = axis_names(geometry)
    layer.metadata = {"affine": geometry.affine}


def image_layer(geometry: Geometry) -> Image:
    """Empty gray volume."""
    layer = Image(
        np.zeros(geometry.shape, np.float32),
        contrast_limits=(0, 1),
        colormap="gray",
        rgb=False,
        interpolation2d="nearest",
        **placement(geometry),
    )
    _parts[layer] = TilePart.IMAGE
    return layer


def load_layers() -> None:
    """Have napari load what it loads with its first layer: units and models, most of a second for a window.

    The units must not be loaded by two threads at once, since the second meets a registry that is half full.
    """
    image_layer(Geometry.axial((1, 1, 1), (1.0, 1.0, 1.0)))


def contour_layer(geometry: Geometry) -> Labels:
    """Empty map of the codes of `mrviewer_napari.facts.colours`, drawn as outlines one voxel thick."""
    colours = {RIM: RIM_COLOUR, PLAIN: PLAIN_COLOUR, **{int(code): code.colour for code in Agreement}}
    colours |= {class_code(number): colour for number, colour in enumerate(CLASS_COLOURS)}
    layer = Labels(
        np.zeros(geometry.shape, np.uint8), colormap=label_colours(colours), opacity=0, **placement(geometry)
    )
    layer.contour = 1
    layer.editable = False
    _parts[layer] = TilePart.OUTLINES
    return layer


def label_colours(colours: Mapping[int, str]) -> CyclicLabelColormap:
    """Colours of the values of an unsigned byte; a value without one is transparent.

    napari's own map of chosen values takes seconds to be compiled when a program first draws with it.
    """
    table = np.zeros((_VALUES, 4), np.float32)
    for value, colour in colours.items():
        table[value] = transform_color(colour)[0]
    return CyclicLabelColormap(colors=table)


def blank_layer(geometry: Geometry) -> Image:
    """Transparent voxel as large as the grid; it keeps a cell free, for napari closes cells whose layers are hidden."""
    layer = Image(np.zeros((1, 1, 1), np.float32), contrast_limits=(0, 1), opacity=0, **placement(geometry))
    place_blank(layer, geometry)
    _parts[layer] = TilePart.BLANK
    return layer


def place_blank(layer: Image, geometry: Geometry) -> None:
    """Stretch the voxel of a blank layer over another grid."""
    voxel, origin = _exact(geometry.voxel_size_mm), _exact(-geometry.affine[2::-1, 3])
    size = np.multiply(geometry.shape, voxel)
    layer.scale = size
    layer.translate = origin + (size - voxel) / 2


def _exact(lengths_mm: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Lengths to the nanometre, in numbers whose sums and multiples have no rounding error.

    napari counts the steps of its sliders by dividing the length of a volume by that of a voxel and cutting off the
    rest: with an error in the last digit the last slice was out of reach.
    """
    return np.round(np.asarray(lengths_mm, float) * _PARTS_OF_A_MM) / _PARTS_OF_A_MM


def window_of(volume: NDArray[np.float32]) -> tuple[float, float]:
    """Contrast limits of a volume: nearly its minimum to nearly its maximum, from every fourth voxel along each axis.

    A quantile of a whole volume takes too long while somebody looks.
    """
    sample = volume[tuple(slice(None, None, 4 if n >= 64 else 1) for n in volume.shape)]
    low, high = map(float, np.quantile(sample, (0.02, 0.998)))
    return (low, high) if high > low else (low, low + 1.0)
