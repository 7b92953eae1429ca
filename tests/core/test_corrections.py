"""Corrections: read back as they were saved, beside the study, never over anything."""

import json
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray

from mrviewer.errors import InputError, ShapeError
from mrviewer.geometry import Geometry
from mrviewer.readers import open_study, read_image
from mrviewer.study import Image, Study
from mrviewer.writers import corrections
from mrviewer.writers.corrections import list_corrections, save_correction
from mrviewer.writers.nifti import write_volume

SHAPE = (6, 5, 4)
NOW = datetime(2025, 3, 4, 5, 6, 7, tzinfo=UTC)
SOURCE = {"method": "multiunet", "mask": "random@4", "weights_sha256": "0" * 64}


def oblique() -> Geometry:
    """A grid stored as PSR that is turned by twenty degrees."""
    angle = np.deg2rad(20)
    affine = np.eye(4)
    affine[:3, :3] = np.array([[0, 0, 1.0], [-1, 0, 0], [0, 1, 0]]) @ np.diag([0.7, 0.8, 3.0])
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    turned: NDArray[np.float64] = turn @ affine
    return Geometry.from_stored((5, 6, 4), turned)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """A subject with two images and reference labels, on an oblique grid."""
    folder, geometry = tmp_path / "sub-01", oblique()
    folder.mkdir()
    values = np.random.default_rng(0).random(geometry.shape)
    write_volume(folder / "FLAIR.nii.gz", values, geometry)
    write_volume(folder / "T1.nii.gz", 2 * values, geometry)
    write_volume(folder / "labels.nii.gz", (values > 0.8).astype(np.uint8), geometry)
    return open_study(folder)


def painted(study: Study, seed: int = 1, highest: int = 3) -> NDArray[np.integer]:
    return np.random.default_rng(seed).integers(0, highest + 1, study.geometry().shape)


@pytest.mark.parametrize("highest", [1, 255, 300, 70_000])
def test_what_is_saved_is_read_back(study: Study, highest: int) -> None:
    labels = painted(study, highest=highest)
    labels.flat[0] = highest
    path = save_correction(study, labels, author="WX", source=SOURCE)
    image = read_image(path)
    assert image.geometry.matches(study.geometry())
    assert np.array_equal(image.volume(), labels)
    stored = nibabel.load(path)
    reference = nibabel.load(path.parents[1] / "labels.nii.gz")
    assert np.allclose(stored.affine, reference.affine)
    assert stored.shape == reference.shape


def test_it_says_who_when_and_from_what(study: Study) -> None:
    path = save_correction(study, painted(study), author=" WX ", source=SOURCE, now=NOW)
    assert path.parent == path.parents[1] / "mrviewer-corrections"
    assert path.name == "sub-01_20250304T050607Z_label.nii.gz"
    [found] = list_corrections(path.parents[1])
    assert (found.path, found.study, found.author, found.made, found.source) == (path, "sub-01", "WX", NOW, SOURCE)
    assert found.images == ("FLAIR.nii.gz", "T1.nii.gz")
    hashes = {file.name: sha256(file.read_bytes()).hexdigest() for file in path.parents[1].iterdir() if file.is_file()}
    assert found.based_on == hashes
    assert len(hashes) == 3


def test_no_folder_stands_in_the_files(study: Study, tmp_path: Path) -> None:
    path = save_correction(study, painted(study), author="WX", source=SOURCE)
    facts = path.with_name(path.name.replace(".nii.gz", ".json")).read_text()
    assert str(tmp_path) not in facts
    assert json.loads(facts)["study"] == study.name
    assert str(tmp_path).encode() not in nibabel.load(path).header.binaryblock


def test_other_time_zones_are_turned_into_utc(study: Study) -> None:
    east = NOW.astimezone(timezone(timedelta(hours=9)))
    path = save_correction(study, painted(study), author="WX", source=SOURCE, now=east)
    assert "20250304T050607Z" in path.name
    assert list_corrections(path.parents[1])[0].made == NOW


def test_the_study_stays_as_it_was(study: Study) -> None:
    folder = study.images["FLAIR"].path
    assert folder is not None
    before = {path: path.read_bytes() for path in folder.parent.iterdir()}
    save_correction(study, painted(study), author="WX", source=SOURCE)
    again = open_study(folder.parent)
    assert {path: path.read_bytes() for path in before} == before
    assert again.modalities == study.modalities
    assert again.labels is not None
    assert again.labels.path == folder.parent / "labels.nii.gz"


def test_saves_of_one_moment_are_all_kept(study: Study) -> None:
    every = [painted(study, seed) for seed in range(12)]

    def save(labels: NDArray[np.integer]) -> Path:
        return save_correction(study, labels, author="WX", source=SOURCE, now=NOW)

    with ThreadPoolExecutor(6) as pool:
        paths = list(pool.map(save, every))
    assert len(set(paths)) == len(every)
    for path, labels in zip(paths, every, strict=True):
        assert np.array_equal(read_image(path).volume(), labels)
    assert {found.path for found in list_corrections(paths[0].parents[1])} == set(paths)
    assert not [path for path in paths[0].parent.iterdir() if path.name.startswith(".")]


def test_the_newest_comes_last(study: Study) -> None:
    times = [NOW + timedelta(hours=hours) for hours in (3, 1, 2)]
    paths = [save_correction(study, painted(study), author="WX", source=SOURCE, now=time) for time in times]
    found = list_corrections(paths[0].parents[1])
    assert [correction.path for correction in found] == [paths[1], paths[2], paths[0]]


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (np.zeros((4, 5, 6), np.uint8), r"are \(4, 5, 6\) and lie on another grid than study 'sub-01', \(6, 5, 4\)"),
        (np.zeros((1, *SHAPE), np.uint8), "lie on another grid"),
        (Image(np.zeros(SHAPE, np.uint8), Geometry.axial(SHAPE, (1.0, 1.0, 1.0)), "labels"), "lie on another grid"),
    ],
)
def test_other_grids_are_refused(study: Study, labels: Image | NDArray[np.integer], reason: str) -> None:
    with pytest.raises(ShapeError, match=reason):
        save_correction(study, labels, author="WX", source=SOURCE)
    path = study.images["FLAIR"].path
    assert path is not None
    assert list_corrections(path.parent) == []


def test_labels_with_their_grid_are_taken(study: Study) -> None:
    labels = Image(painted(study), oblique(), "labels")
    path = save_correction(study, labels, author="WX", source=SOURCE)
    assert np.array_equal(read_image(path).volume(), labels.volume())


@pytest.mark.parametrize(
    ("labels", "author", "reason"),
    [
        (np.zeros(SHAPE), "WX", "whole numbers and these are float64"),
        (np.full(SHAPE, -1), "WX", "count from 0 and these go from -1"),
        (np.zeros(SHAPE, np.uint8), " ", "give an author"),
    ],
)
def test_what_is_no_correction_is_refused(study: Study, labels: NDArray[np.integer], author: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        save_correction(study, labels, author=author, source=SOURCE)


def test_a_folder_that_cannot_be_written_is_named_and_another_one_taken(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mkdir = Path.mkdir

    def refuse(path: Path, *arguments: object, **options: bool) -> None:
        if path.parent.name == "sub-01":
            raise PermissionError(13, "Permission denied", str(path))
        mkdir(path, **options)

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(InputError, match=r"saved in sub-01 \(Permission denied\); give another folder"):
        save_correction(study, painted(study), author="WX", source=SOURCE)
    other = tmp_path / "other"
    mkdir(other)
    path = save_correction(study, painted(study), author="WX", source=SOURCE, folder=other)
    assert [found.path for found in list_corrections(other)] == [path]
    with pytest.raises(InputError, match="there is no folder nowhere"):
        save_correction(study, painted(study), author="WX", source=SOURCE, folder=tmp_path / "nowhere")


def test_a_full_disk_leaves_nothing(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, *arguments: object, **options: object) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(corrections, "write_volume", full)
    with pytest.raises(InputError, match="No space left on device"):
        save_correction(study, painted(study), author="WX", source=SOURCE)
    path = study.images["FLAIR"].path
    assert path is not None
    assert not list((path.parent / "mrviewer-corrections").iterdir())


def test_a_study_without_files_needs_a_folder(tmp_path: Path) -> None:
    geometry = Geometry.axial(SHAPE, (1.0, 1.0, 1.0))
    study = Study("Sim ulated/7", {"FLAIR": Image(np.ones(SHAPE, np.float32), geometry, "FLAIR")})
    labels = np.ones(SHAPE, np.uint8)
    with pytest.raises(InputError, match="lies in no folder"):
        save_correction(study, labels, author="WX", source=SOURCE)
    path = save_correction(study, labels, author="WX", source=SOURCE, folder=tmp_path)
    assert re.fullmatch(r"Sim-ulated-7_\d{8}T\d{6}Z_label\.nii\.gz", path.name)
    [found] = list_corrections(tmp_path)
    assert (found.study, found.images, found.based_on) == ("Sim ulated/7", (), {})


def test_what_is_damaged_is_left_out(study: Study, caplog: pytest.LogCaptureFixture) -> None:
    good, *bad = (
        save_correction(study, painted(study), author="WX", source=SOURCE, now=NOW + timedelta(days=day))
        for day in range(5)
    )
    facts = [path.with_name(path.name.replace(".nii.gz", ".json")) for path in bad]
    facts[0].write_text("{")
    facts[1].write_text("[]")
    facts[2].write_text(json.dumps({**json.loads(facts[2].read_text()), "made": 3}))
    facts[3].unlink()
    with caplog.at_level(logging.WARNING):
        assert [found.path for found in list_corrections(good.parents[1])] == [good]
    assert all(path.name in caplog.text for path in bad)


def test_labels_that_lost_their_facts_are_not_written_over(study: Study) -> None:
    first = save_correction(study, painted(study), author="WX", source=SOURCE, now=NOW)
    content = first.read_bytes()
    first.with_name(first.name.replace(".nii.gz", ".json")).unlink()
    second = save_correction(study, painted(study, 2), author="WX", source=SOURCE, now=NOW)
    assert second != first
    assert first.read_bytes() == content
    assert [found.path for found in list_corrections(first.parents[1])] == [second]


def test_a_folder_without_corrections_has_none(tmp_path: Path) -> None:
    assert list_corrections(tmp_path) == []
    assert list_corrections(tmp_path / "nowhere") == []


def test_a_series_is_corrected_on_the_grid_of_its_volumes(tmp_path: Path) -> None:
    geometry = Geometry.axial(SHAPE, (1.0, 1.0, 1.0))
    image = Image(np.ones((3, *SHAPE), np.float32), geometry, "DCE")
    study = replace(Study("series", {"DCE": image}))
    path = save_correction(study, np.ones(SHAPE, bool), author="WX", source={}, folder=tmp_path)
    assert np.array_equal(read_image(path).volume(), np.ones(SHAPE, np.uint8))
