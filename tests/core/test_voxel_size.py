"""Voxel sizes that cannot be true are noticed, said before they do harm, and replaced on request."""

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from typer.testing import CliRunner

from mrviewer.cli import app, with_default_command
from mrviewer.errors import InputError
from mrviewer.geometry import Geometry
from mrviewer.images.voxel_size import parse_voxel_size, size_doubt, size_note, with_true_voxel_size
from mrviewer.methods.chain import Chain
from mrviewer.methods.registry import get_method
from mrviewer.notes import NoteKind, as_note
from mrviewer.readers import open_study
from mrviewer.study import Study
from mrviewer.writers.corrections import save_correction

FLAT = (22, 256, 256)


@pytest.mark.parametrize(
    ("shape", "voxel_mm", "is_doubtful"),
    [
        # A head half a metre wide and 22 mm tall, one of 1 mm throughout, and siblings in which a number is wrong.
        (FLAT, (1.0, 2.0, 2.0), True),
        (FLAT, (1.0, 1.0, 1.0), True),
        (FLAT, (1.0, 1.02, 1.25), True),
        ((24, 256, 256), (1.0, 1.09, 1.25), True),
        ((256, 24, 256), (2.0, 1.0, 2.0), True),
        ((176, 256, 256), (10.0, 10.0, 10.0), True),
        ((176, 256, 256), (1.0, 1000.0, 1000.0), True),
        ((40, 64, 64), (0.05, 0.05, 0.05), True),
        ((24, 512, 512), (5.0, 1.0, 1.0), True),
        ((44, 100, 100), (0.5, 5.0, 5.0), True),
        # What scanners write.
        (FLAT, (6.5, 0.9, 0.9), False),
        ((29, 512, 512), (5.0, 0.45, 0.45), False),
        ((512, 512, 17), (0.59, 0.59, 3.3), False),
        ((155, 240, 240), (1.0, 1.0, 1.0), False),
        ((9, 54, 49), (7.5, 0.5, 0.5), False),
        ((60, 320, 320), (0.5, 0.7, 0.7), False),
        ((96, 256, 256), (0.4, 0.8, 0.8), False),
        ((1, 320, 320), (5.0, 0.7, 0.7), False),
        ((3, 256, 256), (5.0, 1.0, 1.0), False),
        ((5, 8, 7), (1.0, 1.0, 1.0), False),
    ],
)
def test_what_a_scanner_does_not_write_is_noticed(
    shape: tuple[int, int, int], voxel_mm: tuple[float, float, float], is_doubtful: bool
) -> None:
    geometry = Geometry.axial(shape, voxel_mm)
    assert bool(size_doubt(geometry)) is is_doubtful
    assert (size_note(geometry) is not None) is is_doubtful


@given(st.tuples(*[st.floats(0.01, 1000)] * 3))
def test_a_voxel_size_is_given_along_x_y_and_z(edges: tuple[float, float, float]) -> None:
    assert parse_voxel_size(",".join(map(repr, edges))) == edges[::-1]


@pytest.mark.parametrize(
    "text", ["", "1", "1,2", "1,2,3,4", "a,b,c", "0,1,1", "-1,1,1", "nan,1,1", "inf,1,1", "1e9,1,1"]
)
def test_what_is_not_a_voxel_size_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is not three lengths in mm"):
        parse_voxel_size(text)


def head(path: Path, edges: tuple[float, float, float] = (2.0, 2.0, 1.0), affine: bool = True) -> Path:
    """Write an image ``(i, j, k)`` that is flat unless its edges say otherwise."""
    values = np.random.default_rng(0).gamma(2.0, 50.0, (64, 64, 6)).astype(np.float32)
    placed = np.diag([*edges, 1.0])
    placed[:3, 3] = -60, -60, -10
    image = nibabel.Nifti1Image(values, placed if affine else None)
    if not affine:
        image.header["pixdim"][1:4] = edges
    image.to_filename(path)
    return path


def labels(path: Path) -> Path:
    values = np.zeros((64, 64, 6), np.uint8)
    values[20:30, 20:30, 2:4] = 1
    image = nibabel.load(head(path))
    nibabel.Nifti1Image(values, image.affine).to_filename(path)
    return path


def size_notes(study: Study) -> list[str]:
    return [str(note) for note in map(as_note, study.notes) if note.kind is NoteKind.VOXEL_SIZE]


@pytest.mark.parametrize("affine", [True, False])
def test_a_study_says_so_and_keeps_what_was_given_instead(tmp_path: Path, affine: bool) -> None:
    study = open_study([head(tmp_path / "FLAIR.nii", affine=affine)])
    [note] = size_notes(study)
    assert "the voxel size of 2 x 2 x 1 mm can hardly be true" in note
    assert "--voxel-size X,Y,Z" in note
    corrected = with_true_voxel_size(study, (6.5, 0.9, 0.8))
    assert corrected.geometry().voxel_size_mm == pytest.approx((6.5, 0.9, 0.8))
    assert corrected.geometry().is_placed is affine
    assert size_notes(corrected) == ["the voxel size was given as 0.8 x 0.9 x 6.5 mm (x, y, z), in place of the file's"]
    np.testing.assert_array_equal(corrected.images["FLAIR"].volume(), study.images["FLAIR"].volume())
    again = with_true_voxel_size(corrected, (1.0, 2.0, 2.0))
    assert len(size_notes(again)) == 2


def test_labels_and_raw_data_follow(tmp_path: Path, kspace: Path) -> None:
    study = open_study([head(tmp_path / "FLAIR.nii")], labels=labels(tmp_path / "label.nii"))
    corrected = with_true_voxel_size(study, (6.5, 0.9, 0.9))
    assert corrected.labels is not None
    assert corrected.labels.geometry.matches(corrected.geometry())
    raw = with_true_voxel_size(open_study([f"kspace={kspace}:coil,y,x"]), (5.0, 0.9, 0.9))
    [data] = raw.raw.values()
    assert data.geometry.voxel_size_mm == pytest.approx((5.0, 0.9, 0.9))
    assert data.kspace(0).shape == data.coil_maps(0).shape


def test_labels_lie_on_the_grid_of_the_file_or_on_the_true_one(tmp_path: Path) -> None:
    image, mask = head(tmp_path / "FLAIR.nii"), labels(tmp_path / "label.nii")
    values = np.asarray(nibabel.load(mask).dataobj)
    true = nibabel.load(image).affine @ np.diag([0.45, 0.45, 6.5, 1])
    nibabel.Nifti1Image(values, true).to_filename(tmp_path / "true.nii")
    for path in (mask, tmp_path / "true.nii"):
        study = open_study([image], labels=path, voxel_mm=(6.5, 0.9, 0.9))
        assert study.labels is not None
        np.testing.assert_array_equal(study.labels.geometry.to_stored_order(study.labels.volume()), values)
        assert len(study.notes) == 1


def test_a_correction_lies_on_the_files_whatever_size_was_given(tmp_path: Path) -> None:
    image, mask = head(tmp_path / "FLAIR.nii"), labels(tmp_path / "label.nii")
    study = open_study([image], labels=mask, voxel_mm=(6.5, 0.9, 0.9))
    assert study.labels is not None
    path = save_correction(study, study.labels, author="ab", source={})
    np.testing.assert_allclose(nibabel.load(path).affine, nibabel.load(image).affine, atol=1e-5)


@pytest.fixture
def kspace(tmp_path: Path) -> Path:
    values = np.random.default_rng(1).standard_normal((2, 32, 32, 2)).astype(np.float32).view(np.complex64)[..., 0]
    centred: NDArray[np.complex64] = np.fft.fftshift(np.fft.fft2(np.abs(values))).astype(np.complex64)
    np.save(tmp_path / "a.npy", centred)
    return tmp_path / "a.npy"


# Methods and commands --------------------------------------------------------------------------------------------


def test_a_method_that_resamples_is_cautious_and_others_are_not(tmp_path: Path) -> None:
    study = open_study([head(tmp_path / "FLAIR.nii")])
    assert "multiunet resamples by the voxel size" in get_method("multiunet").fits(study, "FLAIR").caution
    assert get_method("zero-filled").fits(study, "FLAIR").caution == ""
    chain = Chain(get_method("zero-filled"), get_method("multiunet"))
    assert chain.card.needs.voxel_size
    assert "multiunet resamples" in chain.fits(study, "FLAIR").caution
    true = with_true_voxel_size(study, (6.5, 0.9, 0.9))
    assert get_method("multiunet").fits(true, "FLAIR").caution.startswith("multiunet was trained on slices")


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def test_the_command_says_so_before_it_runs_and_takes_the_true_size(tmp_path: Path) -> None:
    image, mask = head(tmp_path / "FLAIR.nii"), labels(tmp_path / "label.nii")
    given = ["reconstruct", image, "--reference-labels", mask, "--mask", "random", "--output", tmp_path / "out"]
    code, output = run(*given, "--method", "zero-filled+multiunet")
    assert code == 0, output
    assert output.index("caution: multiunet resamples") < output.index("wrote")
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert any("which can hardly be true" in line for line in metrics["conventions"])
    code, output = run(*given, "--method", "zero-filled+multiunet", "--voxel-size", "0.9,0.9,6.5")
    assert code == 0, output
    assert "resamples" not in output
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert not any("hardly" in line for line in metrics["conventions"])
    header = nibabel.load(tmp_path / "out" / "reconstruction.nii.gz").header
    np.testing.assert_allclose(header.get_zooms(), (0.9, 0.9, 6.5), rtol=1e-6)
    lesions = (tmp_path / "out" / "lesions.csv").read_text().splitlines()
    assert float(lesions[1].split(",")[2]) == pytest.approx(200 * 0.9 * 0.9 * 6.5e-3, rel=1e-3)


def test_other_commands_take_it_too(tmp_path: Path) -> None:
    image, mask = head(tmp_path / "FLAIR.nii"), labels(tmp_path / "label.nii")
    code, output = run("info", image, "--json")
    assert code == 0
    assert "can hardly be true" in output
    code, output = run("info", image, "--voxel-size", "0.9,0.9,6.5", "--json")
    assert json.loads(output)["images"][0]["voxel_size_mm"] == pytest.approx([6.5, 0.9, 0.9])
    code, output = run("assess", "--segmentation", mask, "--reference", mask)
    assert "can hardly be true" in output
    code, output = run("assess", "--segmentation", mask, "--reference", mask, "--voxel-size", "0.9,0.9,6.5", "--json")
    assert code == 0
    assert "hardly" not in output
    code, output = run("export-figure", "--image", image, "--output", tmp_path / "a.png", "--voxel-size", "0.9,0.9,6.5")
    assert code == 0
    code, output = run("info", image, "--voxel-size", "1,2")
    assert code != 0
    assert with_default_command(["--voxel-size", "1,1,6", "head.nii"])[0] == "view"
