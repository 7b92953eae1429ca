"""Images and labels of one visit: one run, one space."""

from pathlib import Path

import pytest
from database_files import touch

from mrviewer.names.pairing import Pairing, pair_files
from mrviewer.readers.subject_folder import find_subject_files


def told(images: list[str], labels: list[str]) -> tuple[list[str], list[str], list[str]]:
    """What is kept and what is left out, without the subject."""
    paired: Pairing = pair_files(
        [Path(f"sub-1_{name}.nii") for name in images], [Path(f"sub-1_{n}.nii") for n in labels]
    )
    kept = ([path.stem.removeprefix("sub-1_") for path in files] for files in (paired.images, paired.labels))
    left_out = [other.path.stem.removeprefix("sub-1_") for other in paired.left_out]
    return next(kept), next(kept), left_out


@pytest.mark.parametrize(
    ("images", "labels", "expected"),
    [
        (["run-1_FLAIR", "run-2_FLAIR"], ["run-2_mask"], (["run-2_FLAIR"], ["run-2_mask"], ["run-1_FLAIR"])),
        (
            ["run-01_FLAIR", "run-02_FLAIR"],
            ["run-1_mask", "run-2_mask"],
            (["run-01_FLAIR"], ["run-1_mask"], ["run-02_FLAIR", "run-2_mask"]),
        ),
        (["run-1_FLAIR", "run-2_FLAIR"], ["mask"], (["run-1_FLAIR"], [], ["run-2_FLAIR", "mask"])),
        (["run-1_FLAIR"], ["mask"], (["run-1_FLAIR"], ["mask"], [])),
        (["run-1_FLAIR"], ["run-3_mask"], (["run-1_FLAIR"], [], ["run-3_mask"])),
        (["FLAIR"], ["run-2_mask"], (["FLAIR"], [], ["run-2_mask"])),
        (["FLAIR"], ["run-1_mask", "run-2_mask"], (["FLAIR"], ["run-1_mask"], ["run-2_mask"])),
        (["T1w", "FLAIR"], ["run-02_mask", "mask"], (["T1w", "FLAIR"], ["mask"], ["run-02_mask"])),
        (["FLAIR"], ["space-orig_mask", "space-MNI_mask"], (["FLAIR"], ["space-orig_mask"], ["space-MNI_mask"])),
        (["FLAIR"], ["space-MNI_mask"], (["FLAIR"], [], ["space-MNI_mask"])),
        (["FLAIR", "space-MNI_FLAIR"], ["space-MNI_mask"], (["space-MNI_FLAIR"], ["space-MNI_mask"], ["FLAIR"])),
        (["T1w", "space-T1w_FLAIR"], ["space-T1w_mask"], (["T1w", "space-T1w_FLAIR"], ["space-T1w_mask"], [])),
        (["part-mag_T1w", "part-phase_T1w"], [], (["part-mag_T1w"], [], ["part-phase_T1w"])),
        (["run-1_T1w", "run-1_FLAIR", "run-2_FLAIR"], [], (["run-1_T1w", "run-1_FLAIR"], [], ["run-2_FLAIR"])),
        (["T1", "T2"], ["T1_mask", "T2_mask"], (["T1", "T2"], ["T1_mask", "T2_mask"], [])),
    ],
)
def test_images_and_labels_are_of_one_run_and_one_space(
    images: list[str], labels: list[str], expected: tuple[list[str], list[str], list[str]]
) -> None:
    assert told(images, labels) == expected


def test_a_folder_opens_with_the_labels_of_its_run_and_names_the_rest(tmp_path: Path) -> None:
    stem = "sub-1_ses-T1"
    for name in ("run-1_FLAIR", "run-2_FLAIR", "T1w", "run-2_label-lesion_mask", "space-MNI_label-lesion_mask"):
        touch(tmp_path / f"{stem}_{name}.nii.gz")
    found = find_subject_files(tmp_path)
    assert [(path.name, modality) for path, modality in found.images] == [
        (f"{stem}_run-2_FLAIR.nii.gz", "FLAIR"),
        (f"{stem}_T1w.nii.gz", "T1"),
    ]
    assert found.labels is not None
    assert found.labels.name == f"{stem}_run-2_label-lesion_mask.nii.gz"
    assert any("run-1_FLAIR" in note for note in found.notes)
    assert any("space-MNI" in note for note in found.notes)


def test_a_visit_called_t1_is_not_a_contrast(tmp_path: Path) -> None:
    touch(*(tmp_path / f"T1_{name}.nii.gz" for name in ("FLAIR", "T1", "T2", "lesion")))
    found = find_subject_files(tmp_path)
    assert [modality for _, modality in found.images] == ["FLAIR", "T1", "T2"]
    assert found.labels == tmp_path / "T1_lesion.nii.gz"


def test_a_folder_of_two_visits_opens_the_one_with_labels(tmp_path: Path) -> None:
    touch(*(tmp_path / f"study{visit}_{name}.nii.gz" for visit in (1, 2) for name in ("FLAIR", "T1")))
    touch(tmp_path / "study2_lesion_mask.nii.gz")
    found = find_subject_files(tmp_path)
    assert [path.name for path, _ in found.images] == ["study2_FLAIR.nii.gz", "study2_T1.nii.gz"]
    assert found.labels == tmp_path / "study2_lesion_mask.nii.gz"
    assert any("study1_FLAIR.nii.gz" in note and "another visit" in note for note in found.notes)


def test_labels_of_a_visit_without_images_are_left_out(tmp_path: Path) -> None:
    touch(*(tmp_path / f"v{visit}_FLAIR.nii.gz" for visit in (1, 2)), tmp_path / "v3_mask.nii.gz")
    found = find_subject_files(tmp_path)
    assert len(found.images) == 2
    assert found.labels is None
    assert any("v3_mask" in note for note in found.notes)


def test_labels_of_no_visit_may_be_of_both(tmp_path: Path) -> None:
    touch(*(tmp_path / f"study{visit}_FLAIR.nii.gz" for visit in (1, 2)), tmp_path / "gt_lesion_change.nii.gz")
    found = find_subject_files(tmp_path)
    assert (len(found.images), found.labels) == (2, tmp_path / "gt_lesion_change.nii.gz")


@pytest.mark.parametrize(
    ("others", "own", "mask"),
    [
        ("anna_FLAIR", "bert_FLAIR", "bert_mask"),
        ("FLAIR_nachher", "FLAIR_vorher", "mask_vorher"),
        ("FLAIR_1", "FLAIR_2", "mask_2"),
        ("FLAIR", "FLAIR_MNI", "mask_MNI"),
        ("sub-01_acq-ax_FLAIR", "sub-01_acq-sag_FLAIR", "sub-01_acq-sag_label-lesion_mask"),
    ],
)
def test_the_image_that_the_labels_name_is_opened(tmp_path: Path, others: str, own: str, mask: str) -> None:
    touch(*(tmp_path / f"{name}.nii" for name in (others, own, mask, "T1")))
    files = find_subject_files(tmp_path)
    assert [path.name for path, _ in files.images] == [f"{own}.nii", "T1.nii"]
    assert files.labels == tmp_path / f"{mask}.nii"
    assert any(f"{others}.nii" in note for note in files.notes)


def test_anatomy_and_the_mask_of_a_brain_are_never_the_reference(tmp_path: Path) -> None:
    healthy = ("aseg", "T1_brain_mask", "T1_fast_seg", "T1_pve_0", "icv_mask", "hirnmaske", "mask_bet")
    touch(*(tmp_path / f"{name}.nii.gz" for name in ("T1", "FLAIR", *healthy)))
    found = find_subject_files(tmp_path)
    assert [path.name for path, _ in found.images] == ["FLAIR.nii.gz", "T1.nii.gz"]
    assert found.labels is None
    assert any("its anatomy" in note and "and 4 more" in note for note in found.notes)


def test_what_somebody_drew_goes_before_what_a_program_found(tmp_path: Path) -> None:
    touch(*(tmp_path / f"{name}.nii.gz" for name in ("FLAIR", "FLAIR_pred", "ples_lga_0.1_rmFLAIR")))
    found = find_subject_files(tmp_path)
    assert [path.name for path, _ in found.images] == ["FLAIR.nii.gz"]
    assert found.labels is not None
    assert any("made by a program" in note for note in found.notes)
    touch(tmp_path / "FLAIR_lesion.nii.gz")
    found = find_subject_files(tmp_path)
    assert found.labels == tmp_path / "FLAIR_lesion.nii.gz"
    assert not any("made by a program" in note for note in found.notes)


def test_one_version_of_the_images_opens_with_the_labels_above_them(tmp_path: Path) -> None:
    touch(*(tmp_path / kind / f"{name}.nii.gz" for kind in ("orig", "pre") for name in ("FLAIR", "T1")))
    touch(tmp_path / "wmh.nii.gz")
    found = find_subject_files(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path, _ in found.images] == ["pre/FLAIR.nii.gz", "pre/T1.nii.gz"]
    assert found.labels == tmp_path / "wmh.nii.gz"
    assert any("another version of the images: those in pre are used" in note for note in found.notes)
