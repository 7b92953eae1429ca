"""Words over the tiles keep out of one another's way."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from mrviewer.geometry import Geometry
from mrviewer_napari.facts.orientation import EdgeLetters
from mrviewer_napari.facts.tile_key import TileKey, TileSpec
from mrviewer_napari.tiles.captions import legend_of, letters_of
from mrviewer_napari.tiles.text_overlay import Anchor
from mrviewer_napari.tiles.tile_grid import TileGrid

GEOMETRY = Geometry.axial((6, 8, 7), (3.0, 1.0, 1.0))


@pytest.fixture
def viewer() -> ViewerModel:
    viewer = ViewerModel()
    viewer.canvas.size = (500, 500)
    return viewer


@pytest.fixture
def grid(viewer: ViewerModel) -> Iterator[TileGrid]:
    grid = TileGrid(viewer)
    grid.arrange(GEOMETRY, [TileSpec(TileKey(name), name) for name in ("a", "b", "c", "d")], slice_axis=0)
    yield grid
    grid.close()


def captions(viewer: ViewerModel, place: Anchor) -> list[Any]:
    return [caption for caption in viewer.canvas.overlays["mrviewer"].captions if caption.place is place]


def test_a_legend_without_a_cell_of_its_own_stands_under_the_title(viewer: ViewerModel, grid: TileGrid) -> None:
    grid.set_text("d", "d  R = 8\nno error map")
    grid.set_contours("d", np.ones(GEOMETRY.shape, np.uint8))
    legend = captions(viewer, Anchor.CORNER)
    title = next(caption for caption in captions(viewer, Anchor.TITLE) if caption.cell == legend[0].cell)
    assert [caption.row for caption in legend] == [title.text.count("\n") + 2 + row for row in range(len(legend))]


def test_a_legend_in_a_free_cell_begins_at_the_top() -> None:
    assert [caption.row for caption in legend_of(2, compared=True, plain="", error="")] == [0, 1, 2]


def test_outlines_to_come_are_compared_with_nothing_where_there_are_no_labels(
    viewer: ViewerModel, grid: TileGrid
) -> None:
    none = np.zeros(GEOMETRY.shape, np.uint8)
    grid.set_contours("a", none, plain=True)
    assert [caption.text for caption in captions(viewer, Anchor.CORNER)] == ["■ segmentation"]
    grid.set_contours("a", none)
    assert len(captions(viewer, Anchor.CORNER)) == 3


def test_the_bottom_letter_stands_above_the_scale_bar_in_a_narrow_cell(viewer: ViewerModel, grid: TileGrid) -> None:
    assert viewer.canvas.overlays.scale_bar.position == "bottom_right"
    assert [caption.row > 0 for caption in captions(viewer, Anchor.BOTTOM)] == [False, False, False, True]
    viewer.canvas.size = (900, 1500)
    grid.show_plane(grid.plane)
    assert not any(caption.row for caption in captions(viewer, Anchor.BOTTOM))


def test_other_letters_stay_where_they_are() -> None:
    letters = EdgeLetters("R", "L", "A", "P")
    moved = [caption.place for caption in letters_of(["a", None, "b"], letters, 2) if caption.row]
    assert moved == [Anchor.BOTTOM]
