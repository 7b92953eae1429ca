"""Linked tiles: the reference, each reconstruction and its error map in one canvas, with one camera and one slice."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from napari.layers import Image, Labels
from numpy.typing import NDArray
from psygnal import Signal
from qtpy.QtCore import QCoreApplication, QTimer

from mrviewer.errors import UnknownNameError
from mrviewer.geometry import Geometry
from mrviewer_napari.facts.orientation import position_note
from mrviewer_napari.facts.plane import ViewPlane
from mrviewer_napari.facts.tile_key import TileKey, TileKind, TileSpec
from mrviewer_napari.tiles.camera import centre_on, displayed, move_to
from mrviewer_napari.tiles.clicks import on_click
from mrviewer_napari.tiles.colour_scales import ColourScales
from mrviewer_napari.tiles.coordinates import Coordinates
from mrviewer_napari.tiles.layout import Layout, lay_out
from mrviewer_napari.tiles.napari_layers import part_of, window_of
from mrviewer_napari.tiles.tile import Tile
from mrviewer_napari.tiles.tile_canvas import TileCanvas
from mrviewer_napari.tiles.tile_list import TileList

__all__ = ["TileGrid"]


class TileGrid:
    """The picture side of the viewer. Every method belongs to the GUI thread.

    Methods that take a key raise `UnknownNameError` when no such tile is on the screen.

    Parameters
    ----------
    viewer
        A napari viewer, the proxy that napari hands to widgets, or a `ViewerModel` without a window.
    """

    clicked = Signal(tuple, str)
    """Voxel ``(z, y, x)`` and key of the tile under a click that was no drag; not in 3-D."""

    slice_changed = Signal(int)
    """Index along the slice axis, whatever plane is shown."""

    def __init__(self, viewer: Any) -> None:  # noqa: ANN401 -- napari is not typed here
        # Widgets get a proxy that refuses private attributes and slows reads down; the model lies inside.
        self._viewer = getattr(viewer, "__wrapped__", viewer)
        self._tile_list = TileList(self._viewer)
        self._canvas = TileCanvas(self._viewer, self._tile_list)
        self._scales = ColourScales()
        self._coordinates = Coordinates(self._viewer)
        self._specs: dict[TileKey, TileSpec] = {}
        self._slice = -1
        self._windowed = self._closed = False
        self._click = on_click(self._report_click)
        self._viewer.mouse_drag_callbacks.append(self._click)
        self._viewer.dims.events.current_step.connect(self._report_slice)
        self._viewer.canvas.events.size.connect(self._on_resize)
        self._viewer.layers.events.removed.connect(self._on_removed)

    @property
    def keys(self) -> tuple[TileKey, ...]:
        """Keys of the tiles on the screen in reading order; a tile whose layer somebody removed is not among them."""
        return tuple(self._tile_list.pictures)

    @property
    def plane(self) -> ViewPlane:
        """What the tiles show."""
        return self._canvas.plane

    def arrange(
        self, geometry: Geometry, tiles: Sequence[TileSpec], *, slice_axis: int, outlined: bool = False
    ) -> None:
        """Show these tiles, empty where the key is new, as they were where it is known.

        Parameters
        ----------
        geometry
            Grid of all volumes. Another grid than before empties every tile.
        tiles
            What to show: images in their order, the error map of ``key`` as ``key:error``.
        slice_axis
            Axis (0, 1 or 2) along which slices are counted.
        outlined
            Whether there will be outlines: their layers come at once then, which is cheaper than one by one.

        Raises
        ------
        InputError
            If a key occurs twice, or an error map has no image to stand under.
        """
        layout = self._lay_out(tiles, geometry)
        fresh = not self._tile_list.tiles or not geometry.matches(self._coordinates.geometry)
        if not self._tile_list.tiles:
            for stranger in [layer for layer in self._viewer.layers if part_of(layer) is None]:
                stranger.visible = False
        self._coordinates.geometry, self._coordinates.slice_axis = geometry, slice_axis
        self._specs = specs = {tile.key: tile for tile in tiles}
        self._canvas.shape = (layout.rows, layout.columns)
        self._canvas.note = position_note(geometry)
        self._canvas.texts = {key: self._canvas.texts.get(key, spec.title) for key, spec in specs.items()}
        cells = [None if key is None else specs[key] for key in layout.cells]
        self._tile_list.fill(geometry, cells, outlined=outlined)
        self._canvas.rebuild()
        if fresh:
            self._windowed = False
            move_to(self._viewer, self._coordinates.middle)
            self._canvas.show(self.plane)
        else:
            self._canvas.refit()
        # The free cell carries the colour bar of the error maps.
        self._scales.adopt(self._images_of(TileKind.IMAGE), self._images_of(TileKind.ERROR) + self._images_of(None))
        self._show_outlines()
        self._report_slice()

    def set_volume(self, key: str, volume: NDArray[np.floating], *, limits: tuple[float, float] | None = None) -> None:
        """Show a volume; it is copied when `set_slice` first writes into it, not before.

        Parameters
        ----------
        key
            Tile.
        volume : (z, y, x)
            Real values in internal order.
        limits
            Window of all image tiles; `None` keeps it, or chooses one for the first volume. Error maps ignore it.

        Raises
        ------
        ShapeError, InputError
            If the volume does not fit the grid, or is complex.
        """
        tile = self._tile(key)
        tile.show(volume)
        if limits is None and not self._windowed and tile.kind is not TileKind.ERROR:
            limits = window_of(volume)
        self._set_window(tile, limits)

    def set_empty(self, key: str, *, limits: tuple[float, float] | None = None) -> None:
        """Show nothing until slices come, which are written without copying a volume first; `limits` as above."""
        tile = self._tile(key)
        tile.blank()
        self._set_window(tile, limits)

    def set_slice(self, key: str, index: int, plane: NDArray[np.floating]) -> None:
        """Write one slice in place and have it drawn if it is on the screen; in 3-D it waits for the next `set_volume`.

        Parameters
        ----------
        key
            Tile.
        index
            Slice along the slice axis.
        plane : (rows, columns)
            The two other axes of the grid, in their order.
        """
        tile = self._tile(key)
        tile.write(tile.image, self._coordinates.slice_axis, index, plane)
        self._draw(tile.image, index)

    def set_text(self, key: str, text: str) -> None:
        """Replace the text over a tile; lines are separated by newlines, long ones are wrapped to the tile."""
        self._tile(key)
        if self._canvas.texts.get(key) != text:
            self._canvas.texts[key] = text
            self._canvas.write()

    def set_contours(self, key: str, labels: NDArray[np.uint8] | None, *, plain: bool = False) -> None:
        """Outline regions on a tile; `None` takes the outlines away.

        Parameters
        ----------
        key
            Tile.
        labels : (z, y, x)
            Values of `colours.Agreement`, or all `colours.PLAIN`; 0 is background.
        plain
            Whether outlines that are still to come are compared with nothing.

        Raises
        ------
        ShapeError
            If the labels do not fit the grid.
        """
        tile = self._tile(key)
        if labels is None:
            tile.outlined = False
        else:
            if not self._tile_list.outlined:
                self._tile_list.make_room_for_outlines()
                self._canvas.rebuild()
            tile.outline(labels, displayed(self._viewer), plain=plain)
        self._show_outlines()

    def set_contour_slice(self, key: str, index: int, plane: NDArray[np.uint8]) -> None:
        """Write the codes of one slice ``(rows, columns)`` in place and have them drawn if they are on the screen."""
        tile = self._tile(key)
        if not tile.outlined:
            self.set_contours(key, np.zeros(self._coordinates.geometry.shape, np.uint8))
        flat = self._coordinates.slice_axis not in displayed(self._viewer)
        tile.write_outlines(self._coordinates.slice_axis, index, plane, flat=flat)
        self._draw(tile.contours, index)

    def show_contours(self, on: bool) -> None:
        """Show or hide all outlines and their legend."""
        if on != self._canvas.contours:
            self._canvas.contours = on
            self._show_outlines()

    def set_classes(self, names: Sequence[str]) -> None:
        """Say that outlines are classes of these names (`colours.class_code`); none for agreement."""
        if tuple(names) != self._canvas.classes:
            self._canvas.classes = tuple(names)
            self._canvas.write()

    def set_error_limit(self, limit: float) -> None:
        """Set the largest error of the shared colour scale at gain 1, in the units of the volumes."""
        self._scales.scale_errors(limit=limit)

    @property
    def error_gain(self) -> float:
        """Magnification of the errors: the scale ends at the limit divided by it."""
        return self._scales.gain

    @error_gain.setter
    def error_gain(self, gain: float) -> None:
        self._scales.scale_errors(gain=gain)

    def set_signed_errors(self, on: bool) -> None:
        """Show errors from minus to plus the limit (volumes must hold signed errors), or their size from 0."""
        if on != self._scales.signed:
            self._scales.scale_errors(signed=on)
            self._show_outlines()

    def link_windows(self, on: bool) -> None:
        """Let all image tiles share window and level, or each have its own."""
        self._scales.link(on=on)

    def show_plane(self, plane: ViewPlane) -> None:
        """Show one plane, or the volume in 3-D, in every tile, and fit it."""
        leaves_3d = self.plane is ViewPlane.THREE_D
        if leaves_3d:
            self._canvas.show(plane)
        for tile in self._tile_list.tiles:  # while the picture is flat: napari warns of lines in 3-D
            tile.turn(plane.shown)
        if not leaves_3d:
            self._canvas.show(plane)

    def set_radiological(self, on: bool) -> None:
        """Put the patient's left on the right of axial and coronal pictures (on) or on their left (off)."""
        self._canvas.radiological = on
        self._canvas.show(self.plane)

    def go_to(self, index: tuple[float, float, float], field_of_view_mm: float = 60.0) -> None:
        """Move every tile to a voxel ``(z, y, x)`` and show `field_of_view_mm` around it."""
        centre_on(self._viewer, self._coordinates.to_world(np.asarray(index, float)), field_of_view_mm)

    def show_slice(self, index: int) -> None:
        """Move every tile along the slice axis and leave the camera where it is."""
        self._coordinates.show_slice(index)

    def current_slice(self) -> int:
        """Index of the shown place along the slice axis."""
        return self._coordinates.current_slice

    def shown_voxel(self) -> tuple[int, int, int]:
        """Voxel ``(z, y, x)`` at which the shown planes are cut."""
        return self._coordinates.shown_voxel

    def window_of(self, key: str) -> tuple[float, float]:
        """Values that a tile shows black and white."""
        low, high = self._tile(key).image.contrast_limits
        return float(low), float(high)

    def clear(self) -> None:
        """Take all tiles off the screen."""
        self._scales.adopt([], [])
        self._specs = {}
        self._tile_list.clear()
        self._canvas.rebuild()
        self._canvas.texts = {}
        self._canvas.note = ""
        self._canvas.write()

    def close(self) -> None:
        """Stop listening to the viewer; the layers stay as they are, for the next grid of this viewer to take over."""
        self._canvas.close()
        self._scales.adopt([], [])
        self._viewer.dims.events.current_step.disconnect(self._report_slice)
        self._viewer.canvas.events.size.disconnect(self._on_resize)
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        self._closed = True
        if self._click in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._click)

    def _set_window(self, tile: Tile, limits: tuple[float, float] | None) -> None:
        if limits is not None and tile.kind is not TileKind.ERROR:
            self._windowed = True
            tile.image.contrast_limits = limits

    def _tile(self, key: str) -> Tile:
        tile = next((tile for known, tile in self._tile_list.pictures.items() if known == key), None)
        if tile is None:
            raise UnknownNameError(
                f"there is no tile {key!r}; tiles are {', '.join(self.keys) or 'none'}: arrange first"
            )
        return tile

    def _lay_out(self, tiles: Sequence[TileSpec], geometry: Geometry) -> Layout:
        return lay_out(tiles, self._viewer.canvas.size, self.plane.picture_mm(geometry))

    def _on_resize(self) -> None:
        """Lay out again when the canvas has become much wider or taller.

        The first layer of a window brings its slider, which resizes the canvas in the middle of `arrange`.
        """
        if self._closed or self._canvas.busy:
            if not self._closed and QCoreApplication.instance() is not None:
                QTimer.singleShot(0, self._on_resize)
            return
        shown = [self._specs[key] for key in self._specs if key in self.keys]
        if shown and self._lay_out(shown, self._coordinates.geometry).rows != self._canvas.shape[0]:
            self.arrange(self._coordinates.geometry, shown, slice_axis=self._coordinates.slice_axis)

    def _on_removed(self, event: Any) -> None:  # noqa: ANN401
        """Close the gap, once whoever removes layers is done; where Qt does not run, with the next `arrange`."""
        if not self._canvas.busy and self._tile_list.lose(event.value) and QCoreApplication.instance() is not None:
            QTimer.singleShot(0, self._close_gaps)

    def _close_gaps(self) -> None:
        kept = [spec for key, spec in self._specs.items() if key in self.keys and key.image in self.keys]
        if self._closed or not self._specs or not self._tile_list.tiles:
            return
        if kept:
            self.arrange(self._coordinates.geometry, kept, slice_axis=self._coordinates.slice_axis)
        else:
            self.clear()

    def _images_of(self, kind: TileKind | None) -> list[Image]:
        return [tile.image for tile in self._tile_list.tiles if tile.kind is kind]

    def _draw(self, layer: Image | Labels, index: int) -> None:
        """Draw a layer after one slice of it changed, if that can be seen."""
        axes = displayed(self._viewer)
        if len(axes) == 3 or (self._coordinates.slice_axis not in axes and index != self.current_slice()):
            return
        # The layer list repaints a row for every event that it hears of, and its rows have not changed.
        with self._viewer.layers.events.blocker():
            if isinstance(layer, Labels):
                layer.refresh(extent=False, thumbnail=False, highlight=False)
            else:
                # What napari cut out of the volume shares its memory: it only has to be sent to the screen.
                layer.events.set_data()

    def _show_outlines(self) -> None:
        """Bring outlines and legend to what was asked for."""
        for tile in self._tile_list.pictures.values():
            if tile.contours is not None:
                # Hiding a layer makes napari rebuild all cells, half a second; a transparent one costs nothing.
                tile.contours.opacity = float(tile.outlined and self._canvas.contours)
        self._canvas.error_name = "error" if self._scales.signed else "|error|"
        self._canvas.write()

    def _report_slice(self) -> None:
        if not self._tile_list.tiles or self._viewer.dims.ndim < 3:
            return
        index = self.current_slice()
        if index != self._slice:
            self._slice = index
            self.slice_changed.emit(index)

    def _report_click(self, world: tuple[float, ...], cell: tuple[int, int]) -> None:
        number = cell[0] * self._canvas.shape[1] + cell[1]
        voxel = self._coordinates.voxel_at(world)
        if self._viewer.dims.ndisplay != 2 or number >= len(self._tile_list.tiles) or voxel is None:
            return
        spec = self._tile_list.tiles[number].spec
        if spec is not None:
            self.clicked.emit(voxel, spec.key)
