"""One tile: a picture, the outlines above it, and how new data get into them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from napari.layers import Image, Labels
from numpy.typing import NDArray

from mrviewer.errors import InputError, ShapeError
from mrviewer.geometry import Geometry
from mrviewer_napari.facts.colours import PLAIN, RIM, rimmed
from mrviewer_napari.facts.tile_key import TileKind, TileSpec
from mrviewer_napari.tiles.napari_layers import blank_layer, contour_layer, image_layer, place, place_blank

__all__ = ["Tile"]


@dataclass(eq=False)
class Tile:
    """The layers of one cell of the grid.

    Parameters
    ----------
    image
        The picture; transparent in a cell without one.
    spec
        What the tile is; `None` for a cell without a picture.
    contours
        Outlines above the picture, or a layer that keeps their place; `None` until the grid has outlines at all.
    owned
        Whether the memory behind the picture is ours to write into.
    outlined
        Whether there is something to outline.
    plain
        Whether the outlines are compared with nothing.
    """

    image: Image
    spec: TileSpec | None
    contours: Labels | Image | None = None
    owned: bool = True
    outlined: bool = False
    plain: bool = False

    @classmethod
    def new(cls, geometry: Geometry, spec: TileSpec | None) -> "Tile":
        """Tile without data."""
        return cls(blank_layer(geometry) if spec is None else image_layer(geometry), spec)

    def __iter__(self) -> Iterator[Image | Labels]:
        """Layers from bottom to top."""
        yield self.image
        if self.contours is not None:
            yield self.contours

    @property
    def kind(self) -> TileKind | None:
        """What the tile shows; `None` in a cell without a picture."""
        return None if self.spec is None else self.spec.kind

    def name(self) -> None:
        """Call the layers what the tile is called."""
        title = "legend" if self.spec is None else self.spec.title
        for layer, suffix in zip(self, ("", " outlines"), strict=False):
            layer.name = title + suffix

    def make_room(self, geometry: Geometry) -> None:
        """Have a layer for outlines."""
        if self.contours is None:
            self.contours = blank_layer(geometry) if self.spec is None else contour_layer(geometry)

    def empty(self, geometry: Geometry) -> None:
        """Take the picture and the outlines off, and move to another grid."""
        for layer in self:
            if self.spec is None:
                place_blank(layer, geometry)
            else:
                layer.data = np.zeros(geometry.shape, np.uint8 if isinstance(layer, Labels) else np.float32)
                place(layer, geometry)
        self.owned, self.outlined = True, False
        if self.contours is not None:
            self.contours.opacity = 0

    def show(self, volume: NDArray[np.floating]) -> None:
        """Replace the picture by a volume that stays the caller's."""
        self._require(volume.shape)
        if np.iscomplexobj(volume):
            raise InputError("the volume is complex but a tile shows real values; pass its magnitude")
        self.image.data, self.owned = np.asarray(volume, np.float32), False

    def blank(self) -> None:
        """Replace the picture by an empty one that is ours to write into."""
        self.image.data, self.owned = np.zeros(self.image.data.shape, np.float32), True

    def outline(self, codes: NDArray[np.uint8], shown: tuple[int, ...], *, plain: bool = False) -> None:
        """Replace the outlines; over an error map they get a dark rim in the plane of the axes that are `shown`.

        `plain` says that they are compared with nothing even while there are none.
        """
        self._require(codes.shape)
        if self.contours is not None:
            self.contours.data = self._with_rim(codes, shown)
            self.outlined, self.plain = True, plain or bool(codes.max(initial=0) == PLAIN)

    def turn(self, shown: tuple[int, ...]) -> None:
        """Draw lines in another plane, or whole regions in 3-D."""
        if isinstance(self.contours, Labels):
            self.contours.contour = 0 if len(shown) == 3 else 1
        if self.outlined and self.kind is TileKind.ERROR and self.contours is not None:
            codes = np.where(self.contours.data == RIM, np.uint8(0), self.contours.data)
            self.contours.data = self._with_rim(codes, shown)

    def write_outlines(self, axis: int, index: int, codes: NDArray[np.uint8], *, flat: bool) -> None:
        """Write the outlines of one slice along `axis` in place; `flat` says that this is the plane on the screen."""
        if self.contours is not None:
            self.write(self.contours, axis, index, self._with_rim(codes, (0, 1) if flat else ()))
            self.plain |= bool(codes.max(initial=0) == PLAIN)

    def _with_rim(self, codes: NDArray[np.uint8], shown: tuple[int, ...]) -> NDArray[np.uint8]:
        if self.kind is TileKind.ERROR and len(shown) == 2:
            return rimmed(codes, shown)
        return np.array(codes, np.uint8)

    def write(self, layer: Image | Labels, axis: int, index: int, plane: NDArray[np.generic]) -> None:
        """Write one slice along `axis` into a layer of this tile, in place, without drawing it."""
        if layer is self.image and not self.owned:
            layer.data, self.owned = np.array(layer.data, np.float32), True
        expected = tuple(np.delete(layer.data.shape, axis))
        if plane.shape != expected or not 0 <= index < layer.data.shape[axis]:
            raise ShapeError(
                f"slice {index} is {plane.shape} but the grid has {layer.data.shape[axis]} slices of "
                f"{tuple(map(int, expected))} along axis {axis}; cut the slice from the grid of the tiles"
            )
        layer.data[(slice(None),) * axis + (index,)] = plane

    def _require(self, shape: tuple[int, ...]) -> None:
        if shape != self.image.data.shape:
            raise ShapeError(
                f"the volume is {shape} but the tiles are {self.image.data.shape} (z, y, x); arrange its geometry first"
            )
