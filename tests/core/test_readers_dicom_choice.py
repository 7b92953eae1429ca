"""Choosing among DICOM series: what opens together, what is proposed, and what the study then holds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dicom_files import ROOT, Series

from mrviewer.errors import FileFormatError, InputError
from mrviewer.progress import finish
from mrviewer.readers.dicom import SeriesEntry, list_series
from mrviewer.readers.dicom.series import with_volume
from mrviewer.readers.dicom_choice import belongs_to, lie_together, open_chosen, proposed

SECOND, THIRD = f"{ROOT}.3", f"{ROOT}.4"


def written(folder: Path, uid: str, description: str, number: int, **other: object) -> Series:
    """A series of its own, with a description that tells its modality."""
    series = Series(series=uid, seed=number, **other)  # type: ignore[arg-type]
    for dataset in series.slices:
        dataset.SeriesDescription, dataset.SeriesNumber, dataset.FrameOfReferenceUID = description, number, f"{ROOT}.9"
    series.write(folder / uid)
    return series


@pytest.fixture
def entries(tmp_path: Path) -> tuple[SeriesEntry, ...]:
    """FLAIR and T2 on one grid, T1 on another."""
    written(tmp_path, f"{ROOT}.2", "t2_flair", 1)
    written(tmp_path, SECOND, "t2_tse", 2)
    written(tmp_path, THIRD, "t1_mprage", 3, shape=(8, 8))
    return finish(list_series(tmp_path))


def test_the_largest_set_on_one_grid_is_proposed(entries: tuple[SeriesEntry, ...]) -> None:
    assert [entries[number].modality for number in proposed(entries, {})] == ["FLAIR", "T2"]
    assert lie_together(entries[0], entries[1])
    assert not lie_together(entries[0], entries[2])


def test_one_of_two_equal_sets_is_that_with_flair(entries: tuple[SeriesEntry, ...]) -> None:
    alone = [entries[2], entries[0]]
    assert proposed(alone, {}) == (1,)


def test_series_in_another_frame_of_reference_do_not_lie_together(entries: tuple[SeriesEntry, ...]) -> None:
    assert not lie_together(entries[0], replace(entries[1], frame_of_reference=f"{ROOT}.10"))
    assert lie_together(entries[0], replace(entries[1], frame_of_reference=""))


def test_nothing_is_proposed_of_what_cannot_be_opened(entries: tuple[SeriesEntry, ...]) -> None:
    refused = [replace(entry, refusal="damaged", stacks=()) for entry in entries]
    assert proposed(refused, {}) == ()


def test_a_segmentation_belongs_where_it_says(entries: tuple[SeriesEntry, ...]) -> None:
    flair, t2, _ = entries
    drawn = replace(flair, is_segmentation=True, stacks=(), frame_of_reference="", modality="labels")
    assert belongs_to(drawn, flair, frozenset({flair.uid}))
    assert not belongs_to(drawn, t2, frozenset({flair.uid}))
    assert belongs_to(drawn, t2, frozenset())
    assert not belongs_to(drawn, replace(t2, study=2), frozenset())
    in_place = replace(drawn, frame_of_reference=f"{ROOT}.9")
    assert belongs_to(in_place, t2, frozenset({flair.uid}))
    assert proposed([*entries, in_place], {3: frozenset({flair.uid})}) == (0, 1, 3)


def test_the_study_holds_what_was_chosen_under_the_names_that_were_confirmed(entries: tuple[SeriesEntry, ...]) -> None:
    study = open_chosen([entries[1], replace(entries[0], modality="T2")], "chosen")
    assert study.modalities == ("T2", "T2_2")
    assert any("T2_2 is 1, t2_flair" in note for note in study.notes)
    np.testing.assert_array_equal(np.asarray(study.images["T2"].data).shape, (5, 6, 4))


def test_the_wrong_grid_is_left_out_and_said_so(entries: tuple[SeriesEntry, ...]) -> None:
    study = open_chosen([entries[0], entries[2]], "chosen")
    assert study.modalities == ("FLAIR",)
    assert any("left out: T1" in note for note in study.notes)


def test_nothing_chosen_is_refused() -> None:
    with pytest.raises(InputError, match="holds no image"):
        open_chosen([], "nothing")


def test_one_of_several_volumes_opens_and_the_note_says_which(tmp_path: Path) -> None:
    series = Series()
    for number, dataset in enumerate(series.slices):
        dataset.EchoTime = 10.0 if number < 3 else 80.0
        dataset.ImagePositionPatient[2] = float(number % 3) * 3
    series.write(tmp_path)
    [entry] = finish(list_series(tmp_path))
    assert len(entry.stacks) == 2
    second = with_volume(entry, 1)
    study = open_chosen([second], "echo")
    assert study.images["FLAIR"].data.shape[0] == 2
    assert any("of the 2 volumes" in note and "80" in note for note in study.notes)


def test_single_files_bring_their_series_and_a_bad_one_is_noted(
    tmp_path: Path, entries: tuple[SeriesEntry, ...]
) -> None:
    first, second = sorted((tmp_path / f"{ROOT}.2").iterdir())[:2]
    (tmp_path / f"{ROOT}.2" / "notes.dcm").write_text("no image at all")
    found = finish(list_series([first, second, tmp_path / f"{ROOT}.2" / "notes.dcm"]))
    assert [(entry.modality, entry.n_slices) for entry in found] == [("FLAIR", entries[0].n_slices)]
    assert any(note.startswith("left out: notes.dcm") for note in found[0].notes)


def test_files_of_two_folders_bring_two_series(tmp_path: Path, entries: tuple[SeriesEntry, ...]) -> None:
    files = [sorted((tmp_path / uid).iterdir())[0] for uid in (f"{ROOT}.2", SECOND)]
    assert [entry.modality for entry in finish(list_series(files))] == ["FLAIR", "T2"]
    del entries


def test_files_that_are_all_bad_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_text("no image")
    with pytest.raises(FileFormatError, match=r"a\.dcm is a text file"):
        finish(list_series([tmp_path / "a.dcm"]))
