"""``mrviewer info IMAGE...`` tells what files hold."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from dicom_files import Series
from raw_files import HEIGHT, WIDTH, header, kspace, write_fastmri

from mrviewer import cli

XML = header((HEIGHT, WIDTH, 1), (HEIGHT, WIDTH, 1), (HEIGHT * 2.0, WIDTH * 1.5, 4.0))


def told(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict[str, Any]:
    capsys.readouterr()
    assert cli.main(["info", "--json", *map(str, arguments)]) == 0
    record: dict[str, Any] = json.loads(capsys.readouterr().out)
    return record


def texts(record: dict[str, Any], kind: str | None = None) -> list[str]:
    return [note["text"] for note in record["notes"] if kind in (None, note["kind"])]


def write_nifti(path: Path, values: np.ndarray[Any, Any], affine: np.ndarray[Any, Any] | None = None) -> Path:
    image = nib.Nifti1Image(values, np.diag([-2.0, 2.0, 3.0, 1.0]) if affine is None else affine)
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(image, path)
    return path


def head(n_frames: int = 0, seed: int = 0) -> np.ndarray[Any, Any]:
    shape = (20, 24, 18, n_frames) if n_frames else (20, 24, 18)
    return np.random.default_rng(seed).random(shape, np.float32) + 1


def lesions() -> np.ndarray[Any, Any]:
    labels = np.zeros((20, 24, 18), np.uint8)
    labels[2:4, 3:5, 4:6] = 1
    labels[10:12, 3:5, 4:6] = 1
    labels[15, 20, 16] = 4
    return labels


def test_raw_data_are_told_with_their_coils(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples = kspace(2)
    samples[..., 1::3] = 0
    write_fastmri(tmp_path / "T2.h5", samples, XML)
    record = told(capsys, tmp_path / "T2.h5")
    [image] = record["images"]
    orientation = image.pop("orientation")
    assert image == {
        "modality": "T2",
        "files": ["T2.h5"],
        "kind": "k-space",
        "shape": [2, HEIGHT, WIDTH],
        "voxel_size_mm": [4.0, 2.0, 1.5],
        "placed": False,
        "frames": ["the only volume"],
        "missing_slices": [],
        "coils": samples.shape[1],
        "kspace": "undersampled",
    }
    assert len(orientation) == 3
    assert record["labels"] is None
    assert any("acquired undersampled" in note for note in texts(record, "raw data"))


def test_images_labels_and_notes_of_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "sub-01"
    write_nifti(folder / "anat" / "FLAIR.nii.gz", head())
    write_nifti(folder / "anat" / "T1.nii.gz", head(seed=1))
    write_nifti(folder / "anat" / "lesion_mask.nii.gz", lesions())
    record = told(capsys, folder)
    assert [(image["modality"], image["files"]) for image in record["images"]] == [
        ("FLAIR", ["anat/FLAIR.nii.gz"]),
        ("T1", ["anat/T1.nii.gz"]),
    ]
    for image in record["images"]:
        assert (image["kind"], image["orientation"], image["placed"]) == ("image", "LAS", True)
        assert (image["shape"], image["voxel_size_mm"]) == ([18, 24, 20], [3.0, 2.0, 2.0])
        assert (image["coils"], image["kspace"]) == (None, "from magnitude")
    assert record["labels"] == {
        "source": "anat/lesion_mask.nii.gz",
        "classes": [
            {"value": 1, "voxels": 16, "ml": pytest.approx(16 * 0.012), "components": 2},
            {"value": 4, "voxels": 1, "ml": pytest.approx(0.012), "components": 1},
        ],
    }


def test_labels_that_are_given_go_before_those_beside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = write_nifti(tmp_path / "T1.nii", head())
    given = write_nifti(tmp_path / "other" / "drawn.nii", np.where(lesions() == 4, 2, 0).astype(np.uint8))
    record = told(capsys, image, "--reference-labels", given)
    assert record["labels"]["source"] == "drawn.nii"
    assert [(one["value"], one["voxels"]) for one in record["labels"]["classes"]] == [(2, 1)]
    assert cli.main(["info", "--reference-labels", str(given)]) == 2


def test_unplaced_series_say_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = nib.Nifti1Image(head(3), None)
    image.header["sform_code"] = image.header["qform_code"] = 0
    image.header["pixdim"][4] = 2.5
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, tmp_path / "DCE.nii")
    record = told(capsys, tmp_path / "DCE.nii")
    [entry] = record["images"]
    assert not entry["placed"]
    assert len(entry["orientation"]) == 3
    assert entry["frames"] == ["volume 1, at 0 s", "volume 2, at 2.5 s", "volume 3, at 5 s"]
    assert texts(record, "position")
    assert texts(record, "frames")


def test_series_of_dicom_are_told_with_files_gaps_and_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    series = Series(n_slices=6)
    del series.slices[2]
    series.write(tmp_path / "study" / "a")
    record = told(capsys, tmp_path / "study")
    [image] = record["images"]
    assert sorted(image["files"]) == [f"a/IM{number:04d}" for number in range(5)]
    assert (image["modality"], image["kind"], image["placed"]) == ("FLAIR", "magnitude", True)
    assert len(image["missing_slices"]) == 1
    assert texts(record, "missing slices")
    assert not any("Quixote" in text or "QX4711" in text for text in texts(record))


def test_diffusion_weightings_are_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number, b_value in enumerate((0, 1000)):
        series = Series(seed=number)
        for dataset in series.slices:
            dataset.DiffusionBValue, dataset.AcquisitionNumber = float(b_value), number + 1
            dataset.SOPInstanceUID = f"{dataset.SOPInstanceUID}.{number}"
            dataset.InstanceNumber += 5 * number
        series.write(tmp_path / "study" / str(number))
    [image] = told(capsys, tmp_path / "study")["images"]
    assert ["b 0" in image["frames"][0], "b 1000" in image["frames"][1]] == [True, True]


def placed_nifti(folder: Path) -> list[str]:
    return [str(write_nifti(folder / "T2.nii.gz", head()))]


def folder_with_labels(folder: Path) -> list[str]:
    write_nifti(folder / "p" / "FLAIR.nii.gz", head())
    write_nifti(folder / "p" / "T1.nii.gz", head()[:-1])
    write_nifti(folder / "p" / "mask.nii.gz", lesions())
    (folder / "p" / "T2.nii.gz").write_bytes(b"damaged")
    return [str(folder / "p")]


def labels_on_another_grid(folder: Path) -> list[str]:
    image = write_nifti(folder / "T1.nii", head())
    return [str(image), f"labels={write_nifti(folder / 'drawn.nii', lesions()[::2], np.diag([-4.0, 2.0, 3.0, 1.0]))}"]


def series_of_volumes(folder: Path) -> list[str]:
    return [str(write_nifti(folder / "bold.nii", head(4)))]


def dicom_with_a_gap(folder: Path) -> list[str]:
    series = Series(n_slices=8, shape=(20, 18))
    del series.slices[3]
    return [str(series.write(folder / "dicom"))]


def fully_sampled(folder: Path) -> list[str]:
    return [str(write_fastmri(folder / "T2.h5", kspace(2), XML))]


def named_axes(folder: Path) -> list[str]:
    np.save(folder / "T2.npy", kspace(1)[0])
    return [f"kspace={folder / 'T2.npy'}:coil,y,x"]


@pytest.mark.parametrize(
    "kind",
    [
        placed_nifti,
        folder_with_labels,
        labels_on_another_grid,
        series_of_volumes,
        dicom_with_a_gap,
        fully_sampled,
        named_axes,
    ],
)
def test_what_is_told_is_what_reconstruct_opens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: Callable[[Path], list[str]]
) -> None:
    arguments = kind(tmp_path)
    record = told(capsys, *arguments)
    options = ["--mask", "random", "--method", "zero-filled", "--output", str(tmp_path / "out"), "--json"]
    assert cli.main(["reconstruct", *arguments, *options]) == 0
    metrics = json.loads(capsys.readouterr().out)
    assert metrics["notes"] == texts(record)
    [image] = [image for image in record["images"] if image["modality"] == metrics["modality"]]
    written = nib.load(tmp_path / "out" / "reconstruction.nii.gz")
    assert "".join(nib.aff2axcodes(written.affine)) == image["orientation"]
    assert sorted(written.shape) == sorted(image["shape"])
    assert (written.header["sform_code"] > 0) == image["placed"]
    raw = image["kspace"] != "from magnitude"
    assert metrics["origin"] == ("scanner" if raw else "simulated from magnitude")


def test_the_readable_form_tells_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = folder_with_labels(tmp_path)
    assert cli.main(["info", *arguments]) == 0
    captured = capsys.readouterr()
    for word in ("FLAIR", "FLAIR.nii.gz", "20 x 24 x 18", "LAS", "from magnitude", "mask.nii.gz", "0.192"):
        assert word in captured.out
    assert "note: left out: T1" in captured.err


def test_what_does_not_open_is_refused_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.nii").write_bytes(b"")
    assert cli.main(["info", str(tmp_path / "a.nii")]) == 1
    assert "a.nii is an empty file" in capsys.readouterr().err


def test_reconstruct_says_notes_and_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "T2.npy", kspace(1)[0])
    options = ["--mask", "random", "--method", "zero-filled", "--output", str(tmp_path / "out")]
    assert cli.main(["reconstruct", str(tmp_path / "T2.npy"), *options]) == 0
    said = capsys.readouterr().err
    assert "note: the file does not tell its axes" in said
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())["image"]
    assert f"PSNR {metrics['psnr']:.2f} dB, SSIM {metrics['ssim']:.3f}, PSNR in the object" in said
