"""From paths and folders to a study on one grid."""

from pathlib import Path

import nibabel
import numpy as np
import pytest

from mrviewer.errors import FileFormatError, InputError, ShapeError
from mrviewer.readers import open_study, read_image
from mrviewer.writers import write_volume

SHAPE = (6, 7, 8)


def save(path: Path, value: int = 0, shape: tuple[int, int, int] = SHAPE, shift_mm: float = 0) -> Path:
    """Write a small ramp, or a volume with one corner labelled `value`."""
    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    affine[0, 3] = shift_mm
    values = np.zeros(shape, np.int16) if value else np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
    if value:
        values[1:3, 1:3, 1:3] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(values, affine), path)
    return path


@pytest.fixture
def patient(tmp_path: Path) -> Path:
    """A folder with four contrasts and labels."""
    folder = tmp_path / "patient"
    for name in ("T2", "T1_post", "T1", "FLAIR"):
        save(folder / f"{name}.nii.gz")
    save(folder / "gold_standard.nii.gz", value=1)
    return folder


def test_a_real_patient_opens_from_the_folder(shared_data: Path) -> None:
    study = open_study([shared_data / "ms_lesjak_mni" / "patient07"])
    assert study.name == "patient07"
    assert study.modalities == ("FLAIR", "T1", "T1Gd", "T2")
    assert study.labels is not None
    assert np.count_nonzero(study.labels.volume()) == 1300
    assert study.labels.geometry.voxel_volume_ml * 1300 == pytest.approx(1.30)
    assert study.notes == ()
    flair, lesion = study.images["FLAIR"].volume(), study.labels.volume() > 0
    # The attribution of the data gives 118.9 for the lesions, against 86.9 in a ring around them.
    assert flair[lesion].mean() == pytest.approx(118.9, abs=0.1)


def test_real_labels_on_a_third_grid_are_resampled(shared_data: Path) -> None:
    folder = shared_data / "ms_lesjak_longitudinal" / "patient01"
    study = open_study([folder / "study2_FLAIR.nii.gz"], labels=folder / "gt_lesion_change.nii.gz")
    assert study.labels is not None
    assert study.labels.geometry.matches(study.geometry())
    before_ml = np.count_nonzero(read_image(folder / "gt_lesion_change.nii.gz").volume()) * 0.71875**2 * 3.000005e-3
    after_ml = np.count_nonzero(study.labels.volume()) * study.geometry().voxel_volume_ml
    assert after_ml == pytest.approx(before_ml, rel=0.1)
    assert any("another grid" in note for note in study.notes)


def test_a_folder_is_sorted_by_its_names(patient: Path) -> None:
    (patient / "notes.txt").write_text("no image")
    (patient / "._FLAIR.nii.gz").write_bytes(b"left by another system")
    study = open_study([patient])
    assert study.name == "patient"
    assert study.modalities == ("FLAIR", "T1", "T1Gd", "T2")
    assert [image.modality for image in study.images.values()] == list(study.modalities)
    assert study.labels is not None
    assert study.labels.path == patient / "gold_standard.nii.gz"
    assert study.notes == ()


@pytest.mark.parametrize("name", ["A_FLAIR.nii.gz", "FLAIR_union.nii.gz", "lesion_FLAIR.nii.gz", "FLAIR.union.nii"])
def test_a_label_map_that_is_named_like_an_image_does_not_take_its_place(patient: Path, name: str) -> None:
    save(patient / name, value=1)
    study = open_study([patient])
    assert study.modalities == ("FLAIR", "T1", "T1Gd", "T2")
    assert study.images["FLAIR"].path == patient / "FLAIR.nii.gz"
    assert study.labels is not None
    assert study.labels.path == patient / "gold_standard.nii.gz"
    assert [note for note in study.notes if name in note and "the values 0, 1 alone" in note]
    assert open_study([f"FLAIR={patient / name}"]).modalities == ("FLAIR",)


def test_a_map_of_bytes_that_alone_is_named_like_a_modality_is_no_image(tmp_path: Path) -> None:
    save(tmp_path / "T1.nii.gz")
    labels = np.zeros(SHAPE, np.uint8)
    labels[1:3, 1:3, 1:3] = 1
    nibabel.save(nibabel.Nifti1Image(labels, np.diag([1.0, 1.0, 2.0, 1.0])), tmp_path / "FLAIR_out.nii.gz")
    assert open_study([tmp_path]).modalities == ("T1",)
    (tmp_path / "T1.nii.gz").unlink()
    with pytest.raises(InputError, match=r"FLAIR_out\.nii\.gz holds the values 0, 1 alone, as labels do; give it as"):
        open_study([tmp_path])


def test_paths_may_be_named_or_guessed(patient: Path) -> None:
    study = open_study(
        [f"t1ce={patient / 'T1.nii.gz'}", str(patient / "FLAIR.nii.gz"), f"labels={patient / 'gold_standard.nii.gz'}"],
        name="case",
    )
    assert study.name == "case"
    assert study.modalities == ("T1Gd", "FLAIR")
    assert study.labels is not None


def test_a_file_that_is_named_like_labels_is_the_labels(patient: Path) -> None:
    study = open_study([patient / "T2.nii.gz", patient / "gold_standard.nii.gz"])
    assert study.modalities == ("T2",)
    assert study.labels is not None
    assert open_study(patient / "gold_standard.nii.gz").modalities == ("unknown",)


def test_an_equals_sign_in_an_existing_name_is_no_modality(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "b=50.nii.gz")
    monkeypatch.chdir(tmp_path)
    assert open_study(["b=50.nii.gz"]).name == "b=50"


def test_one_image_of_unknown_modality_opens(tmp_path: Path) -> None:
    save(tmp_path / "scan" / "head.nii.gz")
    assert open_study([tmp_path / "scan"]).modalities == ("unknown",)
    assert open_study([tmp_path / "scan" / "head.nii.gz"]).name == "head"


def test_two_images_of_one_modality_are_numbered(tmp_path: Path) -> None:
    study = open_study([save(tmp_path / "a_T1.nii"), save(tmp_path / "b_T1.nii"), save(tmp_path / "c_T1.nii")])
    assert study.modalities == ("T1", "T1_2", "T1_3")
    assert [image.modality for image in study.images.values()] == ["T1", "T1_2", "T1_3"]
    assert study.notes[0] == "two images are T1: b_T1.nii is called T1_2 here"


def test_an_image_on_another_grid_is_left_out_and_said(patient: Path) -> None:
    save(patient / "PD.nii.gz", shape=(5, 7, 8))
    study = open_study([patient])
    assert "PD" not in study.modalities
    (note,) = study.notes
    assert note.startswith("left out: PD (8 x 7 x 5 voxels of 2.00 x 1.00 x 1.00 mm) lies on another grid than FLAIR")


def test_names_that_tell_nothing_are_left_out_and_said(patient: Path) -> None:
    save(patient / "anything.nii.gz")
    assert open_study([patient]).notes == (
        "left out: anything.nii.gz, whose names tell no modality: open them as NAME=path",
    )


def test_folders_tell_labels_where_no_name_does(tmp_path: Path) -> None:
    folder = tmp_path / "patient"
    save(folder / "brain" / "fla.nii.gz")
    save(folder / "segmentation_by_algorithm" / "best.nii.gz", value=1)
    save(folder / "segmentation_fused" / "simple.nii.gz", value=4)
    save(folder / "extra" / "other.nii.gz")
    study = open_study([folder])
    assert study.modalities == ("FLAIR",)
    assert study.labels is not None
    assert study.labels.volume().max() == 4
    assert study.notes == (
        "left out: other.nii.gz, whose names tell no modality: open them as NAME=path",
        "left out: best.nii.gz, which may hold labels too: simple.nii.gz is taken as the reference",
    )
    # A file that says so by itself is surer than any folder.
    save(folder / "brain" / "gold_standard.nii.gz", value=1)
    labels = open_study([folder]).labels
    assert labels is not None
    assert labels.volume().max() == 1


def test_the_surest_labels_are_taken_and_the_others_said(patient: Path) -> None:
    save(patient / "mask.nii.gz", value=3)
    study = open_study([patient])
    assert study.labels is not None
    assert study.labels.volume().max() == 1
    assert "mask.nii.gz" in study.notes[0]
    given = open_study([patient], labels=patient / "mask.nii.gz")
    assert given.labels is not None
    assert given.labels.volume().max() == 3
    assert "left out: gold_standard.nii.gz, mask.nii.gz holds the labels" in given.notes


def test_a_damaged_file_fails_a_study_only_if_it_was_asked_for(patient: Path) -> None:
    (patient / "T2.nii.gz").write_bytes(b"")
    (patient / "gold_standard.nii.gz").write_bytes(b"")
    study = open_study([patient])
    assert study.modalities == ("FLAIR", "T1", "T1Gd")
    assert study.labels is None
    assert study.notes[0].startswith("left out: T2.nii.gz is an empty file")
    assert study.notes[1].startswith("labels left out: gold_standard.nii.gz is an empty file")
    with pytest.raises(FileFormatError, match=r"^T2\.nii\.gz is an empty file"):
        open_study([patient / "FLAIR.nii.gz", patient / "T2.nii.gz"])
    with pytest.raises(FileFormatError, match=r"^gold_standard\.nii\.gz is an empty file"):
        open_study([patient / "FLAIR.nii.gz"], labels=patient / "gold_standard.nii.gz")


def test_a_folder_in_which_nothing_opens_says_why(tmp_path: Path) -> None:
    (tmp_path / "T2.nii.gz").write_bytes(b"")
    with pytest.raises(FileFormatError, match="empty file"):
        open_study([tmp_path])


def test_one_subject_in_subfolders_opens_and_a_database_does_not(tmp_path: Path) -> None:
    save(tmp_path / "sub-01" / "ses-1" / "anat" / "sub-01_T1w.nii.gz")
    save(tmp_path / "sub-01" / "ses-1" / "anat" / "sub-01_FLAIR.nii.gz")
    assert open_study([tmp_path]).modalities == ("FLAIR", "T1")
    save(tmp_path / "sub-02" / "ses-1" / "anat" / "sub-02_FLAIR.nii.gz")
    with pytest.raises(InputError, match="holds 3 images, of several subjects or visits as it seems; give the folder"):
        open_study([tmp_path])


def test_a_note_that_all_images_share_is_said_once(shared_data: Path) -> None:
    study = open_study([shared_data / "glioma_pgbm006_ge" / "derived"])
    assert study.modalities == ("FLAIR", "T1Gd", "T2")
    assert sum("oblique in the scanner, by 7.6 degrees" in note for note in study.notes) == 1


def test_what_cannot_be_a_study_is_refused(tmp_path: Path, patient: Path) -> None:
    flair, labels = patient / "FLAIR.nii.gz", patient / "gold_standard.nii.gz"
    (tmp_path / "empty").mkdir()
    save(tmp_path / "many" / "a.nii")
    save(tmp_path / "many" / "b.nii")
    save(tmp_path / "masks" / "mask.nii")
    with pytest.raises(InputError, match="no path was given; give an image"):
        open_study([])
    with pytest.raises(InputError, match=r"there is no file gone\.nii; check the path"):
        open_study([tmp_path / "gone.nii"])
    with pytest.raises(InputError, match="FLAIR was given 2 times; give each modality one file"):
        open_study([f"FLAIR={flair}", f"flair={flair}"])
    with pytest.raises(InputError, match="labels were given but no image; give an image too"):
        open_study([f"labels={labels}"])
    with pytest.raises(InputError, match="folder empty holds no file that opens here"):
        open_study([tmp_path / "empty"])
    with pytest.raises(InputError, match="folder many holds 2 images and no name tells its modality"):
        open_study([tmp_path / "many"])
    with pytest.raises(InputError, match="folder masks holds labels but no image"):
        open_study([tmp_path / "masks"])
    near, far = save(tmp_path / "near.nii", shift_mm=1), save(tmp_path / "far_mask.nii", value=1, shift_mm=500)
    with pytest.raises(ShapeError, match="lie nowhere together"):
        open_study([near], labels=far)


def test_a_written_reconstruction_opens_with_its_study(tmp_path: Path, patient: Path) -> None:
    study = open_study([patient])
    path = write_volume(tmp_path / "T2.nii.gz", study.images["FLAIR"].volume(), study.geometry())
    both = open_study([patient / "FLAIR.nii.gz", path])
    assert both.modalities == ("FLAIR", "T2")
    np.testing.assert_array_equal(both.images["T2"].volume(), both.images["FLAIR"].volume())
