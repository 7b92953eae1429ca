"""Laws of the grid: internal order, the way back, and world coordinates."""

import itertools
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nibabel import orientations
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mrviewer.errors import ShapeError
from mrviewer.geometry import INTERNAL_AXES, Geometry
from mrviewer.readers import open_study, read_image

SHAPE = (4, 5, 6)
ORIENTATIONS = [
    tuple(pairs[axis][end] for axis, end in zip(order, ends, strict=True))
    for pairs in [("LR", "PA", "IS")]
    for order in itertools.permutations(range(3))
    for ends in itertools.product((0, 1), repeat=3)
]


def affine_of(codes: tuple[str, ...], sizes_mm: tuple[float, ...] = (1.0, 2.0, 3.5)) -> NDArray[np.float64]:
    """Upright affine whose stored axes run to `codes`."""
    affine = np.eye(4)
    affine[:3, :3] = 0
    for column, (row, flip) in enumerate(orientations.axcodes2ornt(codes)):
        affine[int(row), column] = flip * sizes_mm[column]
    affine[:3, 3] = (-7.0, 11.0, 3.25)
    return affine


def world_of_values(stored: NDArray[np.float64], affine: NDArray[np.float64]) -> dict[float, tuple[float, ...]]:
    """World position of every value of an array without repeated values, rounded to a micrometre."""
    index = np.argwhere(np.ones(stored.shape, bool))
    position = np.round(apply_affine(affine, index), 3) + 0.0
    return dict(zip(stored.ravel().tolist(), map(tuple, position.tolist()), strict=True))


@st.composite
def oblique_affines(draw: st.DrawFn) -> NDArray[np.float64]:
    """Any of the 48 orientations, turned by up to 40 degrees, with any voxel size."""
    sizes = tuple(draw(st.floats(0.3, 20)) for _ in range(3))
    affine = affine_of(draw(st.sampled_from(ORIENTATIONS)), sizes)
    turn = Rotation.from_euler("xyz", [draw(st.floats(-40, 40)) for _ in range(3)], degrees=True)
    affine[:3, :3] = turn.as_matrix() @ affine[:3, :3]
    affine[:3, 3] = [draw(st.floats(-200, 200)) for _ in range(3)]
    return affine


def test_there_are_48_orientations() -> None:
    assert len(set(ORIENTATIONS)) == 48


@pytest.mark.parametrize("codes", ORIENTATIONS, ids="".join)
def test_upright_grids_run_to_inferior_posterior_left_and_back(codes: tuple[str, ...]) -> None:
    affine = affine_of(codes)
    stored = np.arange(np.prod(SHAPE), dtype=float).reshape(SHAPE)
    geometry = Geometry.from_stored(SHAPE, affine)
    internal = geometry.to_internal(stored)
    assert nibabel.aff2axcodes(geometry.affine) == INTERNAL_AXES
    assert internal.shape == geometry.shape
    assert world_of_values(internal, geometry.affine) == world_of_values(stored, affine)
    np.testing.assert_array_equal(geometry.to_stored_order(internal), stored)
    np.testing.assert_allclose(geometry.stored_affine, affine, atol=1e-12)
    assert sorted(geometry.voxel_size_mm) == pytest.approx([1.0, 2.0, 3.5])
    assert geometry.voxel_volume_ml == pytest.approx(0.007)
    assert geometry.obliquity_degrees == pytest.approx(0)
    assert not geometry.is_sheared


@settings(max_examples=60, deadline=None)
@given(affine=oblique_affines(), shape=st.tuples(*[st.integers(1, 5)] * 3))
def test_oblique_grids_keep_every_voxel_in_its_place(affine: NDArray[np.float64], shape: tuple[int, int, int]) -> None:
    stored = np.arange(np.prod(shape), dtype=float).reshape(shape)
    geometry = Geometry.from_stored(shape, affine)
    internal = geometry.to_internal(stored)
    for value in (0, stored.size // 2, stored.size - 1):
        before = apply_affine(affine, np.argwhere(stored == value)[0])
        np.testing.assert_allclose(geometry.to_mm(np.argwhere(internal == value)[0]), before, atol=1e-6)
    np.testing.assert_array_equal(geometry.to_stored_order(internal), stored)
    np.testing.assert_allclose(geometry.stored_affine, affine, atol=1e-6)
    assert geometry.matches(Geometry.from_stored(shape, affine))
    assert not geometry.is_sheared


def test_axes_after_the_first_three_are_kept() -> None:
    geometry = Geometry.from_stored(SHAPE, affine_of(("P", "S", "R")))
    series = np.arange(np.prod(SHAPE) * 2).reshape(*SHAPE, 2)
    np.testing.assert_array_equal(geometry.to_internal(series)[..., 1], geometry.to_internal(series[..., 1]))


def test_an_axial_grid_is_centred_and_upright() -> None:
    geometry = Geometry.axial((3, 5, 7), (4.0, 1.0, 2.0))
    np.testing.assert_allclose(geometry.to_mm(np.array([1.0, 2.0, 3.0])), 0, atol=1e-12)
    assert nibabel.aff2axcodes(geometry.stored_affine) == ("R", "A", "S")
    assert nibabel.aff2axcodes(geometry.affine) == INTERNAL_AXES
    assert geometry.voxel_size_mm == (4.0, 1.0, 2.0)


def test_shear_is_seen_and_rotation_is_not_shear() -> None:
    affine = affine_of(("R", "A", "S"))
    affine[0, 1] = 0.3
    assert Geometry.from_stored(SHAPE, affine).is_sheared


def test_obliquity_is_the_angle_of_the_turn() -> None:
    affine = affine_of(("R", "A", "S"))
    affine[:3, :3] = Rotation.from_euler("x", 17, degrees=True).as_matrix() @ affine[:3, :3]
    assert Geometry.from_stored(SHAPE, affine).obliquity_degrees == pytest.approx(17)


@pytest.mark.parametrize(
    ("shape", "sizes", "axis"),
    [
        ((9, 9, 9), (1.0, 1.0, 1.0), 0),
        ((9, 9, 9), (1.0, 1.0, 3.0), 2),
        ((9, 9, 9), (1.0, 1.2, 1.0), 0),
        ((9, 1, 9), (1.0, 1.0, 1.0), 1),
        ((9, 9, 1), (5.0, 1.0, 1.0), 2),
        ((1, 1, 9), (1.0, 1.0, 1.0), 0),
    ],
)
def test_slices_are_cut_along_the_thick_or_the_single_axis(
    shape: tuple[int, int, int], sizes: tuple[float, float, float], axis: int
) -> None:
    assert Geometry.axial(shape, sizes).slice_axis == axis


def test_grids_match_only_where_every_corner_does() -> None:
    affine = affine_of(("L", "P", "S"))
    geometry = Geometry.from_stored(SHAPE, affine)
    affine[0, 3] += 0.02
    assert not geometry.matches(Geometry.from_stored(SHAPE, affine))
    assert geometry.matches(Geometry.from_stored(SHAPE, affine), tolerance_mm=0.05)
    assert not geometry.matches(Geometry.from_stored((4, 5, 7), affine_of(("L", "P", "S"))))


def test_a_volume_of_another_shape_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"the volume is \(2, 2, 2\) but its geometry is"):
        Geometry.from_stored(SHAPE, affine_of(("R", "A", "S"))).to_stored_order(np.zeros((2, 2, 2)))


@pytest.mark.parametrize("letters", ["RAS", "LPS", "PIR", "SAL"])
def test_orientation_letters_are_those_of_the_stored_axes(letters: str) -> None:
    affine = affine_of((letters[0], letters[1], letters[2]))
    assert Geometry.from_stored(SHAPE, affine).orientation == letters


def test_whether_a_file_says_how_it_lies_stays_with_the_grid(shared_data: Path) -> None:
    for name, is_placed in (("base_ras_int16", True), ("oblique_affine", True), ("no_qform_no_sform", False)):
        assert read_image(shared_data / "oddities_nifti" / f"{name}.nii.gz").geometry.is_placed is is_placed
    dicom = open_study(shared_data / "oddities_dicom" / "no_position_no_orientation")
    assert not dicom.geometry().is_placed
    assert open_study(shared_data / "oddities_dicom" / "regular_series").geometry().is_placed
