"""What a survey of a database tells, and what it finds odd."""

import gzip
import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from database_files import SHAPE, save_array, save_image, save_labels, touch
from typer.testing import CliRunner

from mrviewer.cli import app, main
from mrviewer.database import Survey, open_database, propose_mapping, survey_database
from mrviewer.errors import InputError
from mrviewer.method import Needs
from mrviewer.progress import finish
from mrviewer.readers import open_study
from mrviewer.writers.corrections import save_correction


def survey(path: Path | str) -> Survey:
    return finish(survey_database(path))


def odd(found: Survey, kind: str) -> list[str]:
    """Names of the subjects with an oddity of a kind, empty text for the whole database."""
    return [each.subject for each in found.oddities if each.kind == kind]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three patients with FLAIR, T1 and lesions, nothing odd but noise."""
    root = tmp_path / "clinic"
    for seed, name in enumerate(("a", "b", "c")):
        save_image(root / name / "FLAIR.nii.gz", seed)
        save_image(root / name / "T1.nii.gz", seed + 10)
        save_labels(root / name / "lesion_mask.nii.gz")
    return root


def test_a_survey_lists_what_is_there(folder: Path) -> None:
    found = survey(folder)
    assert (found.name, found.layout) == ("clinic", "folders")
    assert [each.name for each in found.subjects] == ["a", "b", "c"]
    assert (found.channels, found.labels) == (("FLAIR", "T1"), ("lesion_mask",))
    assert found.label_values == {1: ""}
    assert found.subjects[0].shape == (10, 14, 12)
    assert found.subjects[0].voxel_mm == pytest.approx((2, 2, 2))
    assert found.oddities == ()
    assert "all 3 subjects" in found.sampled


def test_a_survey_as_json_says_no_place_on_this_machine(folder: Path) -> None:
    text = json.dumps(survey(folder).to_json(), allow_nan=False)
    assert str(folder.parent) not in text
    assert "a/FLAIR.nii.gz" in text


def test_the_fingerprint_is_that_of_the_content(folder: Path, tmp_path: Path) -> None:
    before = survey(folder).fingerprint
    copied = tmp_path / "elsewhere" / "clinic"
    shutil.copytree(folder, copied)
    assert survey(copied).fingerprint == before
    save_image(copied / "b" / "T1.nii.gz", 99)
    assert survey(copied).fingerprint != before


def test_damaged_files_are_named_skipped_and_counted(folder: Path) -> None:
    whole = (folder / "a" / "FLAIR.nii.gz").read_bytes()
    touch(folder / "d" / "FLAIR.nii.gz")
    (folder / "e").mkdir()
    (folder / "e" / "FLAIR.nii.gz").write_bytes(whole[: len(whole) // 2])
    (folder / "b" / "T1.nii.gz").write_bytes(b"<html>not found</html>")
    found = survey(folder)
    assert [each.name for each in found.subjects] == ["a", "b", "c"]
    assert found.skipped == ("d", "e")
    assert odd(found, "broken-subject") == ["d", "e"]
    assert odd(found, "broken-file") == ["b", "d", "e"]
    assert list(found.subjects[1].channels) == ["FLAIR"]
    assert all("\n" not in each.message for each in found.oddities)


def test_a_database_in_which_nothing_opens_is_refused(tmp_path: Path) -> None:
    touch(tmp_path / "x" / "a" / "FLAIR.nii.gz")
    with pytest.raises(InputError, match=r"nothing in the database 'x' opens; the first reason is: .*empty file"):
        survey(tmp_path / "x")


def test_a_folder_that_vanishes_in_the_middle_is_one_sentence(folder: Path) -> None:
    job = survey_database(folder)
    next(job)
    shutil.rmtree(folder)
    with pytest.raises(InputError, match="the database 'clinic' is gone"):
        finish(job)


def test_missing_labels_and_channels_are_told(folder: Path) -> None:
    (folder / "b" / "lesion_mask.nii.gz").unlink()
    (folder / "c" / "T1.nii.gz").unlink()
    found = survey(folder)
    assert odd(found, "missing-label") == ["b"]
    [message] = [each.message for each in found.oddities if each.kind == "missing-modality"]
    assert message == "1 of 3 subjects have no T1: c"


def test_other_grids_are_told(folder: Path) -> None:
    save_image(folder / "a" / "T1.nii.gz", 5, shape=(20, 20, 4))
    save_labels(folder / "b" / "lesion_mask.nii.gz", shape=(12, 14, 5))
    found = survey(folder)
    assert odd(found, "image-grid") == ["a"]
    assert odd(found, "label-grid") == ["b"]


@pytest.mark.parametrize(
    ("shape", "mm", "is_odd"),
    [
        ((64, 64, 12), 1.0, True),
        ((64, 64, 12), 1.2, False),
        ((40, 52, 36), 1.0, False),
        ((64, 64, 64), 20.0, True),
        ((64, 64, 12), 0.1, True),
    ],
)
def test_voxel_sizes_that_cannot_be_true_are_told(
    tmp_path: Path, shape: tuple[int, ...], mm: float, is_odd: bool
) -> None:
    save_image(tmp_path / "db" / "a" / "T1.nii.gz", shape=shape, mm=mm)
    assert odd(survey(tmp_path / "db"), "voxel-size") == (["a"] if is_odd else [])


def test_a_wide_range_of_brightness_is_told_with_its_size(folder: Path) -> None:
    save_image(folder / "c" / "T1.nii.gz", 3, scale=200_000)
    [message] = [each.message for each in survey(folder).oddities if each.kind == "intensity-range"]
    assert "the brightness of T1 differs 1," in message
    assert "(c)" in message


def test_copies_are_told_and_excluded(folder: Path) -> None:
    flair = folder / "a" / "FLAIR.nii.gz"
    (folder / "d").mkdir()
    # Compressed anew: other bytes on the disk, the same image.
    (folder / "d" / "FLAIR.nii.gz").write_bytes(gzip.compress(gzip.decompress(flair.read_bytes()), 1, mtime=3))
    found = survey(folder)
    assert odd(found, "duplicate") == ["d"]
    assert propose_mapping(found).excluded == ("d",)
    kept = open_database([str(folder)], propose_mapping(found))
    assert [each.name for each in kept] == ["a", "b", "c"]


def test_the_same_pixels_under_another_header_are_copies(folder: Path) -> None:
    image = open_study(folder / "a" / "T1.nii.gz").images["T1"]
    save_array(folder / "c" / "T1.nii.gz", image.geometry.to_stored_order(image.volume()), mm=2.5)
    assert odd(survey(folder), "duplicate") == ["c"]


def test_series_empty_images_and_empty_labels_are_told(folder: Path) -> None:
    save_image(folder / "a" / "T1.nii.gz", shape=(*SHAPE, 6))
    save_array(folder / "b" / "T1.nii.gz", np.zeros(SHAPE, np.float32))
    save_labels(folder / "c" / "lesion_mask.nii.gz", ())
    found = survey(folder)
    assert (odd(found, "series"), odd(found, "empty-image"), odd(found, "empty-label")) == (["a"], ["b"], ["c"])


def test_label_values_that_are_not_described_are_told(tmp_path: Path) -> None:
    save_image(tmp_path / "imagesTr" / "x_1.nii.gz", 1)
    save_labels(tmp_path / "labelsTr" / "x_1.nii.gz", (1, 4))
    told = {
        "modality": {"0": "T2"},
        "labels": {"0": "background", "1": "edema"},
        "training": [{"image": "imagesTr/x_1.nii.gz", "label": "labelsTr/x_1.nii.gz"}],
    }
    (tmp_path / "dataset.json").write_text(json.dumps(told))
    found = survey(tmp_path)
    assert found.label_values == {1: "edema", 4: ""}
    assert odd(found, "label-value") == [""]
    assert odd(found, "one-patient") == [""]


def test_an_image_that_is_labels_under_another_name_is_told(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_image(tmp_path / name / "FLAIR.nii.gz", ord(name))
        save_labels(tmp_path / name / "something.nii.gz")
    save_labels(tmp_path / "a" / "T1_union.nii.gz")
    assert odd(survey(tmp_path), "looks-like-labels") == ["a", "a", "b"]


def test_corrections_are_a_label_source(folder: Path) -> None:
    study = open_study([folder / "b"])
    corrected = np.zeros(study.geometry().shape, np.uint8)
    corrected[4, 4, 4] = 1
    saved = save_correction(study, corrected, author="someone", source={"method": "multiunet"})
    found = survey(folder)
    assert set(found.labels) == {"lesion_mask", "corrections", "corrections+lesion_mask"}
    assert {each.name: each.labels.get("corrections") for each in found.subjects} == {"a": None, "b": saved, "c": None}
    proposed = propose_mapping(found)
    assert proposed.label == "corrections+lesion_mask"
    voxels = {each.name: int(each.load().labels.volume().sum()) for each in open_database([str(folder)], proposed)}  # type: ignore[union-attr]
    assert voxels == {"a": 3, "b": 1, "c": 3}


def test_many_subjects_are_sampled_and_it_says_so(tmp_path: Path) -> None:
    original = save_image(tmp_path / "db" / "s000" / "T1.nii", shape=(8, 8, 8))
    for number in range(1, 90):
        path = tmp_path / "db" / f"s{number:03}" / "T1.nii"
        path.parent.mkdir()
        shutil.copy(original, path)
    found = survey(tmp_path / "db")
    assert "all 90 subjects" in found.sampled
    assert "of 64" in found.sampled
    assert len(odd(found, "duplicate")) == 89


def test_unknown_images_are_taken_for_what_the_method_knows(tmp_path: Path) -> None:
    for number in range(2):
        save_image(tmp_path / "images" / f"x_{number}.nii.gz", number)
        save_labels(tmp_path / "labels" / f"x_{number}.nii.gz")
    found = survey(tmp_path)
    assert odd(found, "unknown-modality") == [""]
    assert propose_mapping(found).modalities == {"image": "image"}
    assert propose_mapping(found, Needs(modalities=("FLAIR", "T1"))).modalities == {"image": "T1"}
    assert propose_mapping(found, Needs(modalities=("FLAIR",))).modalities == {"image": "FLAIR"}


def test_the_commoner_of_two_channels_of_one_modality_is_proposed(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_image(tmp_path / name / "t1.nii.gz", ord(name))
    save_image(tmp_path / "a" / "t1_brain.nii.gz", 5)
    save_image(tmp_path / "a" / "mt0.nii.gz", 6)
    proposed = propose_mapping(survey(tmp_path)).modalities
    assert sorted(value for value in proposed.values() if value) == ["T1", "T1"]
    assert proposed["mt0"] == ""


def test_simulated_patients_can_be_surveyed(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    study = open_study([folder / "a"])
    monkeypatch.setattr("mrviewer.phantom.sample_study", lambda seed, cache: study)
    found = survey("simulated:3@7")
    assert (found.layout, found.channels, found.label_values) == ("simulated", ("FLAIR", "T1"), {1: ""})
    assert [each.name for each in found.subjects] == ["simulated-7", "simulated-8", "simulated-9"]


@pytest.fixture
def written(folder: Path, tmp_path: Path) -> Path:
    file = tmp_path / "mapping.json"
    assert main(["database", str(folder), "--mapping", str(file)]) == 0
    return file


def test_the_command_writes_the_proposed_mapping(written: Path) -> None:
    assert json.loads(written.read_text(encoding="utf-8")) == {
        "modalities": {"FLAIR": "FLAIR", "T1": "T1"},
        "label": "lesion_mask",
        "label_values": {"0": 0, "1": 1},
        "excluded": [],
        "voxel_mm": None,
    }


def test_the_command_prints_tables_or_json(folder: Path) -> None:
    (folder / "b" / "lesion_mask.nii.gz").unlink()
    shown = CliRunner().invoke(app, ["database", str(folder)])
    assert shown.exit_code == 0
    assert "subjects: 3, patients: 3" in shown.stdout
    assert "missing-label" in shown.stdout
    told = json.loads(CliRunner().invoke(app, ["database", str(folder), "--json"]).stdout)
    assert [each["name"] for each in told["subjects"]] == ["a", "b", "c"]
    assert told["mapping"]["label"] == "lesion_mask"


def test_real_traps_are_found_in_seconds(shared_data: Path) -> None:
    started = time.process_time()
    found = {
        name: survey(shared_data / name)
        for name in ("hippocampus_msd", "glioma_progression", "stroke_isles22", "ms_lesjak_mni", "spinalcord_sct")
    }
    assert time.process_time() - started < 20
    hippocampus = found["hippocampus_msd"]
    assert odd(hippocampus, "missing-label") == ["hippocampus_118"]
    assert odd(hippocampus, "intensity-range") == [""]
    assert hippocampus.label_values == {1: "", 2: ""}
    assert propose_mapping(hippocampus).label_values == {0: 0, 1: 1, 2: 1}
    assert odd(found["glioma_progression"], "voxel-size") == ["02_post", "02_pre", "09_post", "09_pre"]
    assert odd(found["stroke_isles22"], "image-grid") == ["sub-strokecase0009_ses-0001"]
    assert odd(found["stroke_isles22"], "one-patient") == [""]
    assert [each.kind for each in found["ms_lesjak_mni"].oddities] == ["unused-file"]
    assert odd(found["spinalcord_sct"], "series") == ["dmri", "fmri"]
    assert odd(found["spinalcord_sct"], "voxel-size") == []
    assert propose_mapping(found["spinalcord_sct"]).label in ("seg_manual", "lesion_seg", "sc_seg")


def test_a_fusion_of_segmentations_goes_before_each_of_them(tmp_path: Path) -> None:
    for number in range(2):
        home = tmp_path / f"p{number}"
        save_image(home / "FLAIR.nii.gz", number)
        save_labels(home / "segmentation" / "early.nii.gz")
        save_labels(home / "segmentation_fused" / "late.nii.gz")
    assert propose_mapping(survey(tmp_path)).label == "late"


def test_the_channel_that_the_labels_name_is_proposed(tmp_path: Path) -> None:
    for name in ("sub-01", "sub-02"):
        for part in ("ax", "sag"):
            save_image(tmp_path / name / "anat" / f"{name}_acq-{part}_FLAIR.nii.gz")
        save_labels(tmp_path / name / "anat" / f"{name}_acq-sag_label-lesion_mask.nii.gz")
    assert propose_mapping(survey(tmp_path)).modalities == {"acq-ax_FLAIR": "", "acq-sag_FLAIR": "FLAIR"}


def test_labels_of_another_name_than_those_of_most_are_told(folder: Path) -> None:
    (folder / "b" / "lesion_mask.nii.gz").rename(folder / "b" / "roi.nii.gz")
    [told] = (each for each in survey(folder).oddities if each.kind == "missing-label")
    assert told.message.startswith("b has no labels 'lesion_mask' as others have, but 'roi'")
