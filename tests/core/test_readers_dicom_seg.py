"""DICOM SEG as labels: each frame on its own slice, segments under their numbers, none under another."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from dicom_files import ROOT, Series, enhanced, segmentation, write_dataset
from numpy.typing import NDArray

from mrviewer import cli
from mrviewer.database.survey import SurveyedSubject
from mrviewer.database.surveying.samples import sample_pixels
from mrviewer.errors import FileFormatError
from mrviewer.notes import NoteKind, as_note
from mrviewer.progress import finish
from mrviewer.readers import open_study, read_image
from mrviewer.readers.dicom import list_series
from mrviewer.readers.dicom_choice import open_chosen
from mrviewer.study import Study

SHAPE = (8, 10)


def box(top: int, left: int, size: int = 2) -> NDArray[np.uint8]:
    plane = np.zeros(SHAPE, np.uint8)
    plane[top : top + size, left : left + size] = 1
    return plane


def series_of(n_slices: int = 10, **other: object) -> Series:
    series = Series(n_slices=n_slices, shape=SHAPE, **other)  # type: ignore[arg-type]
    for dataset in series.slices:
        dataset.FrameOfReferenceUID = f"{ROOT}.9"
    return series


def opened(tmp_path: Path, series: Series, dataset: pydicom.Dataset) -> Study:
    write_dataset(tmp_path / "seg.dcm", dataset)
    return open_study([series.write(tmp_path / "images"), f"labels={tmp_path / 'seg.dcm'}"])


def volume(study: Study) -> NDArray[np.generic]:
    """Labels in the order of the slices: the foot first."""
    assert study.labels is not None
    return study.labels.volume()[::-1]


def counts(study: Study) -> dict[int, int]:
    return {int(value): int(np.sum(volume(study) == value)) for value in np.unique(volume(study)) if value}


@pytest.mark.parametrize("spacing", [3.0, 3.6])
@pytest.mark.parametrize("slices", [(7, 3), (2, 9, 4), (5,), (0, 9)])
@pytest.mark.parametrize(
    "measures", [{}, {"SliceThickness": 3.0}, {"SliceThickness": 3.0, "SpacingBetweenSlices": 3.6}]
)
def test_each_frame_lies_on_the_slice_on_which_it_was_drawn(
    tmp_path: Path, spacing: float, slices: tuple[int, ...], measures: dict[str, float]
) -> None:
    series = series_of(spacing=(spacing, 2.0, 1.5))
    frames = [(1, index, box(1, place)) for place, index in enumerate(slices)]
    study = opened(tmp_path, series, segmentation(series, frames, **measures))
    expected = np.zeros((10, *SHAPE), np.uint8)
    for _, index, pixels in frames:
        expected[index] = pixels
    assert np.array_equal(volume(study), expected)


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
def test_numbers_of_segments_are_kept(tmp_path: Path, kind: str) -> None:
    series = series_of()
    frames = [(2, 3, box(0, 0)), (5, 3, box(4, 4, 3)), (2, 6, box(0, 0)), (5, 7, box(1, 1))]
    if kind == "LABELMAP":
        frames = [(0, 3, 2 * box(0, 0) + 5 * box(4, 4, 3)), (0, 6, 2 * box(0, 0)), (0, 7, 5 * box(1, 1))]
    study = opened(tmp_path, series, segmentation(series, frames, kind, ("edema", "core")))
    assert counts(study) == {2: 8, 5: 13}
    assert any("2 edema, 5 core" in note for note in study.notes)


def test_fractions_are_cut_at_one_half_and_said_to_be(tmp_path: Path) -> None:
    series = series_of()
    frames = [(1, 2, 200 * box(0, 0, 4) - 100 * box(1, 1)), (1, 5, 128 * box(0, 0))]
    study = opened(tmp_path, series, segmentation(series, frames, "FRACTIONAL"))
    assert counts(study) == {1: 12 + 4}
    assert any("cut at one half" in note for note in study.notes)


def test_of_nested_segments_the_inner_one_lies_on_top(tmp_path: Path) -> None:
    series = series_of()
    frames = [(1, 4, box(1, 1)), (2, 4, box(0, 0, 5)), (3, 4, box(0, 0, 7))]
    study = opened(tmp_path, series, segmentation(series, frames, names=("core", "edema", "whole")))
    assert counts(study) == {1: 4, 2: 21, 3: 24}
    told = " ".join(study.notes)
    assert "1 core and 2 edema overlap in 4 voxels" in told
    assert "2 has 25" in told


def test_a_segment_that_would_disappear_is_refused(tmp_path: Path) -> None:
    series = series_of()
    frames = [(1, 4, box(1, 1)), (2, 4, box(1, 1))]
    with pytest.raises(FileFormatError, match=r"segment 1 left of seg\.dcm lies wholly under 2 right.*files of their"):
        opened(tmp_path, series, segmentation(series, frames, names=("left", "right")))


def test_segments_drawn_on_a_multi_frame_file_in_any_order(tmp_path: Path) -> None:
    series = series_of(n_slices=6)
    frames = [(1, 5, box(0, 0)), (1, 0, box(2, 2)), (1, 3, box(4, 4))]
    dataset = segmentation(series, frames)
    write_dataset(tmp_path / "image.dcm", enhanced(series, iter([(k, {}) for k in (3, 1, 0, 5, 4, 2)])))
    write_dataset(tmp_path / "seg.dcm", dataset)
    study = open_study([tmp_path / "image.dcm", f"labels={tmp_path / 'seg.dcm'}"])
    assert [int(plane.sum()) for plane in volume(study)] == [4, 0, 0, 4, 0, 4]


def test_labels_drawn_on_another_series_lie_where_they_lie_in_the_scanner(tmp_path: Path) -> None:
    drawn_on, finer = series_of(), series_of(n_slices=30, spacing=(1.0, 1.0, 1.0))
    dataset = segmentation(drawn_on, [(1, 2, box(0, 0, 3)), (1, 6, box(0, 0, 3))], SliceThickness=3.0)
    study = opened(tmp_path, finer, dataset)
    assert study.labels is not None
    assert np.count_nonzero(study.labels.volume()) * study.geometry().voxel_volume_ml == pytest.approx(0.162, rel=0.35)
    assert any("resampled" in note for note in study.notes)


def test_labels_in_another_frame_of_reference_are_noted(tmp_path: Path) -> None:
    series = series_of()
    dataset = segmentation(series, [(1, 2, box(0, 0))])
    dataset.FrameOfReferenceUID = f"{ROOT}.10"
    assert any("another frame of reference" in note for note in opened(tmp_path, series, dataset).notes)


def test_notes_of_labels_are_shown_wherever_they_are_opened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    series = series_of()
    folder = series.write(tmp_path / "images")
    dataset = segmentation(series, [(1, 4, box(1, 1)), (2, 4, box(0, 0))], names=("core", "edema"))
    path = tmp_path / "seg.dcm"
    write_dataset(path, dataset)
    overlap = "core and 2 edema overlap in 1 voxels"
    assert cli.main(["info", "--json", str(folder), f"labels={path}"]) == 0
    assert overlap in json.loads(capsys.readouterr().out)["notes"].__repr__()
    assert cli.main(["assess", "--segmentation", str(path), "--reference", str(path)]) == 0
    assert overlap in " ".join(capsys.readouterr().err.split())
    chosen = open_chosen([*finish(list_series(folder)), *finish(list_series(path))], "study")
    assert any(overlap in note for note in chosen.notes)
    subject = SurveyedSubject("one", "one", {}, {"label": path}, (10, *SHAPE), (3.0, 2.0, 1.5))
    samples = finish(sample_pixels([subject]))
    assert any(overlap in oddity.message for oddity in samples.oddities)


def test_alone_the_distance_of_slices_is_what_all_frames_are_multiples_of(tmp_path: Path) -> None:
    series = series_of(spacing=(3.6, 2.0, 1.5))
    write_dataset(
        tmp_path / "seg.dcm", segmentation(series, [(1, k, box(0, 0)) for k in (1, 4, 9)], SliceThickness=3.0)
    )
    image = read_image(tmp_path / "seg.dcm", "labels")
    assert image.geometry.voxel_size_mm[0] == pytest.approx(3.6)
    assert image.geometry.shape[0] == 9


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
@pytest.mark.parametrize("slices", [(4, 4), (4, 5)])
def test_time_points_of_a_segmentation_are_not_joined(tmp_path: Path, kind: str, slices: tuple[int, int]) -> None:
    series = series_of()
    frames = [(1, index, box(top, top)) for index, top in zip(slices, (1, 4), strict=True)]
    dataset = segmentation(series, frames, kind)
    for number, group in enumerate(dataset.PerFrameFunctionalGroupsSequence, 1):
        group.FrameContentSequence = [pydicom.Dataset()]
        group.FrameContentSequence[0].TemporalPositionIndex = number
    study = opened(tmp_path, series, dataset)
    assert counts(study) == {1: 4}
    assert np.array_equal(volume(study)[4], box(1, 1))
    assert any("2 time points; the first is used" in note for note in study.notes)


def test_a_segment_that_is_drawn_twice_on_a_slice_is_joined_and_said(tmp_path: Path) -> None:
    series = series_of()
    study = opened(tmp_path, series, segmentation(series, [(2, 4, box(1, 1)), (2, 4, box(4, 4))]))
    assert counts(study) == {2: 8}
    assert any("more than once on a slice, here differently, were joined: 2" in note for note in study.notes)


def test_labels_that_the_image_cannot_hold_are_named(tmp_path: Path) -> None:
    series = series_of()
    higher = series_of(first=(-10.0, -20.0, 30.0 + 8 * 3.0), series=f"{ROOT}.5")
    frames = [(1, 0, box(1, 1)), (2, 5, box(1, 1))]
    study = opened(tmp_path, series, segmentation(higher, frames, SpacingBetweenSlices=3.0))
    assert counts(study) == {1: 4}
    assert any("on no voxel of the image are lost: 2" in note for note in study.notes)


def hidden(series: Series) -> pydicom.Dataset:
    """A segmentation that no label volume can hold: one segment lies wholly under another."""
    return segmentation(series, [(1, 3, box(2, 2)), (2, 3, box(2, 2))])


def elsewhere(series: Series) -> pydicom.Dataset:
    return segmentation(series_of(first=(500.0, 500.0, 900.0)), [(1, 3, box(2, 2))])


@pytest.mark.parametrize("labels", [hidden, elsewhere])
def test_a_segmentation_that_cannot_be_used_never_refuses_the_images_of_its_folder(
    tmp_path: Path, labels: Callable[[Series], pydicom.Dataset]
) -> None:
    series = series_of()
    write_dataset(series.write(tmp_path) / "seg.dcm", labels(series))
    study = open_study(tmp_path)
    assert study.labels is None
    assert list(study.images) == ["FLAIR"]
    [note] = [note for note in study.notes if as_note(note).kind is NoteKind.LEFT_OUT]
    chosen = open_chosen(finish(list_series(tmp_path)), "study")
    [also] = [note for note in chosen.notes if as_note(note).kind is NoteKind.LEFT_OUT]
    assert chosen.labels is None
    assert len(note) < 400
    assert note.split(", ", 1)[1] == also.split(", ", 1)[1]


def test_the_next_segmentation_holds_the_labels_where_the_first_cannot_be_read(tmp_path: Path) -> None:
    series = series_of()
    folder = series.write(tmp_path)
    write_dataset(folder / "seg1.dcm", hidden(series))
    good = segmentation(series, [(1, 3, box(2, 2))])
    good.SeriesInstanceUID, good.SOPInstanceUID, good.SeriesNumber = f"{ROOT}.78", f"{ROOT}.78.1", 9
    write_dataset(folder / "seg2.dcm", good)
    study = open_study(folder)
    assert counts(study) == {1: 4}
    assert any("lies wholly under" in note for note in study.notes)


def test_two_segmentations_that_share_one_identifier_are_both_counted(tmp_path: Path) -> None:
    series = series_of()
    folder = series.write(tmp_path)
    for number in (3, 5):
        write_dataset(folder / f"seg{number}.dcm", segmentation(series, [(1, number, box(2, 2))]))
    assert any("2 segmentations" in note for note in open_study(folder).notes)
