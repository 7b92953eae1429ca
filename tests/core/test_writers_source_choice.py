"""A result goes onto the series that it was made from, or a person is asked: never onto another one unasked."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import highdicom
import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray
from planted_dicom import make_series
from pydicom import dcmread

from mrviewer import cli
from mrviewer.errors import InputError
from mrviewer.geometry import Geometry
from mrviewer.progress import finish
from mrviewer.readers import open_study
from mrviewer.readers.dicom.listing import list_series
from mrviewer.readers.dicom.reading import read_series
from mrviewer.readers.dicom_choice import open_chosen
from mrviewer.readers.phases import split_into_phases
from mrviewer.writers import write_volume
from mrviewer.writers.dicom.dicom_source import read_sources, source_of
from mrviewer.writers.dicom.source_choice import SourceWish, UnclearSourceError, choose_source, find_source

SERIES = {11: "T1 post gad", 36468: "t2_flair", 37870: "T2 tse"}
N_SLICES = 5


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study as a disc holds it: three series on one grid, files without ending, two a folder."""
    root = tmp_path_factory.mktemp("disc")
    for number, words in SERIES.items():
        made = make_series(root / "flat" / str(number), number=number, study="1.2.826.0.1.3680043.10.543.7")
        for index, path in enumerate(made.files):
            image = dcmread(path)
            image.SeriesDescription = words
            folder = root / "nested" / "DISC1" / f"IMG{number % 7:04d}" / str(index // 2)
            folder.mkdir(parents=True, exist_ok=True)
            image.save_as(folder / f"IM{(index * 37 + number) % 9973:07d}")
    shutil.rmtree(root / "flat")
    shutil.make_archive(str(root / "packed"), "zip", root / "nested")
    return root


@pytest.fixture
def grid(exported: Path) -> Geometry:
    return read_sources(exported / "nested")[0].geometry


def result(folder: Path, grid: Geometry, modality: str = "") -> Path:
    """A mask on a grid, with the numbers of its run beside it where its modality is given."""
    volume = np.zeros(grid.shape, np.uint8)
    volume[1:4, 2:5, 3:6] = 1
    folder.mkdir(exist_ok=True)
    if modality:
        (folder / "metrics.json").write_text(json.dumps({"modality": modality}))
    return write_volume(folder / "segmentation.nii.gz", volume, grid)


@pytest.mark.parametrize("container", ["nested", "packed.zip"])
@pytest.mark.parametrize("modality", ["FLAIR", "T1Gd", "T2"])
def test_an_open_image_knows_its_files(exported: Path, container: str, modality: str) -> None:
    entries = finish(list_series(exported / container))
    image = open_chosen(entries, "study").images[modality]
    source = source_of(image)
    assert source is not None
    [entry] = [entry for entry in entries if entry.modality == modality]
    assert (source.uid, source.number, source.modality) == (entry.uid, entry.number, modality)
    assert len(source.planes) == N_SLICES
    assert {plane.header.SeriesInstanceUID for plane in source.planes} == {entry.uid}
    assert source.geometry is image.geometry


def test_an_image_of_another_format_has_no_series(tmp_path: Path, grid: Geometry) -> None:
    path = write_volume(tmp_path / "FLAIR.nii.gz", np.ones(grid.shape, np.float32), grid)
    assert source_of(open_study(path).images["FLAIR"]) is None


def test_a_phase_refers_to_its_own_files(shared_data: Path) -> None:
    [entry] = finish(list_series(shared_data / "oddities_dicom" / "dynamic_4_timepoints_6_slices"))
    phases = split_into_phases(read_series(replace(entry, modality="DCE"))).images
    assert len(phases) == 4
    for phase, frames in zip(phases, entry.stacks[0].frames, strict=True):
        source = source_of(phase)
        assert source is not None
        assert source.modality == phase.modality
        uids = [dcmread(frame.file.path, stop_before_pixels=True).SOPInstanceUID for frame in frames if frame]
        assert [plane.header.SOPInstanceUID for plane in source.planes] == uids


@pytest.mark.parametrize(("modality", "number"), [("FLAIR", 36468), ("T1Gd", 11), ("T2_2", 37870)])
def test_the_modality_decides_among_series_on_one_grid(
    exported: Path, grid: Geometry, modality: str, number: int
) -> None:
    assert find_source(exported / "nested", SourceWish(grid, modality)).number == number


def test_the_very_series_wins_whatever_it_is_called(exported: Path, grid: Geometry) -> None:
    sources = read_sources(exported / "nested")
    for source in sources:
        assert choose_source(sources, SourceWish(grid, "FLAIR", source.uid)) is source
    assert choose_source(sources, SourceWish(grid, "FLAIR", sources[0].uid, number=37870)).number == 37870


@pytest.mark.parametrize("modality", ["unknown", "PD"])
def test_what_is_not_clear_is_asked(exported: Path, grid: Geometry, modality: str) -> None:
    with pytest.raises(UnclearSourceError, match="--series NUMBER") as caught:
        find_source(exported / "nested", SourceWish(grid, modality))
    for told in ("series 11 (T1Gd, 5 slices)", "series 36468 (FLAIR, 5 slices)", "series 37870 (T2, 5 slices)"):
        assert told in str(caught.value)


def test_one_series_of_another_modality_is_not_taken(exported: Path, grid: Geometry) -> None:
    only = [source for source in read_sources(exported / "nested") if source.number == 11]
    with pytest.raises(UnclearSourceError, match="made from FLAIR, and there is only series 11"):
        choose_source(only, SourceWish(grid, "FLAIR"))
    assert choose_source(only, SourceWish(grid)) is only[0]
    silent = [replace(only[0], modality="unknown")]
    assert choose_source(silent, SourceWish(grid, "FLAIR")) is silent[0]


def test_a_grid_tells_series_apart(exported: Path, tmp_path: Path, grid: Geometry) -> None:
    make_series(tmp_path / "a", (3, 6, 6), number=1)
    make_series(tmp_path / "b", number=3)
    labels = read_sources(tmp_path)[-1].geometry
    assert find_source(tmp_path, SourceWish(labels)).number == 3
    with pytest.raises(InputError, match="there is no series 4; there are series 1"):
        find_source(tmp_path, SourceWish(labels, number=4))
    with pytest.raises(InputError, match="the grid of none of series 1"):
        find_source(tmp_path, SourceWish(Geometry.axial((4, 4, 4), (1.0, 1.0, 1.0))))


def test_a_number_that_two_studies_use_is_refused(tmp_path: Path) -> None:
    make_series(tmp_path / "a")
    make_series(tmp_path / "b")
    sources = read_sources(tmp_path)
    with pytest.raises(InputError, match="2 series have the number 3"):
        choose_source(sources, SourceWish(sources[0].geometry, number=3))


def test_commands_take_the_modality_of_the_run(
    exported: Path, tmp_path: Path, grid: Geometry, capsys: pytest.CaptureFixture[str]
) -> None:
    path = result(tmp_path / "run", grid, "FLAIR")
    where = ["--dicom", str(exported / "nested")]
    seg, images = tmp_path / "seg.dcm", tmp_path / "images"
    assert cli.main(["export-seg", "--segmentation", str(path), *where, "--output", str(seg)]) == 0
    assert cli.main(["export-dicom", "--reconstruction", str(path), *where, "--output", str(images)]) == 0
    assert "on series 36468 (FLAIR, 5 slices)" in capsys.readouterr().err
    [flair] = [source for source in read_sources(exported / "nested") if source.modality == "FLAIR"]
    assert highdicom.seg.segread(seg).ReferencedSeriesSequence[0].SeriesInstanceUID == flair.uid
    first = dcmread(images / "reconstruction-0001.dcm")
    assert first.RelatedSeriesSequence[0].SeriesInstanceUID == flair.uid
    assert str(first.SeriesDescription).startswith("FLAIR reconstruction")


def test_commands_ask_where_nothing_tells(
    exported: Path, tmp_path: Path, grid: Geometry, capsys: pytest.CaptureFixture[str]
) -> None:
    path = result(tmp_path / "run", grid)
    given = ["export-seg", "--segmentation", str(path), "--dicom", str(exported / "nested")]
    seg = tmp_path / "seg.dcm"
    assert cli.main([*given, "--output", str(seg)]) == 1
    assert "--series NUMBER" in capsys.readouterr().err
    assert not seg.exists()
    assert cli.main([*given, "--output", str(seg), "--modality", "t2"]) == 0
    assert "series 37870" in capsys.readouterr().err
    assert cli.main([*given, "--output", str(seg), "--series", "11"]) == 0
    assert "series 11" in capsys.readouterr().err


def test_what_a_person_chose_keeps_the_modality_of_the_run(exported: Path, tmp_path: Path, grid: Geometry) -> None:
    path = result(tmp_path / "run", grid, "FLAIR")
    given = ["export-dicom", "--reconstruction", str(path), "--dicom", str(exported / "nested"), "--series", "11"]
    assert cli.main([*given, "--output", str(tmp_path / "images")]) == 0
    assert str(dcmread(tmp_path / "images" / "reconstruction-0001.dcm").SeriesDescription).startswith("FLAIR")


@pytest.mark.parametrize("affine", [None, np.eye(4)])
def test_a_result_without_a_position_is_never_given_one(
    exported: Path,
    tmp_path: Path,
    grid: Geometry,
    capsys: pytest.CaptureFixture[str],
    affine: NDArray[np.float64] | None,
) -> None:
    path = tmp_path / "mask.nii"
    nibabel.Nifti1Image(np.ones(grid.stored_shape, np.uint8), affine).to_filename(path)
    target = ["--dicom", str(exported / "nested"), "--series", "11", "--output", str(tmp_path / "out.dcm")]
    for given in (["export-seg", "--segmentation", str(path)], ["export-dicom", "--reconstruction", str(path)]):
        assert cli.main([*given, *target]) == 1
        assert "how it lies in the scanner, so it cannot be put on a DICOM series" in capsys.readouterr().err
        assert not (tmp_path / "out.dcm").exists()


def test_a_command_refuses_to_lose_labels(
    exported: Path, tmp_path: Path, grid: Geometry, capsys: pytest.CaptureFixture[str]
) -> None:
    path = result(tmp_path / "run", grid)
    part = tmp_path / "part"
    part.mkdir()
    files = [file.path for entry in finish(list_series(exported / "nested"))[:1] for file in entry.files]
    shutil.copy(files[2], part / "IM1")
    given = ["export-seg", "--segmentation", str(path), "--dicom", str(part), "--output", str(tmp_path / "seg.dcm")]
    assert cli.main(given) == 1
    assert "18 of 27 labelled voxels" in capsys.readouterr().err
    assert not (tmp_path / "seg.dcm").exists()
