"""All tiles in one napari layer list, first in the list and in the order of the cells.

Making a layer costs napari a tenth of a second or more and removing one up to half a second, so a tile that is no
longer wanted hands its layers to one that is new.
"""

from collections.abc import Sequence
from typing import Any

from napari.layers import Image, Labels

from mrviewer.geometry import Geometry
from mrviewer_napari.facts.tile_key import TileKey, TileSpec
from mrviewer_napari.tiles.napari_layers import TilePart, part_of
from mrviewer_napari.tiles.tile import Tile

__all__ = ["TileList"]

_LEFT = "left over"


class TileList:
    """Tiles in the order of the cells of the grid.

    Parameters
    ----------
    viewer
        The napari model whose layer list holds them.
    """

    def __init__(self, viewer: Any) -> None:  # noqa: ANN401 -- napari is not typed here
        self._viewer = viewer
        self._geometry: Geometry | None = None
        self.tiles: list[Tile] = []
        self.outlined = False

    @property
    def stride(self) -> int:
        """Layers in one cell."""
        return 2 if self.outlined else 1

    @property
    def pictures(self) -> dict[TileKey, Tile]:
        """Tiles with a picture, by key."""
        return {tile.spec.key: tile for tile in self.tiles if tile.spec is not None}

    @property
    def layers(self) -> list[Image | Labels]:
        """All layers, cell by cell, from bottom to top."""
        return [layer for tile in self.tiles for layer in tile]

    def fill(self, geometry: Geometry, cells: Sequence[TileSpec | None], *, outlined: bool = False) -> None:
        """Put one tile in each cell; known keys keep their picture while the grid of voxels stays the same.

        `outlined` says that there will be outlines, so that their layers come with the others.
        """
        if not self.tiles:
            self._adopt()
        self.outlined |= outlined
        moved = self._geometry is None or not geometry.matches(self._geometry)
        keys = {spec.key for spec in cells if spec is not None}
        known = self.pictures
        spare = [tile for key, tile in known.items() if key not in keys]
        blanks = [tile for tile in self.tiles if tile.spec is None]
        self._geometry, self.tiles = geometry, []
        for spec in cells:
            tile = known.get(spec.key) if spec is not None else None
            reused = tile is not None
            if tile is None:
                pool = blanks if spec is None else spare
                tile = pool.pop(0) if pool else None
            if tile is None:
                tile = Tile.new(geometry, spec)
            elif moved or (not reused and spec is not None):
                tile.empty(geometry)
            tile.spec = spec
            self.tiles.append(tile)
        self._name()

    def _adopt(self) -> None:
        """Take the layers that a closed panel left in this viewer for tiles that nobody wants."""
        for layer in self._viewer.layers:
            part = part_of(layer)
            last = self.tiles[-1] if self.tiles else None
            if part is TilePart.OUTLINES or (part is TilePart.BLANK and last is not None and last.spec is None):
                if last is not None and last.contours is None:
                    last.contours, self.outlined = layer, True
            elif part is not None:
                key = TileKey(f"{_LEFT} {len(self.tiles)}")
                self.tiles.append(Tile(layer, None if part is TilePart.BLANK else TileSpec(key, key), owned=False))

    def make_room_for_outlines(self) -> None:
        """Give every tile a layer for outlines."""
        self.outlined = True
        self._name()

    def lose(self, layer: Image | Labels) -> bool:
        """Forget the tile of a layer that somebody took out of the list; True if it was one of ours.

        What else belonged to the tile leaves the list with the next `list_layers`: napari may still be counting.
        """
        lost = [tile for tile in self.tiles if any(mine is layer for mine in tile)]
        self.tiles = [tile for tile in self.tiles if tile not in lost]
        return bool(lost)

    def clear(self) -> None:
        """Have no tile."""
        self.tiles, self.outlined, self._geometry = [], False, None

    def _name(self) -> None:
        """Complete and name the layers of every tile."""
        for tile in self.tiles:
            if self.outlined and self._geometry is not None:
                tile.make_room(self._geometry)
            tile.name()

    @property
    def is_listed(self) -> bool:
        """Whether the layer list holds our layers in our order, and none that we gave up."""
        layers, wanted = self._viewer.layers, self.layers
        return not self._leaving and list(layers[: len(wanted)]) == wanted

    @property
    def _leaving(self) -> list[Image | Labels]:
        """Layers of tiles in the list that are of no tile any more."""
        wanted = self.layers
        return [layer for layer in self._viewer.layers if part_of(layer) is not None and layer not in wanted]

    def list_layers(self) -> None:
        """Bring the layer list to our order; other layers go behind ours."""
        layers, wanted = self._viewer.layers, self.layers
        active = layers.selection.active
        for layer in self._leaving:
            layers.remove(layer)
        for index, layer in enumerate(wanted):
            if layer not in layers:
                layers.insert(index, layer)
            elif (at := layers.index(layer)) != index:
                layers.move(at, index)
        if wanted:
            # napari selects what comes last, outlines with their brushes; keep the choice of the person instead.
            layers.selection.active = active if active in layers else wanted[0]
