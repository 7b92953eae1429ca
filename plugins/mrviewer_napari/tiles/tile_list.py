"""All tiles in one napari layer list, first in the list and in the order of the cells.

Making a layer costs napari a tenth of a second or more and removing one up to half a second, so a tile that is no
longer wanted hands its layers to one that is new.
"""

from collections.abc import Sequence
from typing import Any

from napari.layers import Image, Labels

from mrviewer.geometry import Geometry
from mrviewer_napari.facts.tile_key import TileKey, TileSpec
from mrviewer_napari.tiles.tile import Tile

__all__ = ["TileList"]


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
        self._orphans: list[Image | Labels] = []

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

    def fill(self, geometry: Geometry, cells: Sequence[TileSpec | None]) -> None:
        """Put one tile in each cell; known keys keep their picture while the grid of voxels stays the same."""
        moved = self._geometry is None or not geometry.matches(self._geometry)
        keys = {spec.key for spec in cells if spec is not None}
        known = self.pictures
        spare = [tile for key, tile in known.items() if key not in keys]
        blanks = [tile for tile in self.tiles if tile.spec is None]
        before, self._geometry, self.tiles = self.layers, geometry, []
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
        self._list(before)

    def make_room_for_outlines(self) -> None:
        """Give every tile a layer for outlines."""
        before, self.outlined = self.layers, True
        self._list(before)

    def lose(self, layer: Image | Labels) -> bool:
        """Forget the tile of a layer that somebody took out of the list; True if it was one of ours.

        What else belonged to the tile leaves the list with the next change: napari may still be counting.
        """
        lost = [tile for tile in self.tiles if any(mine is layer for mine in tile)]
        self._orphans += [mine for tile in lost for mine in tile if mine is not layer]
        self.tiles = [tile for tile in self.tiles if tile not in lost]
        return bool(lost)

    def clear(self) -> None:
        """Take every layer out of the list."""
        before, self.tiles, self.outlined, self._geometry = self.layers, [], False, None
        self._list(before)

    def _list(self, before: Sequence[Image | Labels]) -> None:
        """Bring the layer list to our order; other layers go behind ours."""
        if self.outlined and self._geometry is not None:
            for tile in self.tiles:
                tile.make_room(self._geometry)
        for tile in self.tiles:
            tile.name()
        layers, wanted = self._viewer.layers, self.layers
        gone = [layer for layer in (*before, *self._orphans) if layer not in wanted and layer in layers]
        if not gone and list(layers[: len(wanted)]) == wanted:
            return  # a change of nothing costs napari a garbage collection, a quarter of a second
        active = layers.selection.active
        with layers.batched_update():
            for layer in gone:
                layers.remove(layer)
            self._orphans = []
            for index, layer in enumerate(wanted):
                if layer not in layers:
                    layers.insert(index, layer)
                elif (at := layers.index(layer)) != index:
                    layers.move(at, index)
        if wanted:
            # napari selects what comes last, outlines with their brushes; keep the choice of the person instead.
            layers.selection.active = active if active in layers else wanted[0]
