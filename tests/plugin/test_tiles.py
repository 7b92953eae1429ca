"""The grid of tiles on a viewer without a window: layers, positions, outlines, scales, slices, clicks."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from numpy.typing import NDArray
from qtpy.QtWidgets import QApplication

from mrviewer.errors import InputError, ShapeError, UnknownNameError
from mrviewer.geometry import Geometry
from mrviewer_napari.facts.colours import PLAIN
from mrviewer_napari.facts.plane import ViewPlane
from mrviewer_napari.facts.tile_key import TileKey, TileKind, TileSpec
from mrviewer_napari.tiles.tile_grid import TileGrid

Volume = NDArray[np.float32]
SHAPE = (6, 8, 7)
GEOMETRY = Geometry.axial(SHAPE, (3.0, 1.0, 2.0))


def specs(*methods: str) -> list[TileSpec]:
    tiles = [TileSpec(TileKey("reference"), "Reference")]
    for method in methods:
        tiles += [
            TileSpec(TileKey(method), method.upper()),
            TileSpec(TileKey(method, TileKind.ERROR), f"{method} error"),
        ]
    return tiles


@pytest.fixture
def viewer() -> ViewerModel:
    viewer = ViewerModel()
    viewer.canvas.size = (600, 1200)
    return viewer


@pytest.fixture
def grid(viewer: ViewerModel) -> Iterator[TileGrid]:
    grid = TileGrid(viewer)
    grid.arrange(GEOMETRY, specs("d5c5", "zf"), slice_axis=0)
    yield grid
    grid.close()


@pytest.fixture
def volume() -> NDArray[np.float32]:
    return np.random.default_rng(0).random(SHAPE, np.float32)


def layer(viewer: ViewerModel, name: str) -> Any:  # noqa: ANN401
    return viewer.layers[name]


def written(viewer: ViewerModel) -> dict[tuple[int, str], str]:
    return {(caption.cell, caption.place.name): caption.text for caption in viewer.canvas.overlays["mrviewer"].captions}


def test_reconstructions_stand_above_their_errors(viewer: ViewerModel, grid: TileGrid) -> None:
    assert grid.keys == ("reference", "d5c5", "zf", "d5c5:error", "zf:error")
    names = [each.name for each in viewer.layers]
    assert names == ["Reference", "D5C5", "ZF", "legend", "d5c5 error", "zf error"]
    assert viewer.canvas.grid.enabled
    assert viewer.canvas.grid.actual_shape(viewer.layers) == (2, 3)
    assert viewer.canvas.grid.position(names.index("zf error"), viewer.layers) == (1, 2)


def test_every_layer_lies_in_the_scanner(viewer: ViewerModel, grid: TileGrid) -> None:
    grid.set_contours("d5c5", np.ones(SHAPE, np.uint8))
    for each in viewer.layers:
        assert [str(unit) for unit in each.units] == ["millimeter"] * 3
        assert tuple(each.axis_labels) == ("I", "P", "L")
        np.testing.assert_array_equal(each.metadata["affine"], GEOMETRY.affine)
    index = np.array([1, 2, 3])
    mm = GEOMETRY.to_mm(index.astype(float))
    np.testing.assert_allclose(layer(viewer, "D5C5").data_to_world(index), -mm[::-1])
    assert viewer.dims.nsteps == SHAPE


def test_known_tiles_keep_layer_and_picture(viewer: ViewerModel, grid: TileGrid, volume: Volume) -> None:
    grid.set_volume("d5c5", volume)
    grid.set_text("d5c5", "33 dB")
    before = layer(viewer, "D5C5")
    grid.arrange(GEOMETRY, specs("other", "d5c5"), slice_axis=0)
    assert layer(viewer, "D5C5") is before
    np.testing.assert_array_equal(before.data, volume)
    assert "33 dB" in written(viewer).values()


def test_layers_of_dropped_tiles_serve_the_new_ones_empty(viewer: ViewerModel, grid: TileGrid, volume: Volume) -> None:
    grid.set_volume("zf", volume)
    grid.set_contours("zf", np.ones(SHAPE, np.uint8))
    before = set(map(id, viewer.layers))
    grid.arrange(GEOMETRY, specs("d5c5", "cs"), slice_axis=0)
    assert set(map(id, viewer.layers)) == before
    assert not layer(viewer, "CS").data.any()
    assert layer(viewer, "CS outlines").opacity == 0


def test_a_grid_that_follows_a_closed_one_takes_over_its_layers(
    viewer: ViewerModel, grid: TileGrid, volume: Volume
) -> None:
    grid.set_volume("zf", volume)
    grid.set_contours("zf", np.ones(SHAPE, np.uint8))
    copy = viewer.add_image(volume, name="a copy of somebody else")
    before = set(map(id, viewer.layers))
    grid.close()
    later = TileGrid(viewer)
    later.arrange(Geometry.axial((4, 5, 6), (1.0, 1.0, 1.0)), specs("cs", "zf"), slice_axis=0)
    assert set(map(id, viewer.layers)) == before
    assert [layer for layer in viewer.layers if layer.visible and layer.opacity > 0 and np.any(layer.data)] == []
    assert not copy.visible
    np.testing.assert_array_equal(copy.data, volume)
    names = [each.name for each in viewer.layers if "outlines" not in each.name]
    assert names == ["Reference", "CS", "ZF", "legend", "cs error", "zf error", copy.name]
    kinds = {each.name: each.colormap.name for each in viewer.layers if each.name in ("Reference", "CS", "ZF")}
    assert set(kinds.values()) == {"gray"}
    later.close()


def test_a_layer_that_held_errors_is_gray_once_it_holds_an_image(viewer: ViewerModel, grid: TileGrid) -> None:
    only_images = [spec for spec in specs("d5c5", "zf", "cs", "tv") if spec.key != "cs:error"]
    grid.arrange(GEOMETRY, specs("d5c5", "zf", "cs"), slice_axis=0)
    grid.arrange(GEOMETRY, only_images, slice_axis=0)
    grid.set_error_limit(2.0)
    grid.set_signed_errors(True)
    kinds = {name: layer(viewer, name).colormap.name for name in ("Reference", "D5C5", "ZF", "CS", "TV")}
    assert set(kinds.values()) == {"gray"}, kinds


def test_another_grid_of_voxels_empties_and_moves_every_tile(
    viewer: ViewerModel, grid: TileGrid, volume: Volume
) -> None:
    grid.set_volume("d5c5", volume)
    other = Geometry.axial((4, 5, 6), (1.0, 1.0, 1.0))
    grid.arrange(other, specs("d5c5"), slice_axis=1)
    assert layer(viewer, "D5C5").data.shape == other.shape
    assert not layer(viewer, "D5C5").data.any()
    np.testing.assert_allclose(layer(viewer, "Reference").scale, (1, 1, 1))
    assert viewer.dims.nsteps == other.shape


def test_a_slice_changes_the_tile_and_never_the_callers_volume(
    viewer: ViewerModel, grid: TileGrid, volume: Volume
) -> None:
    original = volume.copy()
    grid.set_volume("d5c5", volume)
    grid.set_slice("d5c5", 2, np.full(SHAPE[1:], 7, np.float32))
    shown = layer(viewer, "D5C5").data
    assert (shown[2] == 7).all()
    np.testing.assert_array_equal(np.delete(shown, 2, 0), np.delete(original, 2, 0))
    np.testing.assert_array_equal(volume, original)


def test_an_empty_picture_takes_slices_without_a_copy(viewer: ViewerModel, grid: TileGrid, volume: Volume) -> None:
    grid.set_volume("d5c5", volume)
    grid.set_empty("d5c5", limits=(0, 3))
    empty = layer(viewer, "D5C5").data
    assert not empty.any()
    grid.set_slice("d5c5", 2, np.full(SHAPE[1:], 7, np.float32))
    assert layer(viewer, "D5C5").data is empty
    assert (empty[2] == 7).all()
    assert grid.window_of("d5c5") == (0, 3)
    assert not (volume == 7).any()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slices_run_along_the_axis_of_the_scan(viewer: ViewerModel, grid: TileGrid, axis: int) -> None:
    grid.arrange(GEOMETRY, specs("d5c5"), slice_axis=axis)
    plane = np.random.default_rng(1).random(np.delete(SHAPE, axis)).astype(np.float32)
    grid.set_slice("d5c5", 1, plane)
    np.testing.assert_array_equal(np.take(layer(viewer, "D5C5").data, 1, axis), plane)


def test_a_slice_on_the_screen_is_drawn_and_another_is_not(viewer: ViewerModel, grid: TileGrid) -> None:
    drawn = []
    layer(viewer, "D5C5").events.set_data.connect(lambda: drawn.append(1))
    plane = np.zeros(SHAPE[1:], np.float32)
    grid.set_slice("d5c5", grid.current_slice(), plane)
    assert len(drawn) == 1
    grid.set_slice("d5c5", grid.current_slice() + 1, plane)
    assert len(drawn) == 1
    grid.show_plane(ViewPlane.CORONAL)
    drawn.clear()
    grid.set_slice("d5c5", 0, plane)
    assert len(drawn) == 1


@pytest.mark.parametrize("plane", [ViewPlane.AXIAL, ViewPlane.CORONAL, ViewPlane.SAGITTAL])
def test_what_napari_shows_is_what_was_written(viewer: ViewerModel, grid: TileGrid, plane: ViewPlane) -> None:
    grid.show_plane(plane)
    grid.go_to((4, 2, 5))
    written_plane = np.random.default_rng(1).random(SHAPE[1:], np.float32)
    grid.set_slice("zf", 4, written_plane)
    world = tuple(-GEOMETRY.to_mm(np.array([4.0, 2.0, 5.0]))[::-1])
    assert layer(viewer, "ZF").get_value(world, world=True) == written_plane[2, 5]


def test_images_share_one_window_unless_unlinked(viewer: ViewerModel, grid: TileGrid, volume: Volume) -> None:
    grid.set_volume("reference", volume, limits=(0.1, 0.9))
    assert layer(viewer, "ZF").contrast_limits == [0.1, 0.9]
    layer(viewer, "D5C5").contrast_limits = (0.2, 0.5)
    assert layer(viewer, "Reference").contrast_limits == [0.2, 0.5]
    grid.set_volume("zf", volume * 100)
    assert layer(viewer, "ZF").contrast_limits == [0.2, 0.5]
    grid.link_windows(False)
    layer(viewer, "D5C5").contrast_limits = (0.3, 0.4)
    assert layer(viewer, "Reference").contrast_limits == [0.2, 0.5]


def test_all_errors_share_one_scale_and_one_colour_bar(viewer: ViewerModel, grid: TileGrid, volume: Volume) -> None:
    grid.set_volume("d5c5:error", volume * 50)
    grid.set_error_limit(100.0)
    grid.error_gain = 4
    errors = [layer(viewer, name) for name in ("d5c5 error", "zf error", "legend")]
    assert all(each.contrast_limits == [0, 25] and each.colormap.name == "inferno" for each in errors)
    assert [each.name for each in viewer.layers if each.colorbar.visible] == ["legend"]
    grid.set_signed_errors(True)
    assert all(each.contrast_limits == [-25, 25] for each in errors)
    black = errors[0].colormap.map(0.5)
    np.testing.assert_allclose(np.ravel(black)[:3], 0, atol=0.01)


def test_without_error_maps_there_is_no_colour_bar(viewer: ViewerModel) -> None:
    grid = TileGrid(viewer)
    grid.arrange(GEOMETRY, specs(), slice_axis=0)
    assert not any(each.colorbar.visible for each in viewer.layers)
    grid.close()


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan")])
def test_an_error_scale_is_above_zero(grid: TileGrid, bad: float) -> None:
    with pytest.raises(InputError, match="finite numbers above 0"):
        grid.set_error_limit(bad)


def test_outlines_come_go_and_bring_their_legend(viewer: ViewerModel, grid: TileGrid) -> None:
    codes = np.zeros(SHAPE, np.uint8)
    codes[2, 3, 3:5] = 1, 2
    grid.set_contours("d5c5", codes)
    outlines = layer(viewer, "D5C5 outlines")
    np.testing.assert_array_equal(outlines.data, codes)
    assert (outlines.opacity, outlines.contour) == (1, 1)
    assert layer(viewer, "ZF outlines").opacity == 0
    assert "■ missed" in str(viewer.canvas.overlays["mrviewer"].captions)
    assert viewer.canvas.grid.stride == 2
    grid.show_contours(False)
    assert outlines.opacity == 0
    assert "■" not in str(viewer.canvas.overlays["mrviewer"].captions)
    grid.show_contours(True)
    assert outlines.opacity == 1
    grid.set_contours("d5c5", None)
    assert outlines.opacity == 0


def test_the_legend_names_only_the_colours_that_are_drawn(viewer: ViewerModel, grid: TileGrid) -> None:
    def legend() -> list[str]:
        captions = viewer.canvas.overlays["mrviewer"].captions
        return [caption.text for caption in captions if caption.text.startswith("■")]

    assert legend() == []
    grid.set_contours("reference", np.full(SHAPE, PLAIN, np.uint8))
    assert legend() == ["■ labels"]
    grid.set_contours("zf", np.ones(SHAPE, np.uint8))
    assert legend() == ["■ agreed", "■ missed", "■ false", "■ labels"]
    grid.set_contours("reference", None)
    assert legend() == ["■ agreed", "■ missed", "■ false"]
    grid.set_contours("zf", np.full(SHAPE, PLAIN, np.uint8))
    assert legend() == ["■ segmentation"], "nobody drew it"


def test_outlines_over_an_error_map_have_a_rim_in_the_shown_plane(viewer: ViewerModel, grid: TileGrid) -> None:
    codes = np.zeros(SHAPE, np.uint8)
    codes[2, 3, 3] = 1
    grid.set_contours("d5c5:error", codes)
    outlines = layer(viewer, "d5c5 error outlines")
    assert outlines.data[2, 2, 3] == outlines.data[2, 3, 4] == 4
    assert outlines.data[1, 3, 3] == 0
    grid.show_plane(ViewPlane.CORONAL)
    assert outlines.data[1, 3, 3] == outlines.data[2, 3, 4] == 4
    assert outlines.data[2, 2, 3] == 0
    grid.show_plane(ViewPlane.THREE_D)
    np.testing.assert_array_equal(outlines.data, codes)
    assert outlines.contour == 0


def test_one_slice_of_outlines(viewer: ViewerModel, grid: TileGrid) -> None:
    plane = np.zeros(SHAPE[1:], np.uint8)
    plane[1, 1] = 3
    grid.set_contour_slice("zf", 4, plane)
    outlines = layer(viewer, "ZF outlines")
    np.testing.assert_array_equal(outlines.data[4], plane)
    assert outlines.opacity == 1
    assert not outlines.data[:4].any()


@pytest.mark.parametrize(
    ("plane", "top", "left"),
    [(ViewPlane.AXIAL, "A", "R"), (ViewPlane.CORONAL, "S", "R"), (ViewPlane.SAGITTAL, "S", "A")],
)
def test_letters_follow_the_plane(viewer: ViewerModel, grid: TileGrid, plane: ViewPlane, top: str, left: str) -> None:
    grid.show_plane(plane)
    said = written(viewer)
    assert {said[cell, "TOP"] for cell in (0, 1, 2, 4, 5)} == {top}
    assert {said[cell, "LEFT"] for cell in (0, 1, 2, 4, 5)} == {left}
    assert (3, "TOP") not in said


def test_neurological_mirrors_axial_and_coronal_only(viewer: ViewerModel, grid: TileGrid) -> None:
    grid.set_radiological(False)
    assert written(viewer)[0, "LEFT"] == "L"
    grid.show_plane(ViewPlane.CORONAL)
    assert written(viewer)[0, "LEFT"] == "L"
    grid.show_plane(ViewPlane.SAGITTAL)
    assert written(viewer)[0, "LEFT"] == "A"
    grid.show_plane(ViewPlane.THREE_D)
    assert str(viewer.scene.camera.orientation2d[1]) == "right"
    assert (0, "LEFT") not in written(viewer)


def test_letters_tell_the_truth_when_a_preference_flips_the_axes(viewer: ViewerModel, grid: TileGrid) -> None:
    viewer.scene.camera.orientation2d = ("up", "left")
    assert written(viewer)[0, "TOP"] == "P"
    assert written(viewer)[0, "LEFT"] == "L"


def test_the_grid_defends_its_shape_against_preferences(viewer: ViewerModel, grid: TileGrid) -> None:
    viewer.canvas.grid.stride, viewer.canvas.grid.shape = 3, (-1, -1)
    assert viewer.canvas.grid.stride == 1
    assert viewer.canvas.grid.shape == (2, 3)


def test_without_grid_mode_only_the_letters_stay(viewer: ViewerModel, grid: TileGrid) -> None:
    viewer.canvas.grid.enabled = False
    assert {place for _, place in written(viewer)} == {"TOP", "BOTTOM", "LEFT", "RIGHT"}


def test_going_to_a_voxel_shows_it_in_the_middle(viewer: ViewerModel, grid: TileGrid) -> None:
    heard = []
    grid.slice_changed.connect(heard.append)
    grid.go_to((4, 2, 5), 30.0)
    assert grid.current_slice() == 4
    assert heard == [4]
    world = -GEOMETRY.to_mm(np.array([4.0, 2.0, 5.0]))[::-1]
    np.testing.assert_allclose(viewer.scene.camera.center[1:], world[1:])
    assert viewer.scene.camera.zoom == pytest.approx(min(viewer.canvas.viewbox_size(viewer.layers)) / 30)


def test_slices_are_reported_along_the_scan_in_any_plane(viewer: ViewerModel, grid: TileGrid) -> None:
    heard = []
    grid.slice_changed.connect(heard.append)
    grid.show_plane(ViewPlane.SAGITTAL)
    viewer.dims.set_current_step(2, 1)
    assert heard == []
    viewer.dims.set_current_step(0, 5)
    assert heard == [5]


def click(viewer: ViewerModel, world: tuple[float, ...], cell: tuple[int, int], *, moved: int = 0) -> None:
    event = SimpleNamespace(type="mouse_press", button=1, pos=(10, 10), position=world, viewbox=cell)
    callback = viewer.mouse_drag_callbacks[-1](viewer, event)
    next(callback)
    event.type, event.pos = "mouse_move", (10 + moved, 10)
    next(callback)
    event.type = "mouse_release"
    next(callback, None)


def test_a_click_names_voxel_and_tile(viewer: ViewerModel, grid: TileGrid) -> None:
    heard = []
    grid.clicked.connect(lambda index, key: heard.append((index, key)))
    world = tuple(-GEOMETRY.to_mm(np.array([3.0, 4.0, 5.0]))[::-1])
    click(viewer, world, (1, 2))
    assert heard == [((3, 4, 5), "zf:error")]
    click(viewer, world, (0, 0), moved=9)
    click(viewer, world, (1, 0))
    click(viewer, (1e3, 0, 0), (0, 0))
    assert len(heard) == 1


def test_a_series_of_somebody_else_moves_no_axis(viewer: ViewerModel, volume: Volume) -> None:
    viewer.add_image(np.zeros((3, *SHAPE), np.float32), name="series")
    grid = TileGrid(viewer)
    grid.arrange(GEOMETRY, specs("d5c5"), slice_axis=0)
    for plane, top in (
        (ViewPlane.AXIAL, "A"),
        (ViewPlane.CORONAL, "S"),
        (ViewPlane.SAGITTAL, "S"),
        (ViewPlane.AXIAL, "A"),
    ):
        grid.show_plane(plane)
        assert written(viewer)[0, "TOP"] == top
    grid.go_to((4, 2, 5))
    assert grid.current_slice() == 4
    drawn = []
    layer(viewer, "D5C5").events.set_data.connect(lambda: drawn.append(1))
    grid.set_slice("d5c5", 4, volume[4])
    assert len(drawn) == 1
    grid.close()


def test_no_outline_gets_hold_of_the_brush(viewer: ViewerModel, grid: TileGrid) -> None:
    assert viewer.layers.selection.active is layer(viewer, "Reference")
    viewer.layers.selection.active = layer(viewer, "ZF")
    grid.set_contours("zf", np.ones(SHAPE, np.uint8))
    grid.arrange(GEOMETRY, specs("zf", "cs"), slice_axis=0)
    assert viewer.layers.selection.active is layer(viewer, "ZF")


def test_the_scale_bar_lies_in_the_free_cell(viewer: ViewerModel, grid: TileGrid) -> None:
    assert viewer.canvas.overlays.scale_bar.position == "bottom_left"
    grid.arrange(GEOMETRY, specs(), slice_axis=0)
    assert viewer.canvas.overlays.scale_bar.position == "bottom_right"
    assert viewer.canvas.overlays.scale_bar.visible


def test_layers_of_others_are_hidden_and_come_last(viewer: ViewerModel) -> None:
    stranger = viewer.add_image(np.zeros((3, 3), np.float32), name="stranger")
    grid = TileGrid(viewer)
    grid.arrange(GEOMETRY, specs(), slice_axis=0)
    assert not stranger.visible
    assert viewer.layers[-1] is stranger
    grid.close()


def test_a_deleted_layer_takes_its_tile_along(
    qapp: QApplication, viewer: ViewerModel, grid: TileGrid, volume: Volume
) -> None:
    grid.set_contours("d5c5", np.ones(SHAPE, np.uint8))
    viewer.layers.remove("D5C5")
    qapp.processEvents()
    assert grid.keys == ("reference", "zf", "zf:error")
    assert "D5C5 outlines" not in viewer.layers
    with pytest.raises(UnknownNameError, match="no tile 'd5c5'"):
        grid.set_text("d5c5", "back")
    grid.arrange(GEOMETRY, specs("d5c5", "zf"), slice_axis=0)
    grid.set_text("d5c5", "back")


def test_removing_all_layers_leaves_an_empty_grid(qapp: QApplication, viewer: ViewerModel, grid: TileGrid) -> None:
    grid.set_contours("d5c5", np.ones(SHAPE, np.uint8))
    viewer.layers.clear()
    qapp.processEvents()
    assert len(viewer.layers) == 0
    assert grid.keys == ()
    grid.arrange(GEOMETRY, specs("d5c5"), slice_axis=0)
    assert grid.keys == ("reference", "d5c5", "d5c5:error")


def test_zoom_survives_new_tiles_but_not_a_new_patient(viewer: ViewerModel, grid: TileGrid) -> None:
    grid.go_to((4, 2, 5), 30.0)
    centre = viewer.scene.camera.center
    grid.arrange(GEOMETRY, specs("d5c5"), slice_axis=0)
    assert viewer.scene.camera.center == centre
    grid.arrange(Geometry.axial((20, 20, 20), (1.0, 1.0, 1.0)), specs("d5c5"), slice_axis=0)
    assert viewer.scene.camera.center != centre


def test_clearing_leaves_nothing(viewer: ViewerModel, grid: TileGrid) -> None:
    grid.clear()
    assert len(viewer.layers) == 0
    assert grid.keys == ()
    assert viewer.canvas.overlays["mrviewer"].captions == ()
    grid.arrange(GEOMETRY, specs(), slice_axis=0)
    assert grid.keys == ("reference",)


def test_a_closed_grid_is_deaf(viewer: ViewerModel, grid: TileGrid) -> None:
    heard = []
    grid.slice_changed.connect(heard.append)
    grid.close()
    viewer.dims.set_current_step(0, 5)
    assert heard == []
    assert len(viewer.mouse_drag_callbacks) == len(ViewerModel().mouse_drag_callbacks)
    assert "mrviewer" not in viewer.canvas.overlays


def test_a_volume_of_another_shape_is_refused(grid: TileGrid) -> None:
    with pytest.raises(ShapeError, match=r"volume is \(2, 2, 2\) but the tiles are \(6, 8, 7\)"):
        grid.set_volume("d5c5", np.zeros((2, 2, 2), np.float32))


def test_a_complex_volume_is_refused(grid: TileGrid) -> None:
    with pytest.raises(InputError, match="pass its magnitude"):
        grid.set_volume("d5c5", np.zeros(SHAPE, np.complex64))


@pytest.mark.parametrize(("index", "shape"), [(6, SHAPE[1:]), (-1, SHAPE[1:]), (0, SHAPE[:2])])
def test_a_slice_from_elsewhere_is_refused(grid: TileGrid, index: int, shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"6 slices of \(8, 7\) along axis 0"):
        grid.set_slice("d5c5", index, np.zeros(shape, np.float32))


def test_an_oblique_scan_says_so_on_the_picture(viewer: ViewerModel) -> None:
    angle = np.radians(10)
    affine = np.eye(4)
    affine[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    grid = TileGrid(viewer)
    grid.arrange(Geometry.from_stored(SHAPE, affine), specs(), slice_axis=0)
    assert "10.0°" in written(viewer)[0, "FOOT"]
    grid.close()


def test_a_turned_window_gets_another_layout(viewer: ViewerModel, grid: TileGrid, volume: Volume) -> None:
    grid.set_volume("zf", volume)
    assert viewer.canvas.grid.shape == (2, 3)
    viewer.canvas.size = (1600, 500)
    assert viewer.canvas.grid.shape == (6, 1)
    np.testing.assert_array_equal(layer(viewer, "ZF").data, volume)


def test_a_resize_in_the_middle_of_arranging_waits_until_that_is_done(viewer: ViewerModel, qapp: QApplication) -> None:
    grid = TileGrid(viewer)

    def narrow() -> None:  # the first layer of a window brings its slider, which takes room from the canvas
        viewer.canvas.size = (1600, 500)

    viewer.layers.events.inserted.connect(narrow)
    grid.arrange(GEOMETRY, specs("d5c5", "zf"), slice_axis=0)
    viewer.layers.events.inserted.disconnect(narrow)
    assert len(viewer.layers) == 6
    assert viewer.canvas.grid.actual_shape(viewer.layers) == (2, 3)
    qapp.processEvents()
    rows, columns = viewer.canvas.grid.actual_shape(viewer.layers)
    assert rows > columns
    assert len(viewer.layers) == rows * columns
    grid.close()
