"""The canvas around the tiles: grid, camera, letters, titles and legend, kept true whatever happens to the viewer."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from mrviewer_napari.facts.orientation import EdgeLetters, edge_letters
from mrviewer_napari.facts.plane import ViewPlane
from mrviewer_napari.facts.tile_key import REFERENCE, TileKind
from mrviewer_napari.tiles.camera import fit, show
from mrviewer_napari.tiles.captions import font_size, legend_of, letters_of, titles_of, wrapped
from mrviewer_napari.tiles.text_overlay import Anchor, Caption, TileCaptions
from mrviewer_napari.tiles.tile import Tile
from mrviewer_napari.tiles.tile_list import TileList

__all__ = ["TileCanvas"]

_SPACING = 3
_NARROW = 340
"""Pixels: in a cell that is less wide, the scale bar (150 at most) reaches the letter in the middle."""
_FIRST_TITLE_ROW = 1
"""Lines above a title: the letter of the upper edge."""
_WORDS = "mrviewer"


class TileCanvas:
    """Shows the tiles of a list as a grid.

    Parameters
    ----------
    viewer
        The napari model.
    tile_list
        The tiles.

    Attributes
    ----------
    busy
        Whether layers or grid change because we change them.
    """

    def __init__(self, viewer: Any, tile_list: TileList) -> None:  # noqa: ANN401 -- napari is not typed here
        self._viewer, self._tile_list = viewer, tile_list
        self.shape = (1, 1)
        self.plane, self.radiological = ViewPlane.AXIAL, True
        self.texts: dict[str, str] = {}
        self.contours, self.error_name, self.note = True, "", ""
        self.classes: tuple[str, ...] = ()
        self._words = TileCaptions(gap=_SPACING, visible=True)
        viewer.canvas.overlays[_WORDS] = self._words
        self._fitted: tuple[object, ...] = ()
        self.busy = False
        self._listening: list[tuple[Any, Callable[..., None]]] = []
        dims, camera, grid = viewer.dims.events, viewer.scene.camera.events, viewer.canvas.grid.events
        for emitter in (dims.order, dims.ndisplay, dims.axis_labels, camera.orientation, grid.enabled):
            self._listen(emitter, self._on_turn)
        for emitter in (grid.stride, grid.shape, grid.spacing):
            self._listen(emitter, self._keep_grid)
        self._listen(viewer.canvas.events.size, self._on_resize)

    def close(self) -> None:
        """Stop listening, and take the words away."""
        self._viewer.canvas.overlays.pop(_WORDS, None)
        for emitter, callback in self._listening:
            emitter.disconnect(callback)
        self._listening = []

    def rebuild(self) -> None:
        """Bring layers, grid and bars to the tiles."""
        tiles, grid = self._tile_list.tiles, self._viewer.canvas.grid
        wanted = (True, self._tile_list.stride, self.shape, _SPACING)
        as_wanted = not tiles or (grid.enabled, grid.stride, grid.shape, grid.spacing) == wanted
        if not (as_wanted and self._tile_list.is_listed):  # a change of nothing costs napari a quarter of a second
            self.busy = True
            try:
                # Within a batch napari rebuilds all cells once, at the end, and not for every layer.
                with self._viewer.layers.batched_update():
                    self._tile_list.list_layers()
                    if tiles:
                        grid.stride, grid.shape, grid.spacing = wanted[1:]
                    grid.enabled = bool(tiles)
            finally:
                self.busy = False
        if tiles:
            self._show_scale_bar()
            self._show_colour_bar()

    def write(self) -> None:
        """Write titles, letters and legend, from what the viewer shows at this moment."""
        cells = [None if tile.spec is None else tile.spec.key for tile in self._tile_list.tiles]
        gridded = bool(self._viewer.canvas.grid.enabled)
        width = float(self._viewer.canvas.viewbox_size(self._viewer.layers)[1])
        lifted = self._cell_of_scale_bar if gridded and width < _NARROW else None
        captions = [*letters_of(cells if gridded else cells[:1], self._letters, lifted)]
        if gridded:
            titles = [*titles_of(cells, self.texts, width)]
            captions += [*titles, *self._legend(titles)]
        if self.note and cells:
            captions.append(Caption(0, Anchor.FOOT, wrapped(self.note, width)))
        self._words.shape = self.shape if gridded else (1, 1)
        self._words.font_size = font_size(width)
        self._words.captions = tuple(captions)

    def _show_scale_bar(self) -> None:
        """Put it where the free cell is, if that lies in the corner; elsewhere it may meet a letter."""
        bar = self._viewer.canvas.overlays.scale_bar
        is_left = self._cell_of_scale_bar != self.shape[0] * self.shape[1] - 1
        bar.position, bar.visible = "bottom_left" if is_left else "bottom_right", True

    @property
    def _cell_of_scale_bar(self) -> int:
        """The cell in the lower left corner if it is free, else the one in the lower right."""
        corner = (self.shape[0] - 1) * self.shape[1]
        free = corner < len(self._tile_list.tiles) and self._tile_list.tiles[corner].spec is None
        return corner if free else self.shape[0] * self.shape[1] - 1

    @property
    def _letters(self) -> EdgeLetters:
        dims = self._viewer.dims
        vertical, horizontal = map(str, self._viewer.scene.camera.orientation2d)
        return edge_letters(dims.axis_labels, dims.displayed, vertical, horizontal)

    def _legend(self, titles: Sequence[Caption]) -> Iterator[Caption]:
        """Explain outlines and errors, under the title of a cell that has one."""
        rows = [_FIRST_TITLE_ROW + title.text.count("\n") + 1 for title in titles if title.cell == self._legend_cell]
        drawn = [tile for tile in self._tile_list.tiles if tile.outlined and self.contours]
        return legend_of(
            self._legend_cell,
            compared=any(not tile.plain for tile in drawn),
            plain=_plain_word([tile for tile in drawn if tile.plain]),
            error=self.error_name if self._has_errors else "",
            classes=self.classes if drawn else (),
            first_row=max(rows, default=0),
        )

    def _show_colour_bar(self) -> None:
        """Give one tile a colour bar: the error maps share their scale."""
        for number, tile in enumerate(self._tile_list.tiles):
            bar = tile.image.colorbar
            bar.size, bar.position = (16, self._words.bar), "top_right"
            bar.visible = self._has_errors and number == self._legend_cell

    @property
    def _has_errors(self) -> bool:
        return any(tile.kind is TileKind.ERROR for tile in self._tile_list.tiles)

    @property
    def _legend_cell(self) -> int:
        """The free cell, else that of the last error map, else the last."""
        kinds = [tile.kind for tile in self._tile_list.tiles]
        if None in kinds:
            return kinds.index(None)
        return max((number for number, kind in enumerate(kinds) if kind is TileKind.ERROR), default=len(kinds) - 1)

    def show(self, plane: ViewPlane) -> None:
        """Show one plane, fitted."""
        self.plane = plane
        show(self._viewer, plane, radiological=self.radiological)
        self.fit()

    def fit(self) -> None:
        """Fit the pictures to their cells, now and at every `refit` until somebody moves the camera."""
        fit(self._viewer)
        self._fitted = self._camera

    def refit(self) -> None:
        """Fit again, unless somebody moved the camera since the last time."""
        if self._fitted == self._camera:
            self.fit()

    @property
    def _camera(self) -> tuple[object, ...]:
        camera = self._viewer.scene.camera
        return camera.center, camera.zoom, camera.angles

    def _listen(self, emitter: Any, callback: Callable[..., None]) -> None:  # noqa: ANN401
        emitter.connect(callback)
        self._listening.append((emitter, callback))

    def _keep_grid(self) -> None:
        """Take the grid back: any change of the grid preferences overwrites all of them."""
        if self.busy or not self._tile_list.tiles:
            return
        self.busy = True
        grid = self._viewer.canvas.grid
        grid.stride, grid.shape, grid.spacing = self._tile_list.stride, self.shape, _SPACING
        self.busy = False

    def _on_turn(self) -> None:
        if not self.busy:
            self.write()

    def _on_resize(self) -> None:
        if self._tile_list.tiles:
            self.write()
            self.refit()


def _plain_word(tiles: Sequence[Tile]) -> str:
    """What outlines are that are compared with nothing: the reference itself, or what methods gave without one."""
    if not tiles:
        return ""
    return "labels" if any(tile.spec is not None and tile.spec.key == REFERENCE for tile in tiles) else "segmentation"
