"""Labels become whole numbers on the grid of the image, and what was done to them is said."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mrviewer.errors import FileFormatError, ShapeError
from mrviewer.geometry import Geometry
from mrviewer.images.labels import labels_on_grid
from mrviewer.readers import read_image
from mrviewer.study import Image

GRID = Geometry.axial((6, 7, 8), (2.0, 1.0, 1.0))


def labels(values: NDArray[np.generic], geometry: Geometry = GRID) -> Image:
    return Image(values, geometry, "labels", Path("somewhere") / "mask.nii.gz")


def blob(dtype: type = np.uint8, value: float = 1) -> NDArray[np.generic]:
    values = np.zeros(GRID.shape, dtype)
    values[2:4, 2:5, 3:6] = value
    return values


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int16, np.int64, np.float32, np.float64])
def test_whole_numbers_on_the_same_grid_stay(dtype: type) -> None:
    found, note = labels_on_grid(labels(blob(dtype)), GRID)
    assert note == ""
    assert found.modality == "labels"
    assert found.volume().dtype == np.uint8
    np.testing.assert_array_equal(found.volume(), blob())


def test_the_result_is_read_only_and_the_input_untouched() -> None:
    values = blob()
    found, _ = labels_on_grid(labels(values), GRID)
    assert not found.volume().flags.writeable
    assert values.flags.writeable


@pytest.mark.parametrize(("value", "dtype"), [(4, np.uint8), (300, np.uint16), (70000, np.uint32)])
def test_labels_take_the_smallest_type_that_holds_them(value: int, dtype: type) -> None:
    found, _ = labels_on_grid(labels(blob(np.int64, value)), GRID)
    assert found.volume().dtype == dtype
    assert found.volume().max() == value


@pytest.mark.parametrize(
    ("value", "other", "note", "expected"),
    [
        (255, 0, "the value 255 of mask.nii.gz was taken as label 1", 1),
        (0.7, 0.3, "mask.nii.gz holds probabilities and was cut at 0.5", 1),
        (1, np.nan, "not finite were taken as background", 1),
        (2, -1, "with values below 0 were taken as background", 2),
        (0, 0, "labels no voxel", 0),
        (0.99999, 0, "", 1),
    ],
)
def test_what_was_changed_is_said(value: float, other: float, note: str, expected: int) -> None:
    values = blob(np.float32, value)
    values[0, 0, 0] = other
    found, said = labels_on_grid(labels(values), GRID)
    assert note in said
    np.testing.assert_array_equal(found.volume(), blob(np.uint8, expected))


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        (np.linspace(-3.2, 812.7, 336).reshape(GRID.shape), "from -3.2 to 812.7 that are not whole numbers"),
        (np.full(GRID.shape, -1), "no label above 0 but values down to -1"),
        (np.full(GRID.shape, 2**40), "are no labels"),
        (np.full(GRID.shape, 1e30), "are no labels"),
        (np.full(GRID.shape, "a"), "values of type"),
        (np.zeros((2, *GRID.shape), np.uint8), "series of 2 volumes"),
    ],
)
def test_what_cannot_be_labels_is_refused(values: NDArray[np.generic], fault: str) -> None:
    with pytest.raises(FileFormatError, match=rf"^mask\.nii\.gz .*{fault}.*;"):
        labels_on_grid(labels(values), GRID)


def test_an_image_given_as_labels_is_refused() -> None:
    grid = Geometry.axial((10, 20, 20), (1.0, 1.0, 1.0))
    with pytest.raises(FileFormatError, match="4,000 different values, as an image does"):
        labels_on_grid(labels(np.arange(4000).reshape(grid.shape), grid), grid)


def nearest_oracle(values: NDArray[np.generic], source: Geometry, target: Geometry) -> NDArray[np.generic]:
    """Nearest voxel for each voxel of the target, one by one in scanner coordinates."""
    index = np.moveaxis(np.indices(target.shape), 0, -1).astype(float)
    position = (
        np.linalg.inv(source.affine) @ np.concatenate([target.to_mm(index), np.ones((*target.shape, 1))], -1)[..., None]
    )
    nearest = np.floor(position[..., :3, 0] + 0.5).astype(int)
    inside = ((nearest >= 0) & (nearest < source.shape)).all(-1)
    clipped = np.clip(nearest, 0, np.array(source.shape) - 1)
    return np.where(inside, values[tuple(np.moveaxis(clipped, -1, 0))], 0)


@settings(max_examples=40, deadline=None)
@given(
    angles=st.tuples(*[st.floats(-30, 30)] * 3),
    shift=st.tuples(*[st.floats(-2, 2)] * 3),
    sizes=st.tuples(*[st.sampled_from([0.7, 1.1, 2.3])] * 3),
    seed=st.integers(0, 99),
)
def test_resampling_takes_the_nearest_voxel(
    angles: tuple[float, ...], shift: tuple[float, ...], sizes: tuple[float, float, float], seed: int
) -> None:
    affine = Geometry.axial((5, 6, 7), sizes).stored_affine.copy()
    affine[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix() @ affine[:3, :3]
    # Off the grid by an odd fraction, so that no voxel lies half-way between two.
    affine[:3, 3] += np.array(shift) + 0.0137
    source = Geometry.from_stored((7, 6, 5), affine)
    values = np.random.default_rng(seed).integers(0, 5, source.shape).astype(np.uint8)
    found, note = labels_on_grid(labels(values, source), GRID)
    expected = nearest_oracle(values, source, GRID)
    assert np.count_nonzero(found.volume() != expected) <= 1
    assert "resampled to the nearest voxel" in note
    assert found.geometry is GRID


def test_a_shift_by_whole_voxels_loses_nothing_but_the_border() -> None:
    affine = GRID.stored_affine.copy()
    affine[0, 3] += 1.0
    found, note = labels_on_grid(labels(blob(), Geometry.from_stored((8, 7, 6), affine)), GRID)
    np.testing.assert_array_equal(found.volume(), np.roll(blob(), -1, axis=2))
    assert "covers 88% of the image, and 0.04 ml of labels became 0.04 ml" in note


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_labels_on_a_part_of_the_grid_go_where_they_belong(axis: int) -> None:
    cut: list[slice] = [slice(None)] * 3
    cut[axis] = slice(1, 4)
    part = blob()[tuple(cut)]
    start = np.array([index.start or 0 for index in cut], float)
    affine = GRID.affine.copy()
    affine[:3, 3] = GRID.to_mm(start)
    geometry = Geometry(part.shape, affine, GRID.to_stored)
    found, note = labels_on_grid(labels(part, geometry), GRID)
    expected = np.zeros_like(blob())
    expected[tuple(cut)] = part
    np.testing.assert_array_equal(found.volume(), expected)
    assert "voxel for voxel" in note
    assert "resampled" not in note


def test_labels_elsewhere_are_refused() -> None:
    affine = GRID.stored_affine.copy()
    affine[2, 3] += 500
    with pytest.raises(
        ShapeError, match=r"^mask\.nii\.gz and the image lie nowhere together .*; give labels of the same"
    ):
        labels_on_grid(labels(blob(), Geometry.from_stored((8, 7, 6), affine)), GRID)


@pytest.mark.parametrize(
    ("name", "voxels", "note"),
    [
        ("mask_uint8.nii.gz", 327, ""),
        ("mask_int64.nii.gz", 327, ""),
        ("mask_0_255.nii.gz", 327, "255"),
        ("mask_same_space_stored_LPS.nii.gz", 327, ""),
        ("mask_multilabel_1_2_4.nii.gz", 327, ""),
        ("mask_cropped_grid.nii.gz", 327, "voxel for voxel"),
        ("mask_on_2x_finer_grid.nii.gz", 327, "another grid"),
        ("mask_float_probability.nii.gz", 233, "cut at 0.5"),
        ("mask_empty.nii.gz", 0, "labels no voxel"),
    ],
)
def test_odd_masks_lie_on_the_head(shared_data: Path, name: str, voxels: int, note: str) -> None:
    folder = shared_data / "oddities_nifti"
    head = read_image(folder / "base_ras_int16.nii.gz")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found, said = labels_on_grid(read_image(folder / name, "labels"), head.geometry)
    assert np.count_nonzero(found.volume()) == voxels
    assert note in said
    assert bool(said) == bool(note)
    if voxels == 327:
        plain = read_image(folder / "mask_uint8.nii.gz").volume()
        np.testing.assert_array_equal(found.volume() > 0, plain > 0)


def test_a_mask_of_negative_labels_is_refused(shared_data: Path) -> None:
    folder = shared_data / "oddities_nifti"
    head = read_image(folder / "base_ras_int16.nii.gz")
    with pytest.raises(FileFormatError, match="labels count from 1"):
        labels_on_grid(read_image(folder / "mask_negative_label.nii.gz"), head.geometry)


def test_a_cut_of_probabilities_says_how_many_voxels_lie_between() -> None:
    values = blob(np.float32, 1)
    values[0, 0, :3] = 0.5, 0.5, 0.7
    values[0, 1, 0] = 0.2
    found, said = labels_on_grid(labels(values), GRID)
    assert "of 4 voxels between 0 and 1, 1 became label 1 and 3 background (2 of them at 0.5)" in said
    assert np.count_nonzero(found.volume()) == np.count_nonzero(blob(np.uint8, 1)) + 1


def smooth(highest: float) -> NDArray[np.float64]:
    """A lesion whose probability falls off from its middle."""
    z, y, x = np.indices((8, 30, 30))
    return highest * np.clip(1.1 - np.hypot(np.hypot(y - 14, x - 15), 2 * (z - 4)) / 12, 0, 1)


@pytest.mark.parametrize(("highest", "dtype", "told"), [
    (90, np.float32, "percent"), (100, np.uint8, "percent"), (255, np.uint8, "0 to 255"), (200, np.float32, "0 to 255"),
])  # fmt: skip
def test_a_probability_map_of_whole_numbers_is_refused(highest: int, dtype: type, told: str) -> None:
    values = np.rint(smooth(highest)).astype(dtype)
    grid = Geometry.axial(values.shape, (1.0, 1.0, 1.0))  # type: ignore[arg-type]
    with pytest.raises(FileFormatError, match=rf"mask\.nii\.gz .* a probability map in {told} does; give"):
        labels_on_grid(labels(values, grid), grid)


def test_percent_that_are_not_whole_are_refused_with_what_to_do() -> None:
    grid = Geometry.axial((8, 30, 30), (1.0, 1.0, 1.0))
    with pytest.raises(FileFormatError, match="the map cut to 0 and 1 if these are probabilities"):
        labels_on_grid(labels(smooth(90.0), grid), grid)


def test_an_atlas_of_many_structures_is_not_taken_for_a_probability_map() -> None:
    z, y, x = np.indices((8, 30, 30))
    values = (1 + z // 4 * 100 + y // 5 * 10 + x // 5).astype(np.uint8)
    grid = Geometry.axial(values.shape, (1.0, 1.0, 1.0))  # type: ignore[arg-type]
    found, said = labels_on_grid(labels(values, grid), grid)
    assert said == ""
    np.testing.assert_array_equal(found.volume(), values)


def test_one_value_that_may_be_percent_is_said() -> None:
    found, said = labels_on_grid(labels(blob(np.float32, 90)), GRID)
    assert found.volume().max() == 90
    assert "if they are probabilities in percent" in said
    assert labels_on_grid(labels(blob(np.uint8, 90)), GRID)[1] == ""
