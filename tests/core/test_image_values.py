"""What the values of an image give away."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray

from mrviewer.cli import main
from mrviewer.geometry import Geometry
from mrviewer.images.image_values import notes_on_values
from mrviewer.notes import Note, NoteKind
from mrviewer.study import Image

SHAPE = (6, 20, 16)


def image(values: NDArray[np.generic]) -> Image:
    return Image(values, Geometry.axial(SHAPE, (3.0, 1.0, 1.0)), "FLAIR")


def said_of(values: NDArray[np.generic]) -> tuple[Note, ...]:
    return notes_on_values(image(values), "FLAIR", lost="they were taken for 0", negative="they stay")


def picture() -> NDArray[np.float32]:
    return np.random.default_rng(0).uniform(0, 100, SHAPE).astype(np.float32)


@pytest.mark.parametrize("kind", [np.float32, np.int16, np.uint8])
def test_a_usual_image_needs_no_note(kind: type[np.generic]) -> None:
    assert said_of(picture().astype(kind)) == ()


@pytest.mark.parametrize("lost", [np.nan, np.inf])
def test_voxels_without_a_number_are_counted(lost: float) -> None:
    values = picture()
    values[4, 2:5, 3] = lost
    (note,) = said_of(values)
    assert note == "3 of 1,920 voxels of FLAIR are NaN or infinite: they were taken for 0"
    assert note.kind is NoteKind.VALUES


@pytest.mark.parametrize("kind", [np.float32, np.int16])
def test_values_below_zero_are_counted(kind: type[np.generic]) -> None:
    values = picture().astype(kind)
    values[0, :2, 0] = np.asarray(-5, kind)
    (note,) = said_of(values)
    assert note == "2 of 1,920 voxels of FLAIR are below 0, which no magnitude is: they stay"


@pytest.mark.parametrize("kind", [np.float64, np.uint8])
def test_a_label_map_is_not_taken_for_an_image(kind: type[np.generic]) -> None:
    labels = np.zeros(SHAPE, kind)
    labels[5, 3:6, 3:6] = 2
    (note,) = said_of(labels)
    assert note == "FLAIR holds the values 0, 2 alone: it may be a label map and not an image"


def test_an_empty_image_is_said() -> None:
    (note,) = said_of(np.zeros(SHAPE, np.float32))
    assert note == "FLAIR is 0 everywhere: there is nothing to be seen"


def test_few_grey_values_on_a_scale_of_fractions_are_an_image() -> None:
    assert said_of(np.round(picture() / 30) / 2 + np.float32(0.25)) == ()


def test_the_command_says_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = picture()
    values[2, 3, 4] = np.nan
    path = tmp_path / "FLAIR.nii.gz"
    nib.save(nib.Nifti1Image(np.ascontiguousarray(values.T), np.diag([1.0, 1, 3, 1])), path)
    arguments = ["--method", "zero-filled", "--mask", "random", "--output", str(tmp_path / "out")]
    assert main(["reconstruct", f"FLAIR={path}", *arguments]) == 0
    assert "note: 1 of 1,920 voxels of FLAIR are NaN or infinite: they were taken for 0" in capsys.readouterr().err


def test_figures_of_files_say_it_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = picture()
    truth[2, 3, 4] = np.nan
    for name, values in (("true", truth), ("made", picture()), ("mask", (picture() > 50).astype(np.float32))):
        nib.save(nib.Nifti1Image(np.ascontiguousarray(values.T), np.diag([1.0, 1, 3, 1])), tmp_path / f"{name}.nii.gz")
    given = ["assess", "--image-reference", str(tmp_path / "true.nii.gz")]
    assert main([*given, "--image", str(tmp_path / "made.nii.gz")]) == 0
    assert "1 of 1,920 voxels of true.nii.gz are NaN or infinite: no figure can be computed" in capsys.readouterr().err
    assert main([*given, "--image", str(tmp_path / "mask.nii.gz")]) == 0
    assert "mask.nii.gz holds the values 0, 1 alone: it may be a label map" in capsys.readouterr().err
