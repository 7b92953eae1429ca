"""Subjects that open by a mapping, and splits that keep patients together."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from database_files import SHAPE, save_array, save_image, save_labels
from hypothesis import given
from hypothesis import strategies as st

from mrviewer.database import (
    DatabaseMapping,
    Subject,
    open_database,
    propose_mapping,
    split_by_patient,
    survey_database,
)
from mrviewer.database.mapped import map_labels
from mrviewer.errors import InputError, MrviewerError
from mrviewer.geometry import Geometry
from mrviewer.method import Needs
from mrviewer.progress import finish
from mrviewer.readers import read_image
from mrviewer.study import Study

MAPPING = DatabaseMapping({"FLAIR": "FLAIR", "T1": "T1"}, "lesion_mask", {0: 0, 1: 1, 2: 1})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "clinic"
    for seed, name in enumerate(("a", "b")):
        save_image(root / name / "FLAIR.nii.gz", seed)
        save_image(root / name / "T1.nii.gz", seed + 10)
        save_labels(root / name / "lesion_mask.nii.gz", (1, 2))
    return root


def labels_of(study: Study) -> np.ndarray:
    assert study.labels is not None
    return np.asarray(study.labels.volume())


def test_a_mapped_study_has_the_chosen_channels_and_classes(folder: Path) -> None:
    mapping = DatabaseMapping({"T1": "DWI", "FLAIR": ""}, "lesion_mask", {0: 0, 1: 0, 2: 3})
    first, second = open_database([str(folder)], mapping)
    study = first.load()
    assert (first.name, first.patient, first.labelled, first.database) == ("a", "a", True, "clinic")
    assert study.name == "a"
    assert study.modalities == ("DWI",)
    original = np.asarray(read_image(folder / "a" / "lesion_mask.nii.gz").volume())
    np.testing.assert_array_equal(labels_of(study), np.where(original == 2, 3, 0))
    assert second.load().name == "b"


def test_images_stay_in_their_files_until_somebody_looks(folder: Path) -> None:
    study = open_database([str(folder)], MAPPING)[0].load()
    assert not study.images["T1"].data.is_read  # type: ignore[attr-defined]


def test_without_a_label_source_there_are_no_labels(folder: Path) -> None:
    subject = open_database([str(folder)], DatabaseMapping({"T1": "T1"}))[0]
    assert subject.labelled is False
    assert subject.load().labels is None


def test_a_voxel_size_replaces_that_of_the_header_everywhere(folder: Path) -> None:
    mapping = DatabaseMapping({"T1": "T1"}, "lesion_mask", {1: 1}, voxel_mm=(6.5, 0.9, 0.8))
    study = open_database([str(folder)], mapping)[0].load()
    assert study.labels is not None
    for geometry in (study.geometry(), study.labels.geometry):
        assert geometry.voxel_size_mm == pytest.approx((6.5, 0.9, 0.8))
    assert study.labels.geometry.matches(study.geometry())
    assert any("the voxel size was given as 0.8 x 0.9 x 6.5 mm (x, y, z)" in note for note in study.notes)


@given(st.tuples(*[st.floats(0.1, 20)] * 3), st.tuples(*[st.floats(0.1, 20)] * 3))
def test_a_new_voxel_size_keeps_first_voxel_and_axes(
    old: tuple[float, float, float], new: tuple[float, float, float]
) -> None:
    before = Geometry.axial((3, 4, 5), old)
    after = before.resized(new)
    assert after.voxel_size_mm == pytest.approx(new)
    np.testing.assert_allclose(after.stored_affine[:, 3], before.stored_affine[:, 3], atol=1e-9)
    np.testing.assert_allclose(after.resized(old).affine, before.affine, atol=1e-9)


def test_images_on_the_grid_of_the_labels_are_kept_and_others_left_out_with_a_note(folder: Path) -> None:
    save_image(folder / "a" / "FLAIR.nii.gz", shape=(24, 24, 4))
    study = open_database([str(folder)], MAPPING)[0].load()
    assert study.modalities == ("T1",)
    assert study.notes == ("left out: FLAIR lies on another grid than T1; register it to use both",)


def test_labels_on_half_of_the_grid_are_placed_with_a_note(folder: Path) -> None:
    save_labels(folder / "a" / "lesion_mask.nii.gz", (1,), shape=(12, 14, 5))
    study = open_database([str(folder)], MAPPING)[0].load()
    assert labels_of(study).shape == (10, 14, 12)
    assert "covers 50% of the image, voxel for voxel" in study.notes[0]


def test_volumes_of_one_file_become_modalities(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random((*SHAPE, 2)).astype(np.float32)
    save_array(tmp_path / "imagesTr" / "x.nii.gz", values, 2.0)
    (tmp_path / "dataset.json").write_text('{"modality": {"0": "T2", "1": "ADC"}, "training": ["imagesTr/x.nii.gz"]}')
    [subject] = open_database([str(tmp_path)], DatabaseMapping({"ADC": "ADC", "T2": "T2"}))
    study = subject.load()
    assert list(study.images) == ["ADC", "T2"]
    for frame, name in enumerate(("T2", "ADC")):
        image = study.images[name]
        np.testing.assert_array_equal(image.geometry.to_stored_order(image.volume()), values[..., frame])


def test_a_description_that_promises_too_many_volumes_is_one_sentence(tmp_path: Path) -> None:
    save_image(tmp_path / "imagesTr" / "x.nii.gz")
    (tmp_path / "dataset.json").write_text('{"modality": {"0": "T2", "1": "ADC"}, "training": ["imagesTr/x.nii.gz"]}')
    [subject] = open_database([str(tmp_path)], DatabaseMapping({"ADC": "ADC", "T2": "T2"}))
    with pytest.raises(InputError, match=r"x.nii.gz holds 1 volume\(s\) and ADC should be number 2"):
        subject.load()


def test_without_a_mapping_a_method_gets_what_names_propose(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(3):
        save_image(tmp_path / "images" / f"x_{number}.nii.gz", number % 2)
        save_labels(tmp_path / "labels" / f"x_{number}.nii.gz", (1, 2))
    subjects = open_database([str(tmp_path)], needs=Needs(kspace=False, modalities=("FLAIR", "T1")))
    assert [each.name for each in subjects] == ["x_0", "x_1"]
    assert "x_2 holds the same image as x_0" in caplog.text
    assert subjects[0].load().modalities == ("T1",)
    assert set(np.unique(labels_of(subjects[0].load()))) == {0, 1}


def test_a_value_without_a_class_is_lesion_or_refused() -> None:
    values = np.array([[[0, 1, 7]]], np.uint8)
    np.testing.assert_array_equal(map_labels(values, {0: 0, 1: 1}, "a"), [[[0, 1, 1]]])
    np.testing.assert_array_equal(map_labels(values, {}, "a"), [[[0, 1, 1]]])
    with pytest.raises(InputError, match="the labels of a hold the value 7 and the mapping names 0, 1"):
        map_labels(values, {0: 0, 1: 2}, "a")


def test_the_fingerprint_follows_files_and_mapping(folder: Path) -> None:
    before = {each.name: each.fingerprint for each in open_database([str(folder)], MAPPING)}
    assert {each.name: each.fingerprint for each in open_database([str(folder)], MAPPING)} == before
    other = DatabaseMapping(MAPPING.modalities, MAPPING.label, {0: 0, 1: 1, 2: 0})
    assert all(each.fingerprint != before[each.name] for each in open_database([str(folder)], other))
    save_image(folder / "b" / "T1.nii.gz", 77)
    after = {each.name: each.fingerprint for each in open_database([str(folder)], MAPPING)}
    assert after["a"] == before["a"]
    assert after["b"] != before["b"]


def test_subjects_travel_to_other_processes(folder: Path) -> None:
    subject = pickle.loads(pickle.dumps(open_database([str(folder)], MAPPING)[0]))
    assert subject.load().modalities == ("FLAIR", "T1")


def test_a_vanished_or_broken_file_is_an_error_of_ours(folder: Path) -> None:
    first, second = open_database([str(folder)], MAPPING)
    (folder / "a" / "T1.nii.gz").unlink()
    (folder / "b" / "lesion_mask.nii.gz").write_bytes(b"")
    with pytest.raises(InputError, match=r"there is no file T1.nii.gz; check its path in the database"):
        first.load()
    with pytest.raises(MrviewerError, match="is an empty file"):
        second.load()


def test_pixels_that_vanish_after_opening_are_an_error_of_ours(folder: Path) -> None:
    study = open_database([str(folder)], MAPPING)[0].load()
    (folder / "a" / "T1.nii.gz").unlink()
    with pytest.raises(MrviewerError, match=r"T1.nii.gz cannot be read"):
        study.images["T1"].volume()


def test_a_mapping_that_does_not_fit_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="the mapping names no channel of the database 'clinic'; it has FLAIR, T1"):
        open_database([str(folder)], DatabaseMapping({"PD": "PD"}))
    with pytest.raises(InputError, match="has no labels 'x'; choose among: lesion_mask"):
        open_database([str(folder)], DatabaseMapping({"T1": "T1"}, "x"))
    with pytest.raises(InputError, match="the mapping excludes every subject"):
        open_database([str(folder)], DatabaseMapping({"T1": "T1"}, excluded=("a", "b")))


@given(
    st.builds(
        DatabaseMapping,
        st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
        st.none() | st.text(max_size=5),
        st.dictionaries(st.integers(0, 300), st.integers(0, 5), max_size=3),
        st.lists(st.text(max_size=4), max_size=3).map(tuple),
        st.none() | st.tuples(*[st.floats(0.1, 20)] * 3),
    )
)
def test_a_mapping_survives_json(mapping: DatabaseMapping) -> None:
    assert DatabaseMapping.from_json(mapping.to_json()) == mapping


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"modality": {}}, "has an entry 'modality'; known are modalities, label"),
        ({"label_values": {"one": 1}}, "cannot be read"),
        ({"voxel_mm": [1, 2]}, "cannot be read"),
        ({"voxel_mm": [1, 2, 0]}, "give three lengths above 0"),
        ({"label_values": {"1": -1}}, "is mapped below 0"),
    ],
)
def test_a_mapping_that_a_person_got_wrong_is_refused(data: dict[str, object], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        DatabaseMapping.from_json(data)


def no_study() -> Study:
    raise AssertionError("splitting must not open a study")


def subject(name: str, patient: str = "", labelled: bool | None = True) -> Subject:
    return Subject(name, no_study, patient=patient, labelled=labelled)


PATIENTS = st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=30).filter(lambda names: len(set(names)) > 1)


@given(PATIENTS, st.floats(0.01, 0.99), st.integers(0, 5))
def test_a_split_never_divides_a_patient_and_leaves_no_side_empty(names: list[str], share: float, seed: int) -> None:
    subjects = [subject(f"{name}{number}", name) for number, name in enumerate(names)]
    training, validation = split_by_patient(subjects, share, seed)
    assert {each.patient for each in training} & {each.patient for each in validation} == set()
    assert sorted(each.name for each in [*training, *validation]) == sorted(each.name for each in subjects)
    assert training
    assert validation
    again = split_by_patient(subjects[::-1], share, seed)
    assert {each.name for each in again[1]} == {each.name for each in validation}


def test_a_share_is_counted_in_patients_and_depends_on_the_seed() -> None:
    subjects = [subject(f"{number}") for number in range(40)]
    drawn = [frozenset(each.name for each in split_by_patient(subjects, 0.25, seed)[1]) for seed in range(3)]
    assert [len(names) for names in drawn] == [10, 10, 10]
    assert len(set(drawn)) == 3


def test_patients_without_labels_are_not_drawn_while_others_have_some() -> None:
    subjects = [subject("a"), subject("b"), *(subject(f"x{number}", labelled=False) for number in range(20))]
    for seed in range(10):
        [validated] = split_by_patient(subjects, 0.25, seed)[1]
        assert validated.labelled


def test_naming_one_study_validates_on_the_whole_patient() -> None:
    subjects = [subject("a_pre", "a"), subject("a_post", "a"), subject("b")]
    training, validation = split_by_patient(subjects, ["a_pre"], 0)
    assert ([each.name for each in training], [each.name for each in validation]) == (["b"], ["a_pre", "a_post"])
    assert split_by_patient(subjects, ["a"], 0)[1] == validation


def test_splits_that_cannot_be_made_are_refused() -> None:
    pair = [subject("a"), subject("b")]
    with pytest.raises(InputError, match=r"has 1 patient\(s\) and two are needed"):
        split_by_patient([subject("a_pre", "a"), subject("a_post", "a")], 0.5, 0)
    with pytest.raises(InputError, match="'c' is to be validated but the database has no such subject"):
        split_by_patient(pair, ["c"], 0)
    with pytest.raises(InputError, match="no patient is left to train on"):
        split_by_patient(pair, ["a", "b"], 0)
    with pytest.raises(InputError, match="no validation case was chosen"):
        split_by_patient(pair, [], 0)
    with pytest.raises(InputError, match="give a number between 0 and 1"):
        split_by_patient(pair, 1.0, 0)


def test_real_visits_stay_together(shared_data: Path) -> None:
    subjects = open_database([str(shared_data / "glioma_progression")])
    training, validation = split_by_patient(subjects, 0.25, 0)
    assert (len(training), len(validation)) == (2, 2)
    assert len({each.patient for each in validation}) == 1
    assert all(each.load().labels is not None for each in validation)


def test_the_survey_tells_which_file_serves_as_what(tmp_path: Path) -> None:
    for seed, name in enumerate(("a", "b")):
        for number, file in enumerate(("flair", "t1", "t1_brain")):
            save_image(tmp_path / name / f"{file}.nii.gz", 10 * seed + number)
        save_labels(tmp_path / name / "mask.nii.gz")
    survey = finish(survey_database(tmp_path))
    serving = survey.serving(replace(propose_mapping(survey), excluded=("b",)))
    assert serving == {
        "a": {"channels": {"FLAIR": "a/flair.nii.gz", "T1": "a/t1.nii.gz"}, "label": "a/mask.nii.gz"},
        "b": {"channels": {}, "label": None},
    }
