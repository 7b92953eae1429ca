"""Databases: which subjects there are, and who is held out."""

from pathlib import Path

import pytest

from mrviewer.database import Subject, open_database, split_subjects
from mrviewer.errors import InputError


def touch(*paths: Path) -> None:
    """Files that have a name and no content; listing subjects must not read them."""
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def names(subjects: list[Subject]) -> list[str]:
    return [subject.name for subject in subjects]


def test_simulated_subjects_have_their_seeds() -> None:
    subjects = open_database(["simulated:3", "simulated:2@7"])
    assert names(subjects) == ["simulated-1000", "simulated-1001", "simulated-1002", "simulated-7", "simulated-8"]
    assert [subject.seed for subject in subjects] == [1000, 1001, 1002, 7, 8]


def test_each_simulated_subject_loads_its_own_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mrviewer.phantom.sample_study", lambda seed, cache: (seed, cache))
    loaded = [subject.load() for subject in open_database(["simulated:3@5"])]
    assert loaded == [(5, False), (6, False), (7, False)]  # type: ignore[comparison-overlap]


def test_a_folder_has_one_subject_a_sub_folder(tmp_path: Path) -> None:
    touch(tmp_path / "b" / "FLAIR.nii.gz", tmp_path / "a" / "deep" / "T1.nii", tmp_path / "a" / "T2.nii.gz")
    touch(tmp_path / "notes" / "readme.txt", tmp_path / "FLAIR.nii.gz")
    subjects = open_database([str(tmp_path)])
    assert names(subjects) == ["a", "b"]
    assert [subject.seed for subject in subjects] == [None, None]


def test_folders_of_masks_alone_are_no_subjects(tmp_path: Path) -> None:
    touch(tmp_path / "a" / "FLAIR.nii.gz", tmp_path / "masks" / "GOLD_STANDARD_lesions.nii.gz")
    assert names(open_database([str(tmp_path)])) == ["a"]


def test_a_folder_of_images_is_one_subject(tmp_path: Path) -> None:
    folder = tmp_path / "patient"
    touch(folder / "FLAIR.nii.gz", folder / "T1.nii.gz")
    assert names(open_database([str(folder)])) == ["patient"]


def test_several_databases_are_one(tmp_path: Path) -> None:
    touch(tmp_path / "a" / "FLAIR.nii.gz")
    assert names(open_database(["simulated:1@2", str(tmp_path)])) == ["simulated-2", "a"]


def test_what_is_missing_empty_or_double_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the database 'nowhere' is no folder; give a folder with one sub-folder"):
        open_database([str(tmp_path / "nowhere")])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="the database 'empty' has no sub-folder with images"):
        open_database([str(tmp_path / "empty")])
    touch(tmp_path / "one" / "x" / "FLAIR.nii", tmp_path / "two" / "x" / "T1.nii")
    with pytest.raises(InputError, match="two subjects are called 'x'; rename one of the folders"):
        open_database([str(tmp_path / "one"), str(tmp_path / "two")])
    with pytest.raises(InputError, match="two subjects are called 'simulated-1'"):
        open_database(["simulated:2@0", "simulated:1@1"])


@pytest.mark.parametrize("text", ["simulated:", "simulated:x", "simulated:3@", "simulated"])
def test_a_misspelt_simulation_is_no_folder(text: str) -> None:
    with pytest.raises(InputError, match="is no folder"):
        open_database([text])


def test_real_subjects_are_listed(shared_data: Path) -> None:
    assert names(open_database([str(shared_data / "ms_lesjak_mni")])) == ["patient07", "patient19"]


def test_a_split_shares_nothing_and_loses_nothing() -> None:
    subjects = open_database(["simulated:5@0"])
    training, held_out = split_subjects(subjects, ["simulated-3", "simulated-0"])
    assert names(held_out) == ["simulated-0", "simulated-3"]
    assert names(training) == ["simulated-1", "simulated-2", "simulated-4"]
    assert split_subjects(subjects, []) == (subjects, [])


def test_a_split_that_cannot_be_made_is_refused() -> None:
    subjects = open_database(["simulated:2@0"])
    with pytest.raises(InputError, match="subject 'patient19' is to be held out but the database has no such subject"):
        split_subjects(subjects, ["simulated-0", "patient19"])
    with pytest.raises(InputError, match="no subject is left to train on; hold out fewer, or add data"):
        split_subjects(subjects, ["simulated-0", "simulated-1"])
