"""Four phases and dynamic series: names, files of four frames, MATLAB files."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
from scipy.io import savemat

from mrviewer.errors import FileFormatError, InputError
from mrviewer.images.dynamic import PHASES, signal_curve
from mrviewer.names.image_names import canonical_modality
from mrviewer.readers import guess_modality, open_study, read_image


def write(path: Path, shape: tuple[int, ...], level: float = 1.0) -> Path:
    values = level * np.arange(1, np.prod(shape) + 1, dtype=np.float32).reshape(shape)
    nibabel.save(nibabel.Nifti1Image(values, np.diag([2.0, 2.0, 5.0, 1.0])), path)
    return path


@pytest.mark.parametrize(
    ("name", "modality"),
    [
        ("pre.nii.gz", "pre-contrast"),
        ("liver_pre-contrast.nii.gz", "pre-contrast"),
        ("preContrast.nii", "pre-contrast"),
        ("MR-1_C-pre.nii.gz", "pre-contrast"),
        ("art.nii.gz", "arterial"),
        ("T1_arterial_phase.nii.gz", "arterial"),
        ("MR-1_C+A.nii.gz", "arterial"),
        ("pv.nii.gz", "portal-venous"),
        ("portal_venous.nii.gz", "portal-venous"),
        ("MR-1_C+V.nii.gz", "portal-venous"),
        ("T1Gd_delayed.nii.gz", "delayed"),
        ("MR-1_C+Delay.nii.gz", "delayed"),
        ("dce_arterial.nii.gz", "arterial"),
        ("DCE.nii.gz", "DCE"),
        ("T1_pre.nii.gz", "T1"),
        ("pre_operation.nii.gz", "unknown"),
        ("FLAIR_art.nii.gz", "FLAIR"),
    ],
)
def test_names_tell_the_phase(name: str, modality: str) -> None:
    assert guess_modality(name) == modality


@pytest.mark.parametrize(("typed", "modality"), [("Venous", "portal-venous"), ("ART", "arterial"), ("dce", "DCE")])
def test_a_phase_may_be_typed_as_people_do(typed: str, modality: str) -> None:
    assert canonical_modality(typed) == modality


def test_four_files_make_a_four_phase_study(tmp_path: Path) -> None:
    for name in ("pre", "art", "pv", "delayed"):
        write(tmp_path / f"{name}.nii.gz", (5, 4, 3))
    study = open_study([tmp_path])
    assert study.modalities == PHASES
    assert study.notes == ()


def test_a_series_of_four_frames_is_a_four_phase_study(tmp_path: Path) -> None:
    path = write(tmp_path / "scan.nii.gz", (5, 4, 3, 4))
    study = open_study([f"DCE={path}"])
    assert study.modalities == PHASES
    assert study.notes == (f"the four volumes of the series are taken as {', '.join(PHASES)}",)
    series = read_image(path, "DCE")
    for frame, name in enumerate(PHASES):
        assert study.images[name].n_frames == 1
        assert np.array_equal(study.images[name].volume(), series.volume(frame))


@pytest.mark.parametrize("frames", [3, 5])
def test_other_series_stay_series(tmp_path: Path, frames: int) -> None:
    study = open_study([f"DCE={write(tmp_path / 'scan.nii.gz', (5, 4, 3, frames))}"])
    assert study.modalities == ("DCE",)
    assert study.images["DCE"].n_frames == frames


def test_four_frames_of_something_else_are_no_phases(tmp_path: Path) -> None:
    assert open_study([write(tmp_path / "dwi.nii.gz", (5, 4, 3, 4))]).modalities == ("DWI",)


def test_a_phase_beside_a_series_gets_a_name_of_its_own(tmp_path: Path) -> None:
    series, extra = write(tmp_path / "scan.nii.gz", (5, 4, 3, 4)), write(tmp_path / "extra.nii.gz", (5, 4, 3), 9)
    study = open_study([f"DCE={series}", f"arterial={extra}"])
    assert study.modalities == (*PHASES, "arterial_2")


def test_a_real_series_opens(shared_data: Path) -> None:
    study = open_study([shared_data / "breast_dce" / "invivo.mat"])
    image = study.images["DCE"]
    assert image.data.shape == (25, 1, 192, 192)
    assert image.volume(24).max() > image.volume(0).max()
    assert len(signal_curve(image, (0, 96, 96))) == 25
    assert any("neither voxel size nor position" in note for note in study.notes)


def test_the_times_tell_which_array_is_the_series_and_which_axis_is_time(tmp_path: Path) -> None:
    series = np.random.default_rng(0).random((6, 5, 7))
    savemat(tmp_path / "a.mat", {"first": series, "second": np.zeros((3, 5, 6)), "t": np.arange(7.0)})
    frames = np.asarray(read_image(tmp_path / "a.mat").data)
    assert np.allclose(frames[:, 0], np.moveaxis(series, 2, 0))
    savemat(tmp_path / "b.mat", {"only": series.astype(np.float32)})
    assert np.allclose(np.asarray(read_image(tmp_path / "b.mat").data)[:, 0], series)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": np.ones((2, 3, 4)), "b": np.ones((2, 3, 4))}, r"a \(2, 3, 4\), b \(2, 3, 4\) and one series"),
        ({"image": np.ones((3, 4))}, r"image \(3, 4\) and one series \(time, y, x\) was expected"),
        ({"text": "hello"}, r"holds no number and one series"),
        ({"coils": np.ones((2, 3, 4), complex)}, "array coils in scan.mat is complex and a real-valued series"),
    ],
)
def test_other_matlab_files_are_refused(tmp_path: Path, arrays: dict[str, object], message: str) -> None:
    savemat(tmp_path / "scan.mat", arrays)
    with pytest.raises(FileFormatError, match=message):
        open_study([tmp_path / "scan.mat"])


def test_damaged_matlab_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "scan.mat"
    savemat(path, {"series": np.random.default_rng(0).random((6, 5, 7))}, do_compression=True)
    whole = path.read_bytes()
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(60):
        damaged = bytearray(whole)
        for place in rng.integers(120, len(whole), 8):
            damaged[place] = rng.integers(256)
        path.write_bytes(bytes(damaged))
        try:
            read_image(path)
        except InputError:
            refused += 1
    assert refused > 30
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileFormatError, match=r"scan\.mat"):
        read_image(path)
    path.write_bytes(b"MATLAB 7.3 MAT-file" + bytes(600))
    with pytest.raises(FileFormatError, match=r"version 7\.3; save it with -v7"):
        read_image(path)


def test_an_array_that_does_not_begin_with_its_shortest_axis_is_a_stack_of_slices(tmp_path: Path) -> None:
    volume = np.random.default_rng(0).random((40, 30, 9)).astype(np.float32)
    savemat(tmp_path / "FLAIR.mat", {"im": volume})
    [image] = open_study(tmp_path / "FLAIR.mat").images.values()
    assert (image.modality, image.n_frames, image.geometry.shape) == ("FLAIR", 1, (9, 40, 30))
    assert np.allclose(image.volume(), np.moveaxis(volume, 2, 0))
