"""Two files lie to each other as their positions say, voxel for voxel where one has none, or nobody knows."""

import pickle
from pathlib import Path

import nibabel
import numpy as np
import pytest
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, ornt_transform
from numpy.typing import NDArray
from typer.testing import CliRunner

from mrviewer.cli import app
from mrviewer.database import DatabaseMapping, open_database
from mrviewer.errors import InputError, PositionError, ShapeError
from mrviewer.geometry import Geometry
from mrviewer.images.alignment import Relation, common_grid, lay_over, relation
from mrviewer.images.labels import labels_on_grid
from mrviewer.readers import open_study, read_image
from mrviewer.study import Image
from mrviewer.writers.corrections import save_correction

SHAPE = (9, 8, 6)
AFFINE = np.array([[2.0, 0, 0, -23], [0, 2.0, 0, -19], [0, 0, 3.0, -16.5], [0, 0, 0, 1]])
"""Upright, not centred, of a head that is not symmetrical."""
NOTE = "since the matrices agree, it was laid over voxel for voxel"


def head() -> NDArray[np.float32]:
    return np.random.default_rng(0).gamma(2.0, 50.0, SHAPE).astype(np.float32)


def lesion() -> NDArray[np.uint8]:
    values = np.zeros(SHAPE, np.uint8)
    values[1:4, 2:4, 1:3] = 1
    return values


def save(path: Path, values: NDArray[np.generic], affine: NDArray[np.float64] | None = AFFINE) -> Path:
    """Write a NIfTI file; without an affine both codes are 0."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(values, affine)
    if affine is None:
        image.header["pixdim"][1:4] = 2, 2, 3
    image.to_filename(path)
    return path


def stored_as(letters: str, values: NDArray[np.generic]) -> tuple[NDArray[np.generic], NDArray[np.float64]]:
    """Store the same voxels at the same places in another order."""
    turn = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(letters))
    return apply_orientation(values, turn), AFFINE @ inv_ornt_aff(turn, SHAPE)


def in_file_order(image: Image) -> NDArray[np.generic]:
    return image.geometry.to_stored_order(image.volume())


def codes(path: Path) -> tuple[int, int]:
    header = nibabel.load(path).header
    return int(header["qform_code"]), int(header["sform_code"])


# Grids -----------------------------------------------------------------------------------------------------------


def grid(affine: NDArray[np.float64] = AFFINE, shape: tuple[int, int, int] = SHAPE, *, placed: bool = True) -> Geometry:
    return Geometry.from_stored(shape, affine, is_placed=placed)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (grid(), Relation.SAME),
        (grid(stored_as("LPS", head())[1]), Relation.SAME),
        (grid(np.diag([2.0, 2, 3, 1])), Relation.UNKNOWN),
        (grid(np.diag([-1.0, -1, 1, 1])), Relation.UNKNOWN),
        (grid(np.eye(4), (4, 4, 4)), Relation.UNKNOWN),
        (grid(AFFINE + np.diag([1.0, 0, 0, 0])), Relation.ELSEWHERE),
        (grid(np.eye(4), placed=False), Relation.VOXEL_FOR_VOXEL),
        (grid(placed=False), Relation.VOXEL_FOR_VOXEL),
        (grid(shape=(6, 8, 9), placed=False), Relation.UNKNOWN),
    ],
)
def test_how_two_grids_lie_depends_on_what_both_state(other: Geometry, expected: Relation) -> None:
    assert relation(grid(), other) is expected
    assert relation(other, grid()) is expected


def test_two_grids_that_are_not_placed_lie_alike_where_their_matrices_agree() -> None:
    bare = grid(placed=False)
    assert relation(bare, grid(placed=False)) is Relation.SAME
    assert relation(bare, grid(np.eye(4), placed=False)) is Relation.VOXEL_FOR_VOXEL
    assert relation(bare, grid(shape=(6, 8, 9), placed=False)) is Relation.UNKNOWN


def test_of_grids_that_lie_together_a_placed_one_is_chosen() -> None:
    bare, placed = grid(placed=False), grid()
    assert common_grid([bare, placed]) is placed
    assert common_grid([bare, grid(shape=(5, 5, 5)), bare]) is bare


@pytest.mark.parametrize("letters", ["RAS", "LPS", "PIR", "SAL"])
@pytest.mark.parametrize("frames", [(), (3,)])
def test_laid_over_voxel_for_voxel_files_agree_index_by_index(
    tmp_path: Path, letters: str, frames: tuple[int, ...]
) -> None:
    values, affine = stored_as(letters, head())
    image = read_image(save(tmp_path / "a.nii", values, affine))
    other = np.random.default_rng(1).integers(0, 99, (*values.shape, *frames)).astype(np.int16)
    found = lay_over(read_image(save(tmp_path / "b.nii", other, None)), image.geometry)
    assert found is not None
    laid, (note,) = found
    assert str(note) == f"b.nii does not say how it lies in the scanner; {NOTE}"
    assert not laid.geometry.is_placed
    assert laid.data.shape == np.asarray(laid.data).shape
    assert laid.data.dtype == np.int16
    for frame in range(laid.n_frames):
        stored = laid.geometry.to_stored_order(laid.volume(frame))
        np.testing.assert_array_equal(stored, other[..., frame] if frames else other)


# Studies ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("letters", ["RAS", "LPS", "PIR"])
def test_labels_without_a_position_lie_on_their_image_voxel_for_voxel(tmp_path: Path, letters: str) -> None:
    values, affine = stored_as(letters, head())
    labels, _ = stored_as(letters, lesion())
    study = open_study([save(tmp_path / "FLAIR.nii", values, affine)], labels=save(tmp_path / "l.nii", labels, None))
    assert study.labels is not None
    np.testing.assert_array_equal(in_file_order(study.labels), labels)
    assert any(NOTE in note for note in study.notes)
    assert study.labels.geometry.is_placed


def test_labels_with_a_position_lie_on_an_image_without_voxel_for_voxel(tmp_path: Path) -> None:
    image, labels = save(tmp_path / "FLAIR.nii", head(), None), save(tmp_path / "l.nii", lesion())
    study = open_study([image], labels=labels)
    assert study.labels is not None
    np.testing.assert_array_equal(in_file_order(study.labels), lesion())
    assert any("what it is laid over does not" in note for note in study.notes)
    assert not study.geometry().is_placed


def test_two_files_without_a_position_and_with_other_matrices_are_refused(tmp_path: Path) -> None:
    image = save(tmp_path / "FLAIR.nii", head())
    for affine in (None, np.eye(4)):
        labels = save(tmp_path / "l.nii", lesion()[:-1], affine)
        with pytest.raises(ShapeError, match=r"l\.nii .* differ|l\.nii states voxel sizes alone"):
            open_study([image], labels=labels)


@pytest.mark.parametrize("bare", [np.eye(4), np.diag([2.0, 2, 3, 1]), np.diag([-2.0, -2, 3, 1])])
def test_the_identity_is_no_position_to_resample_by_unless_voxel_for_voxel_is_asked(
    tmp_path: Path, bare: NDArray[np.float64]
) -> None:
    image, labels = save(tmp_path / "FLAIR.nii", head()), save(tmp_path / "l.nii", lesion(), bare)
    with pytest.raises(ShapeError, match=r"l\.nii states voxel sizes alone .* ask for voxel for voxel"):
        open_study([image], labels=labels)
    study = open_study([image], labels=labels, voxel_for_voxel=True)
    assert study.labels is not None
    np.testing.assert_array_equal(in_file_order(study.labels), lesion())
    assert f"l.nii states another position; {NOTE}" in study.notes


def test_two_files_that_both_state_the_identity_are_one_grid(tmp_path: Path) -> None:
    image, labels = (
        save(tmp_path / name, values, np.eye(4)) for name, values in (("a.nii", head()), ("b.nii", lesion()))
    )
    study = open_study([image], labels=labels)
    assert study.labels is not None
    np.testing.assert_array_equal(in_file_order(study.labels), lesion())
    assert study.notes == ()


def test_images_without_a_position_join_the_placed_one_and_stay_unplaced(tmp_path: Path) -> None:
    values, affine = stored_as("LPS", head())
    save(tmp_path / "T1.nii", values, None)
    save(tmp_path / "T2.nii", values, affine)
    labels, _ = stored_as("PIR", lesion())
    save(tmp_path / "label.nii", labels, stored_as("PIR", lesion())[1])
    for order in (("T1", "T2"), ("T2", "T1")):
        study = open_study([tmp_path / f"{name}.nii" for name in order], labels=tmp_path / "label.nii")
        assert set(study.images) == {"T1", "T2"}
        np.testing.assert_array_equal(study.images["T1"].volume(), study.images["T2"].volume())
        assert not study.geometry("T1").is_placed
        assert study.geometry("T2").is_placed
        assert study.labels is not None
        expected = labels_on_grid(read_image(tmp_path / "label.nii", "labels"), study.geometry("T2"))[0]
        np.testing.assert_array_equal(study.labels.volume(), expected.volume())
        assert study.labels.volume().sum() == lesion().sum()


def test_labels_of_a_scan_that_has_k_space_alone_are_not_dropped(tmp_path: Path) -> None:
    kspace = np.random.default_rng(2).standard_normal((2, 32, 24)) * (1 + 1j)
    kspace[..., 1::2] = 0
    np.save(tmp_path / "scan.npy", kspace.astype(np.complex64))
    labels = np.zeros((24, 32, 1), np.uint8)
    labels[4:9, 10:20] = 1
    scan = f"kspace={tmp_path / 'scan.npy'}:coil,y,x"
    study = open_study([scan], labels=save(tmp_path / "l.nii", labels, None))
    assert not study.images
    assert study.labels is not None
    np.testing.assert_array_equal(in_file_order(study.labels), labels)
    with pytest.raises(ShapeError, match="differ"):
        open_study([scan], labels=save(tmp_path / "other.nii", labels[1:], None))


def test_an_image_whose_matrix_differs_from_the_placed_one_is_left_out_with_the_reason(tmp_path: Path) -> None:
    save(tmp_path / "T1.nii", head())
    save(tmp_path / "T2.nii", head()[:-1], None)
    study = open_study([tmp_path / "T1.nii", tmp_path / "T2.nii"])
    assert set(study.images) == {"T1"}
    assert any(note.startswith("left out: the matrices of T2.nii") for note in study.notes)


def test_a_correction_of_a_study_without_a_position_has_none(tmp_path: Path) -> None:
    study = open_study([save(tmp_path / "FLAIR.nii", head(), None)])
    labels = read_image(save(tmp_path / "l.nii", lesion(), None), "labels")
    path = save_correction(study, labels_on_grid(labels, study.grid)[0], author="ab", source={})
    assert codes(path) == (0, 0)
    np.testing.assert_array_equal(np.asarray(nibabel.load(path).dataobj), lesion())


# Databases -------------------------------------------------------------------------------------------------------


def test_a_database_lays_labels_without_a_position_voxel_for_voxel(tmp_path: Path) -> None:
    folder = tmp_path / "db"
    save(folder / "a" / "FLAIR.nii", head())
    save(folder / "a" / "lesion.nii", lesion(), None)
    mapping = DatabaseMapping({"FLAIR": "FLAIR"}, "lesion")
    [subject] = open_database([str(folder)], mapping)
    study = subject.load()
    assert study.labels is not None
    np.testing.assert_array_equal(in_file_order(study.labels), lesion())
    assert any(NOTE in note for note in study.notes)
    save(folder / "a" / "lesion.nii", lesion(), np.eye(4))
    [subject] = open_database([str(folder)], mapping)
    with pytest.raises(InputError, match="states voxel sizes alone"):
        subject.load()


# Commands --------------------------------------------------------------------------------------------------------


def run(*arguments: object) -> "tuple[int, str]":
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def test_assess_lays_voxel_for_voxel_and_says_so(tmp_path: Path) -> None:
    truth, own = save(tmp_path / "truth.nii", lesion()), save(tmp_path / "own.nii", lesion(), None)
    code, output = run("assess", "--segmentation", own, "--reference", truth, "--json")
    assert code == 0
    assert '"dice": 1.0' in output
    assert NOTE in output
    eye = save(tmp_path / "eye.nii", lesion(), np.eye(4))
    refused = CliRunner().invoke(app, ["assess", "--segmentation", str(eye), "--reference", str(truth)]).exception
    assert isinstance(refused, PositionError)
    assert str(refused).endswith("or ask for voxel for voxel (--voxel-for-voxel)")
    code, output = run("assess", "--segmentation", eye, "--reference", truth, "--voxel-for-voxel", "--json")
    assert code == 0
    assert '"dice": 1.0' in output


def test_results_of_an_image_without_a_position_have_none(tmp_path: Path) -> None:
    image, labels = save(tmp_path / "FLAIR.nii", head(), None), save(tmp_path / "l.nii", lesion(), None)
    out = tmp_path / "out"
    code, output = run(
        "reconstruct",
        image,
        "--mask",
        "random",
        "--method",
        "zero-filled",
        "--reference-labels",
        labels,
        "--output",
        out,
    )
    assert code == 0, output
    for name in ("reconstruction", "error"):
        assert codes(out / f"{name}.nii.gz") == (0, 0)
    code, output = run(
        "assess", "--image", out / "reconstruction.nii.gz", "--image-reference", save(tmp_path / "full.nii", head())
    )
    assert code == 0, output


@pytest.mark.parametrize("order", [(1, 0, 2), (2, 1, 0), (0, 2, 1), (2, 0, 1)])
@pytest.mark.parametrize("shift_mm", [0.0, 0.9])
def test_an_array_turned_under_the_matrix_of_its_image_is_refused(
    tmp_path: Path, order: tuple[int, int, int], shift_mm: float
) -> None:
    image = save(tmp_path / "FLAIR.nii", np.zeros((40, 32, 12), np.float32) + 1)
    affine = AFFINE.copy()
    affine[0, 3] += shift_mm
    turned = save(tmp_path / "mask.nii", np.ones((40, 32, 12), np.uint8).transpose(order), affine)
    with pytest.raises(ShapeError, match=r"^the axes of mask.nii \(.*\) seem permuted: .* put right$"):
        open_study([image], labels=turned)
    study = open_study([image, f"T1={turned}"])
    assert study.modalities == ("FLAIR",)
    assert any("left out: the axes of mask.nii" in note for note in study.notes)


def test_a_matrix_turned_over_the_array_of_its_image_is_refused(tmp_path: Path) -> None:
    image = save(tmp_path / "FLAIR.nii", np.ones((40, 32, 12), np.float32))
    turned = save(tmp_path / "mask.nii", np.ones((40, 32, 12), np.uint8), AFFINE[:, [1, 0, 2, 3]])
    with pytest.raises(PositionError, match="seem permuted"):
        open_study([image], labels=turned)
    assert open_study([image], labels=turned, voxel_for_voxel=True).labels is not None


def test_another_field_of_view_with_the_same_centre_is_not_permuted(tmp_path: Path) -> None:
    affine = AFFINE.copy()
    affine[:2, 3] += 8, -8
    first = Geometry.from_stored((40, 32, 12), AFFINE)
    assert relation(first, Geometry.from_stored((32, 40, 12), affine)) is Relation.ELSEWHERE
    assert relation(first, Geometry.from_stored((32, 40, 12), AFFINE)) is Relation.PERMUTED


@pytest.mark.parametrize("codes_written", [(2, 0), (2, 2)])
def test_the_matrix_that_programs_make_up_is_not_a_position(tmp_path: Path, codes_written: tuple[int, int]) -> None:
    made_up = nibabel.Nifti1Image(head(), np.diag([2.0, 2, 3, 1])).header.get_base_affine()
    written = nibabel.Nifti1Image(head(), made_up)
    written.set_sform(made_up, codes_written[0])
    written.set_qform(made_up, codes_written[1])
    written.to_filename(tmp_path / "FLAIR.nii")
    image = read_image(tmp_path / "FLAIR.nii")
    assert not image.geometry.is_placed
    study = open_study([tmp_path / "FLAIR.nii"], labels=save(tmp_path / "mask.nii", lesion()))
    assert study.labels is not None
    np.testing.assert_array_equal(in_file_order(study.labels), lesion())
    assert any("programs write when they know none" in note for note in study.notes)
    assert any(NOTE in note for note in study.notes)


@pytest.mark.parametrize("off_mm", [0.01, -3.0])
def test_a_position_that_is_nearly_centred_is_a_position(tmp_path: Path, off_mm: float) -> None:
    affine = nibabel.Nifti1Image(head(), np.diag([2.0, 2, 3, 1])).header.get_base_affine()
    affine[1, 3] += off_mm
    assert read_image(save(tmp_path / "FLAIR.nii", head(), affine)).geometry.is_placed


def test_assess_cuts_probabilities_as_every_other_place_does(tmp_path: Path) -> None:
    values = lesion().astype(np.float32)
    values[5:8, 5:7, 3] = 0.2
    guess, truth = save(tmp_path / "guess.nii", values), save(tmp_path / "truth.nii", lesion())
    run = CliRunner().invoke(app, ["assess", "--segmentation", str(guess), "--reference", str(truth), "--json"])
    assert run.exit_code == 0, run.output
    assert '"dice": 1.0' in run.output
    assert "cut at 0.5" in run.output


def test_a_refused_position_says_once_how_to_go_on_and_survives_a_process() -> None:
    error = PositionError("they lie apart", "press a button", "labels.nii")
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == "they lie apart, or press a button"
    assert (copy.reason, copy.remedy, copy.labels) == (error.reason, error.remedy, error.labels)
    assert str(PositionError("they lie apart")) == "they lie apart, or ask for voxel for voxel (--voxel-for-voxel)"


def test_an_image_that_is_left_out_names_no_option_for_labels(tmp_path: Path) -> None:
    save(tmp_path / "FLAIR.nii", head())
    save(tmp_path / "T1.nii", head(), np.eye(4))
    study = open_study([tmp_path / "FLAIR.nii", tmp_path / "T1.nii"])
    assert any("left out" in note for note in study.notes)
    assert not any("--voxel-for-voxel" in note for note in study.notes)
