"""Where the tiles go: every reconstruction above its error map, in as many bands as fill the canvas best."""

from collections.abc import Sequence
from dataclasses import dataclass

from mrviewer.errors import InputError
from mrviewer_napari.facts.tile_key import TileKey, TileKind, TileSpec

__all__ = ["Layout", "lay_out"]

_GAIN_OF_A_BAND = 1.1
"""One more band must enlarge the pictures at least this much: one row of reconstructions is easier to compare."""


@dataclass(frozen=True)
class Layout:
    """A grid of cells.

    Parameters
    ----------
    rows, columns
        Size of the grid.
    cells
        Key of the tile in each cell, row by row; `None` is a cell without a picture.
    """

    rows: int
    columns: int
    cells: tuple[TileKey | None, ...]

    @property
    def legend_cell(self) -> int | None:
        """First cell without a picture, where the legend fits; `None` when all cells are taken."""
        return self.cells.index(None) if None in self.cells else None


def lay_out(tiles: Sequence[TileSpec], canvas: tuple[float, float], picture: tuple[float, float]) -> Layout:
    """Place the tiles.

    Images stand side by side in their order, each error map under its image. Where an image has none (the reference),
    the cell under it stays free.

    Parameters
    ----------
    tiles
        What to place.
    canvas
        Height and width of the canvas in pixels.
    picture
        Height and width of one picture in mm.

    Raises
    ------
    InputError
        If a key occurs twice, or an error map has no image to stand under.
    """
    keys = [tile.key for tile in tiles]
    images = [tile.key for tile in tiles if tile.kind is TileKind.IMAGE]
    errors = {tile.key.image: tile.key for tile in tiles if tile.kind is TileKind.ERROR}
    if len(set(keys)) != len(keys) or not images:
        raise InputError(f"tiles are {keys}; expected at least one image and every key once: rename or drop some")
    if lonely := [key for image, key in errors.items() if image not in images]:
        raise InputError(f"error tile {lonely[0]!r} has no image tile; give it the name of one, as in {images[0]!r}")
    per_column = 2 if errors else 1
    bands = _best_bands(len(images), per_column, canvas, picture)
    columns = -(-len(images) // bands)
    cells: list[TileKey | None] = []
    for start in range(0, len(images), columns):
        band: list[TileKey | None] = [*images[start : start + columns]]
        band += [None] * (columns - len(band))
        cells += band
        if errors:
            cells += [errors.get(image) if image is not None else None for image in band]
    return Layout(len(cells) // columns, columns, tuple(cells))


def _best_bands(n_images: int, per_column: int, canvas: tuple[float, float], picture: tuple[float, float]) -> int:
    """Number of bands that shows the pictures largest."""
    best, best_size = 1, 0.0
    for bands in range(1, n_images + 1):
        columns = -(-n_images // bands)
        if -(-n_images // columns) != bands:
            continue
        size = min(canvas[0] / (bands * per_column * picture[0]), canvas[1] / (columns * picture[1]))
        if size > best_size * _GAIN_OF_A_BAND:
            best, best_size = bands, size
    return best
