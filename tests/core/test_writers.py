"""Volumes are written over the file they came from, whole or not at all."""

import os
import stat
from pathlib import Path

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray

from mrviewer.errors import InputError, ShapeError
from mrviewer.files.whole_folder import new_folder
from mrviewer.geometry import Geometry
from mrviewer.readers import read_image
from mrviewer.writers import whole_file, write_volume

GRID = Geometry.axial((3, 4, 5), (2.0, 1.0, 1.5))
ORIENTED = (
    "oddities_nifti/base_ras_int16.nii.gz",
    "oddities_nifti/oblique_affine.nii.gz",
    "oddities_nifti/sheared_affine.nii.gz",
    "oddities_nifti/time_4d_6frames.nii.gz",
    *(f"oddities_nifti/same_head_stored_{codes}.nii.gz" for codes in ("LAS", "LPI", "PIR", "SAL", "IPR")),
    "spinalcord_sct/t2/t2.nii.gz",
)


def ramp(dtype: type = np.float32) -> NDArray[np.generic]:
    return np.arange(60).reshape(GRID.shape).astype(dtype)


@pytest.mark.parametrize("name", ORIENTED)
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_a_written_volume_lies_over_its_source(shared_data: Path, tmp_path: Path, name: str, ending: str) -> None:
    source = nibabel.load(shared_data / name)
    image = read_image(shared_data / name)
    path = write_volume(tmp_path / f"a{ending}", np.asarray(image.data), image.geometry, description="copy")
    written = nibabel.load(path)
    assert written.shape == source.shape
    assert written.get_data_dtype() == source.get_data_dtype()
    np.testing.assert_array_equal(np.asarray(written.dataobj), np.asarray(source.dataobj))
    np.testing.assert_array_equal(written.affine, source.affine)
    again = read_image(path)
    np.testing.assert_array_equal(np.asarray(again.data), np.asarray(image.data))
    assert again.geometry.matches(image.geometry)


def test_both_position_records_agree_and_say_millimetres(shared_data: Path, tmp_path: Path) -> None:
    image = read_image(shared_data / "oddities_nifti" / "oblique_affine.nii.gz")
    header = nibabel.load(write_volume(tmp_path / "a.nii", image.volume(), image.geometry, description="ab")).header
    qform, qform_code = header.get_qform(coded=True)
    sform, sform_code = header.get_sform(coded=True)
    assert (int(qform_code), int(sform_code)) == (2, 2)
    np.testing.assert_allclose(qform, sform, atol=1e-4)
    np.testing.assert_allclose(sform, image.geometry.stored_affine, atol=1e-4)
    assert header.get_xyzt_units() == ("mm", "sec")
    assert bytes(header["descrip"]).rstrip(b"\0") == b"ab"


def test_what_is_not_placed_is_written_without_a_place(shared_data: Path, tmp_path: Path) -> None:
    image = read_image(shared_data / "oddities_nifti" / "no_qform_no_sform.nii.gz")
    for number, geometry in enumerate(
        (image.geometry, Geometry.axial(image.geometry.shape, (2, 3, 4), is_placed=False))
    ):
        path = write_volume(tmp_path / f"{number}.nii", image.volume(), geometry)
        header = nibabel.load(path).header
        assert (int(header["qform_code"]), int(header["sform_code"])) == (0, 0)
        assert not any(float(header[name]) for name in ("quatern_b", "quatern_c", "quatern_d", "qoffset_x"))
        assert not np.any([header[f"srow_{axis}"] for axis in "xyz"])
        np.testing.assert_allclose(header.get_zooms(), nibabel.affines.voxel_sizes(geometry.stored_affine))
        again = read_image(path)
        assert not again.geometry.is_placed
        np.testing.assert_array_equal(
            again.geometry.to_stored_order(again.volume()), geometry.to_stored_order(image.volume())
        )


def test_a_sheared_grid_is_written_as_sform_alone(shared_data: Path, tmp_path: Path) -> None:
    image = read_image(shared_data / "oddities_nifti" / "sheared_affine.nii.gz")
    header = nibabel.load(write_volume(tmp_path / "a.nii", image.volume(), image.geometry)).header
    assert (int(header["qform_code"]), int(header["sform_code"])) == (0, 2)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (np.bool_, np.uint8),
        (np.uint8, np.uint8),
        (np.int16, np.int16),
        (np.int64, np.int64),
        (np.float32, np.float32),
        (np.float64, np.float32),
        (np.float16, np.float32),
    ],
)
def test_types_are_kept_or_made_float32(tmp_path: Path, given: type, stored: type) -> None:
    written = nibabel.load(write_volume(tmp_path / "a.nii.gz", ramp(given), GRID))
    assert written.get_data_dtype() == stored
    np.testing.assert_array_equal(np.sort(np.asarray(written.dataobj).ravel()), np.sort(ramp(given).ravel()))


def test_the_same_volume_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = (write_volume(tmp_path / name, ramp(), GRID) for name in ("a.nii.gz", "b.nii.gz"))
    assert first.read_bytes() == second.read_bytes()


def test_a_long_description_is_cut(tmp_path: Path) -> None:
    header = nibabel.load(write_volume(tmp_path / "a.nii", ramp(), GRID, description="é" + "x" * 200)).header
    assert bytes(header["descrip"]).rstrip(b"\0") == b"?" + b"x" * 78


def test_what_cannot_be_written_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^a\.mgz does not end in \.nii or \.nii\.gz; give it such a name"):
        write_volume(tmp_path / "a.mgz", ramp(), GRID)
    with pytest.raises(InputError, match="values of type complex64 cannot be written; give real values"):
        write_volume(tmp_path / "a.nii", ramp(np.complex64), GRID)
    with pytest.raises(ShapeError, match=r"the volume has 2 axes; give \(z, y, x\)"):
        write_volume(tmp_path / "a.nii", ramp()[0], GRID)
    with pytest.raises(ShapeError, match=r"the volume is \(2, 4, 5\) but its geometry is \(3, 4, 5\)"):
        write_volume(tmp_path / "a.nii", ramp()[:2], GRID)
    with pytest.raises(InputError, match=r"folder gone does not exist, so a\.nii cannot be written; make it first"):
        write_volume(tmp_path / "gone" / "a.nii", ramp(), GRID)
    assert list(tmp_path.iterdir()) == []


def test_a_whole_file_appears_at_the_end_only(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with whole_file(path) as temporary:
        temporary.write_text("new")
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".txt"
        assert not path.exists()
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_after_an_error_the_old_file_stays_and_nothing_else(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail() -> None:
        with whole_file(path) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_block_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), whole_file(tmp_path / "a.txt"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with (
        pytest.raises(InputError, match="a is a folder and a file was to be written there"),
        whole_file(tmp_path / "a"),
    ):
        pass


def test_a_whole_file_has_the_rights_of_any_new_file(tmp_path: Path) -> None:
    mask = os.umask(0o022)
    try:
        path = write_volume(tmp_path / "a.nii", ramp(), GRID)
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_new_folder_touches_nothing_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "a.txt").write_text("old")
    with new_folder(tmp_path, "results") as made:
        (made.partial / "a.txt").write_text("new")
        assert not made.path.exists()
    assert made.path == tmp_path.resolve() / "results-2"
    assert (tmp_path / "results" / "a.txt").read_text() == "old"
    assert (tmp_path / "results-2" / "a.txt").read_text() == "new"


def test_a_new_folder_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), new_folder(tmp_path, "results") as made:
        (made.partial / "there is no such folder" / "a.txt").write_text("new")
    assert list(tmp_path.iterdir()) == []
    for name in ("", "..", "a/b"):
        with pytest.raises(InputError, match="not a valid name of a folder"), new_folder(tmp_path, name):
            pass
