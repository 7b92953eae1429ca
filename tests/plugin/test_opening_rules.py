"""What is dropped opens, or a question comes first; and which series may be ticked together. No window."""

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat
from series_files import PATIENT, write_series

from mrviewer.coils import ring_coil_maps
from mrviewer.errors import InputError
from mrviewer.physics import fft2c
from mrviewer.progress import Progress, finish
from mrviewer.raw.arrays.array_layout import ArrayLayout, Domain
from mrviewer.study import Image
from mrviewer.writers.dicom.dicom_seg import write_dicom_seg
from mrviewer.writers.dicom.dicom_source import read_sources
from mrviewer_napari.facts.scan import Scan
from mrviewer_napari.opening.dialogs.series_rows import Ticks, modality_choices, size_text, study_text
from mrviewer_napari.opening.examining import examine
from mrviewer_napari.opening.first_picture import FirstPicture, grey
from mrviewer_napari.opening.napari_reader import get_reader
from mrviewer_napari.opening.new_labels import NewLabels
from mrviewer_napari.opening.questions import ArrayQuestion, SeriesQuestion, layout_text


def looked_at(*paths: Path) -> Scan | SeriesQuestion | ArrayQuestion:
    return finish(examine([str(path) for path in paths]))  # type: ignore[return-value]


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """FLAIR and T2 on one grid, T1 on another, and a T2 of another study."""
    folder = tmp_path / "disk"
    write_series(folder / "a", "t2_flair", 1)
    write_series(folder / "b", "t2_tse", 2)
    write_series(folder / "c", "t1_mprage", 3, shape=(4, 44, 36))
    write_series(folder / "d", "t2_tse", 4, study="1.2.4")
    return folder


def test_one_series_opens_at_once(tmp_path: Path) -> None:
    scan = looked_at(write_series(tmp_path / "one", "t2_flair", 1))
    assert isinstance(scan, Scan)
    assert scan.modality == "FLAIR"
    assert scan.reference is not None
    assert scan.reference.max() == 1000
    assert PATIENT.split("^", maxsplit=1)[0] not in " ".join(scan.study.notes) + scan.study.name


def test_several_series_are_asked_about_and_those_on_one_grid_are_proposed(disk: Path) -> None:
    question = looked_at(disk)
    assert isinstance(question, SeriesQuestion)
    assert [entry.modality for entry in question.entries] == ["FLAIR", "T2", "T1", "T2"]
    assert question.proposal == (0, 1)
    assert finish(question.answered()).study.modalities == ("FLAIR", "T2")


def test_a_zip_holds_the_same_choice(disk: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "disk.zip", "w") as archive:
        for file in sorted(disk.rglob("*.dcm")):
            archive.write(file, file.relative_to(disk))
    question = looked_at(tmp_path / "disk.zip")
    assert isinstance(question, SeriesQuestion)
    assert len(question.entries) == 4


def test_one_file_brings_its_series_and_all_its_files_bring_it_once(disk: Path) -> None:
    files = sorted((disk / "a").iterdir())
    for given in (files[:1], files):
        scan = looked_at(*given)
        assert isinstance(scan, Scan)
        assert scan.study.modalities == ("FLAIR",)
        assert scan.n_slices == 6


def test_a_damaged_file_is_left_out_and_the_rest_opens(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "one", "t2_flair", 1)
    whole = (folder / "1_5.dcm").read_bytes()
    (folder / "1_5.dcm").write_bytes(whole[: len(whole) // 2])
    scan = looked_at(folder)
    assert isinstance(scan, Scan)
    assert scan.n_slices == 5
    assert any("left out" in note and "1_5.dcm" in note for note in scan.study.notes)


def test_the_first_picture_comes_after_the_first_file_and_closing_stops_the_listing(disk: Path) -> None:
    job = examine([str(disk)])
    steps: list[Progress] = []
    while not any(isinstance(step.detail, FirstPicture) for step in steps):
        steps.append(next(job))
    assert steps[-1].done == 1
    assert steps[-1].total == len(list(disk.rglob("*.dcm")))
    job.close()


def test_pixels_are_read_slice_by_slice(tmp_path: Path) -> None:
    job = examine([str(write_series(tmp_path / "one", "t2_flair", 1))])
    messages = []
    while True:
        try:
            messages.append(next(job).message)
        except StopIteration:
            break
    assert messages.count("reading FLAIR") >= 6


def test_ticks_always_open_together(disk: Path) -> None:
    question = looked_at(disk)
    assert isinstance(question, SeriesQuestion)
    ticks = Ticks(question)
    assert ticks.set(2, on=True) == (0, 1)
    assert ticks.numbers == {2}
    assert ticks.set(0, on=True) == (2,)
    assert ticks.set(1, on=True) == ()
    assert ticks.set(3, on=True) == (0, 1)
    ticks.set(3, on=False)
    assert ticks.images == []


def test_labels_come_with_their_images_and_leave_with_them(disk: Path) -> None:
    question = looked_at(disk)
    assert isinstance(question, SeriesQuestion)
    flair = question.entries[0]
    drawn = replace(flair, is_segmentation=True, stacks=(), modality="labels")
    stray = replace(drawn, study=9)
    ticks = Ticks(replace(question, entries=(*question.entries, drawn, stray), drawn_on={4: frozenset({flair.uid})}))
    assert ticks.numbers == {0, 1, 4}
    assert ticks.set(3, on=True) == (0, 1, 4)
    ticks.only(4)
    assert ticks.numbers == {0, 4}
    assert ticks.set(0, on=False) == (4,)
    assert ticks.refusal(4) == ""
    assert "images that it was drawn on are not here" in ticks.refusal(5)
    assert modality_choices(drawn)[0] == ("labels", "labels")
    assert modality_choices(drawn)[-1] == ("leave out", None)


def test_rows_say_sizes_as_a_person_counts_them(disk: Path) -> None:
    question = looked_at(disk)
    assert isinstance(question, SeriesQuestion)
    assert size_text(question.entries[2]) == ("36 × 44 × 4", "1.00 × 1.00 × 3.00")
    assert study_text(question.entries, 1) == "Study 1 (3 series)"


def test_headings_tell_other_patients_from_other_visits(disk: Path) -> None:
    question = looked_at(disk)
    assert isinstance(question, SeriesQuestion)
    first = question.entries[0]
    visits = [first, *(replace(first, study=study, patient=patient) for study, patient in ((2, 2), (3, 1), (4, 0)))]
    told = [study_text(visits, study).partition(" (")[0] for study in (1, 2, 3, 4)]
    assert told[1:3] == ["Study 2, another patient", "Study 3, the same patient as in study 1"]
    assert told[0] == "Study 1"
    assert told[3] == "Study 4, the files do not say of which patient"


def test_complex_arrays_are_asked_about(tmp_path: Path) -> None:
    image = np.zeros((3, 40, 32), np.complex64)
    image[:, 10:30, 8:24] = 1
    image *= ring_coil_maps((40, 32), 3)
    np.save(tmp_path / "T2.npy", fft2c(image))
    question = looked_at(tmp_path / "T2.npy")
    assert isinstance(question, ArrayQuestion)
    assert question.modality == "T2"
    assert question.facts.guess.axes == ("coil", "y", "x")
    scan = finish(question.answered())
    assert scan.raw.shape == (1, 3, 40, 32)


def test_a_series_with_times_is_not_asked_about_and_one_without_is(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).random((5, 16, 12))
    savemat(tmp_path / "timed.mat", {"s": frames, "t": np.arange(5.0)})
    savemat(tmp_path / "bare.mat", {"s": frames})
    assert isinstance(looked_at(tmp_path / "timed.mat"), Scan)
    assert isinstance(looked_at(tmp_path / "bare.mat"), ArrayQuestion)


def test_a_mask_is_no_image(tmp_path: Path) -> None:
    np.save(tmp_path / "mask.npy", np.ones((40, 32), bool))
    with pytest.raises(InputError, match="choose it under Sampling"):
        looked_at(tmp_path / "mask.npy")


@pytest.mark.parametrize(
    "layout",
    [
        ArrayLayout(("coil", "y", "x")),
        ArrayLayout(("y", "x", "slice"), Domain.IMAGE, corner=True, voxel_size_mm=(5.0, 0.45, 0.5), name="img"),
    ],
)
def test_a_layout_survives_its_text(layout: ArrayLayout) -> None:
    assert ArrayLayout.parse(layout_text(layout)) == layout


def test_pictures_show_constant_and_infinite_values() -> None:
    assert not grey(np.full((4, 5), 7.0)).any()
    plane = np.arange(20.0).reshape(4, 5)
    plane[0, 0] = np.nan
    assert grey(plane).max() == 255


def test_napari_is_told_what_opens(disk: Path, tmp_path: Path) -> None:
    assert get_reader(str(disk)) is not None
    (tmp_path / "bare").write_bytes(next(disk.rglob("*.dcm")).read_bytes())
    for name in ("bare", "scan.h5", "meas.dat", "k.cfl", "a.mat", "a.npy", "s.mrd"):
        assert get_reader(str(tmp_path / name)) is not None, name
    with zipfile.ZipFile(tmp_path / "texts.zip", "w") as archive:
        archive.writestr("a.txt", "hello")
    assert get_reader(str(tmp_path / "texts.zip")) is None


@pytest.mark.shared_data
def test_broken_files_are_refused_in_one_sentence(shared_data: Path) -> None:
    files = [path for path in (shared_data / "oddities_broken").rglob("*") if path.is_file() and path.suffix != ".md"]
    assert len(files) >= 10
    for path in files:
        with pytest.raises(InputError) as refused:
            looked_at(path)
        assert "\n" not in str(refused.value), path.name
        assert str(shared_data) not in str(refused.value), path.name


@pytest.mark.shared_data
def test_odd_folders_open_at_once_but_the_one_with_two_series(shared_data: Path) -> None:
    folders = [path for path in sorted((shared_data / "oddities_dicom").iterdir()) if path.is_dir()]
    asked = [path.name for path in folders if not isinstance(looked_at(path), Scan)]
    assert asked == ["two_series_and_junk_in_one_folder"]


def test_a_segmentation_becomes_the_labels_of_its_series_whether_it_lies_beside_or_comes_later(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "one", "t2_flair", 1)
    scan = looked_at(folder)
    assert isinstance(scan, Scan)
    painted = np.zeros(scan.geometry.shape, np.uint8)
    painted[2, 14:19, 10:15] = 1
    [source] = read_sources(folder)
    write_dicom_seg(tmp_path / "lesions.dcm", Image(painted, scan.geometry, "labels"), source)
    later = finish(examine([str(tmp_path / "lesions.dcm")], scan))
    assert isinstance(later, NewLabels)
    np.testing.assert_array_equal(later.scan.labels, painted)
    with pytest.raises(InputError, match="is a DICOM segmentation and no image"):
        looked_at(tmp_path / "lesions.dcm")
    (tmp_path / "lesions.dcm").rename(folder / "IM9999")
    beside = looked_at(folder)
    assert isinstance(beside, Scan)
    np.testing.assert_array_equal(beside.labels, painted)
