"""The tiles on a real canvas: what is where on the screen, clicks, and a window that changes its size."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, Qt

from mrviewer.geometry import Geometry
from mrviewer_napari.facts.plane import ViewPlane
from mrviewer_napari.facts.tile_key import TileKey, TileKind, TileSpec
from mrviewer_napari.tiles.tile_grid import TileGrid

pytestmark = pytest.mark.gl

GEOMETRY = Geometry.axial((20, 30, 24), (2.0, 1.0, 1.0))
MARKED = (4, 6, 5)
"""Superior, anterior, right of the middle."""
TILES = [
    TileSpec(TileKey("reference"), ""),
    TileSpec(TileKey("zf"), ""),
    TileSpec(TileKey("zf", TileKind.ERROR), ""),
]


def marker() -> np.ndarray[Any, np.dtype[np.float32]]:
    volume = np.zeros(GEOMETRY.shape, np.float32)
    volume[tuple(slice(index - 2, index + 3) for index in MARKED)] = 1
    return volume


def cells(viewer: Any) -> np.ndarray[Any, np.dtype[np.int64]]:  # noqa: ANN401
    """Pixels of the canvas as (row, column, y, x, channel)."""
    pixels = viewer.screenshot(flash=False)[..., :3].astype(int)
    height, width = pixels.shape[0] // 2, pixels.shape[1] // 2
    return pixels[: 2 * height, : 2 * width].reshape(2, height, 2, width, 3).swapaxes(1, 2)


@pytest.fixture
def shown(make_napari_viewer: Callable[..., Any]) -> tuple[Any, TileGrid]:
    viewer = make_napari_viewer(show=True)
    grid = TileGrid(viewer)
    grid.arrange(GEOMETRY, TILES, slice_axis=0)
    grid.set_volume("reference", marker(), limits=(0, 1))
    grid.set_volume("zf", marker())
    return viewer, grid


@pytest.mark.parametrize("plane", [ViewPlane.AXIAL, ViewPlane.CORONAL, ViewPlane.SAGITTAL])
def test_a_marker_at_the_upper_front_right_is_drawn_where_the_letters_say(
    shown: tuple[Any, TileGrid], plane: ViewPlane
) -> None:
    viewer, grid = shown
    grid.show_plane(plane)
    grid.go_to(tuple(map(float, MARKED)), 60.0)
    grid.show_plane(plane)  # fits again, around the middle of the volume
    for column in (0, 1):
        picture = cells(viewer)[0, column]
        bright = np.argwhere(picture.min(axis=-1) > 240)
        height, width = picture.shape[:2]
        assert len(bright) > 100
        assert bright[:, 0].mean() < height / 2
        assert bright[:, 1].mean() < width / 2
    grid.close()


def test_outlines_have_their_colour_on_the_screen(shown: tuple[Any, TileGrid]) -> None:
    viewer, grid = shown
    codes = (marker() * 2).astype(np.uint8)
    grid.set_contours("zf", codes)
    grid.go_to(tuple(map(float, MARKED)), 20.0)
    vermillion = np.abs(cells(viewer) - (0xD5, 0x5E, 0x00)).max(axis=-1) < 12
    assert vermillion[0, 1].sum() > 100
    assert vermillion[0, 0].sum() == 0
    grid.show_contours(False)
    vermillion = np.abs(cells(viewer) - (0xD5, 0x5E, 0x00)).max(axis=-1) < 12
    assert vermillion[0, 1].sum() == 0
    grid.close()


def test_a_new_slice_reaches_the_screen(shown: tuple[Any, TileGrid]) -> None:
    viewer, grid = shown
    grid.go_to(tuple(map(float, MARKED)), 20.0)
    before = cells(viewer)
    grid.set_slice("zf", MARKED[0], np.zeros(GEOMETRY.shape[1:], np.float32))
    after = cells(viewer)
    np.testing.assert_array_equal(after[0, 0], before[0, 0])
    assert (before[0, 1].min(axis=-1) > 240).sum() > 1000
    assert (after[0, 1].min(axis=-1) > 240).sum() < 500  # letters
    grid.close()


def test_a_click_in_the_middle_of_a_tile_names_the_voxel_there(shown: tuple[Any, TileGrid], qtbot: QtBot) -> None:
    viewer, grid = shown
    grid.go_to(tuple(map(float, MARKED)), 20.0)
    viewer.screenshot(flash=False)
    heard: list[tuple[tuple[int, ...], str]] = []
    grid.clicked.connect(lambda index, key: heard.append((index, key)))
    canvas = viewer.window._qt_viewer.canvas.native
    middle = QPoint(canvas.width() * 3 // 4, canvas.height() // 4)
    qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=middle)
    assert heard == [(MARKED, "zf")]
    grid.close()


def test_a_larger_window_shows_larger_pictures(shown: tuple[Any, TileGrid], qtbot: QtBot) -> None:
    viewer, grid = shown
    viewer.window._qt_window.resize(700, 600)
    qtbot.wait(50)
    before = viewer.scene.camera.zoom
    viewer.window._qt_window.resize(1400, 1100)
    qtbot.waitUntil(lambda: viewer.scene.camera.zoom > before * 1.2, timeout=3000)
    grid.close()


def test_closing_the_window_over_open_tiles_is_quiet(shown: tuple[Any, TileGrid]) -> None:
    viewer, grid = shown
    grid.set_contours("zf", np.ones(GEOMETRY.shape, np.uint8))
    viewer.close()
    assert grid.keys == ()
