"""A DICOMDIR, a zip, several arrays, and a folder of two formats: what opens, and what is asked. No window."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from series_files import PATIENT, write_disk, write_series

from mrviewer.errors import InputError
from mrviewer.physics import fft2c
from mrviewer.progress import finish
from mrviewer.raw.arrays.array_layout import ArrayLayout
from mrviewer_napari.facts.scan import Scan
from mrviewer_napari.opening.examining import examine
from mrviewer_napari.opening.questions import ArrayQuestion, SeriesQuestion


def looked_at(*paths: Path) -> object:
    return finish(examine([str(path) for path in paths]))


def test_a_dicomdir_holds_the_same_choice_as_its_folder(tmp_path: Path) -> None:
    write_series(tmp_path / "a", "t2_flair", 1)
    write_series(tmp_path / "a", "t2_tse", 2)
    listed = write_disk(sorted((tmp_path / "a").iterdir()), tmp_path / "disk")
    question = looked_at(listed)
    assert isinstance(question, SeriesQuestion)
    assert [entry.modality for entry in question.entries] == ["FLAIR", "T2"]
    scan = finish(question.answered())
    assert scan.study.modalities == ("FLAIR", "T2")
    assert PATIENT.split("^", maxsplit=1)[0] not in scan.study.name + " ".join(scan.study.notes)
    straight = looked_at(tmp_path / "a")
    assert isinstance(straight, SeriesQuestion)
    np.testing.assert_array_equal(scan.reference, finish(straight.answered()).reference)


def test_a_dicomdir_of_one_series_opens_at_once_and_tells_of_files_that_are_gone(tmp_path: Path) -> None:
    listed = write_disk(sorted(write_series(tmp_path / "a", "t2_flair", 1).iterdir()), tmp_path / "disk")
    first = next(path for path in sorted(listed.parent.rglob("*")) if path.is_file() and path != listed)
    first.unlink()
    scan = looked_at(listed)
    assert isinstance(scan, Scan)
    assert scan.n_slices == 5
    assert any("1 of 6 files that DICOMDIR lists are not there" in note for note in scan.study.notes)


def test_a_dicomdir_whose_files_are_all_gone_is_refused(tmp_path: Path) -> None:
    listed = write_disk(sorted(write_series(tmp_path / "a", "t2_flair", 1).iterdir()), tmp_path / "disk")
    shutil.copy(listed, tmp_path / "DICOMDIR")
    with pytest.raises(InputError) as refused:
        looked_at(tmp_path / "DICOMDIR")
    assert "\n" not in str(refused.value)


@pytest.mark.shared_data
@pytest.mark.parametrize("vendor", ["siemens_mosaic_epi", "toshiba_dti_b0_oblique"])
def test_scanners_files_open_from_a_dicomdir_and_a_zip_as_from_their_folder(
    shared_data: Path, tmp_path: Path, vendor: str
) -> None:
    folder = shared_data / "dicom_vendors" / vendor
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".md", ".json"))
    listed = write_disk(files, tmp_path / "disk")
    packed = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", folder))
    straight, *others = map(sizes, (folder, listed, packed))
    assert all(other == straight for other in others)


def sizes(path: Path) -> list[tuple[str, tuple[int, ...]]]:
    """What opens, or the series that are offered."""
    found = looked_at(path)
    if isinstance(found, SeriesQuestion):
        return [(entry.modality, (*entry.matrix, entry.n_slices)) for entry in found.entries]
    assert isinstance(found, Scan)
    return [(found.modality, found.geometry.shape)]


def head(shift: int = 0) -> np.ndarray:
    image = np.zeros((3, 40, 32), np.complex64)
    image[:, 10 + shift : 30, 8:24] = 1
    return fft2c(image)


@pytest.fixture
def arrays(tmp_path: Path) -> Callable[..., list[Path]]:
    def write(*names: str) -> list[Path]:
        for shift, name in enumerate(names):
            np.save(tmp_path / name, head(shift))
        return [tmp_path / name for name in names]

    return write


def test_several_arrays_are_asked_about_one_after_the_other_and_open_together(
    arrays: Callable[..., list[Path]],
) -> None:
    first = looked_at(*arrays("T2.npy", "T1.npy"))
    assert isinstance(first, ArrayQuestion)
    assert (first.path.name, first.waiting) == ("T2.npy", 1)
    second = finish(first.with_axes(ArrayLayout(("slice", "y", "x")), "FLAIR"))
    assert isinstance(second, ArrayQuestion)
    assert (second.path.name, second.modality, second.waiting) == ("T1.npy", "T1", 0)
    scan = finish(second.with_axes(ArrayLayout(("coil", "y", "x")), "T1"))
    assert isinstance(scan, Scan)
    assert scan.study.modalities == ("FLAIR", "T1")
    assert scan.study.raw["FLAIR"].shape == (3, 1, 40, 32)
    assert scan.study.raw["T1"].shape == (1, 3, 40, 32)


def test_arrays_of_one_name_do_not_clash(arrays: Callable[..., list[Path]]) -> None:
    question = looked_at(*arrays("a.npy", "b.npy"))
    while isinstance(question, ArrayQuestion):
        assert question.modality == "unknown"
        question = finish(question.answered())
    assert isinstance(question, Scan)
    assert question.study.modalities == ("unknown", "unknown_2")


def test_a_modality_that_was_told_is_not_proposed_again(arrays: Callable[..., list[Path]]) -> None:
    first = looked_at(*arrays("T2_left.npy", "T2_right.npy"))
    assert isinstance(first, ArrayQuestion)
    second = finish(first.answered())
    assert isinstance(second, ArrayQuestion)
    assert (second.modality, second.taken) == ("unknown", frozenset({"T2"}))
    scan = finish(second.answered())
    assert isinstance(scan, Scan)
    assert scan.study.modalities == ("T2", "unknown")


def test_a_folder_that_opens_by_nifti_tells_of_its_dicom(tmp_path: Path, study_folder: Path) -> None:
    assert not any("DICOM" in note for note in opened_notes(study_folder))
    write_series(study_folder / "dicom" / "s1", "t2_flair", 1)
    assert "left out: DICOM that subject holds too; open subject/dicom to see it" in opened_notes(study_folder)
    (study_folder / "dicom").rename(study_folder / PATIENT.split("^", maxsplit=1)[0])
    notes = opened_notes(study_folder)
    assert "left out: DICOM that subject holds too; open its folder to see it" in notes
    (study_folder / "README").write_text("no image")
    shutil.move(next(study_folder.rglob("*.dcm")), study_folder / "IM1")
    shutil.rmtree(study_folder / PATIENT.split("^", maxsplit=1)[0])
    assert any("open its DICOM files alone" in note for note in opened_notes(study_folder))


def opened_notes(folder: Path) -> tuple[str, ...]:
    scan = looked_at(folder)
    assert isinstance(scan, Scan)
    return scan.study.notes
