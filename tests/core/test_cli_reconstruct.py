"""``mrviewer reconstruct`` and ``assess`` from files to files."""

import csv
import json
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import pytest
from dicom_files import Series

from mrviewer import cli
from mrviewer.commands.reconstruct import ReconstructRequest, reconstruct_to_folder
from mrviewer.errors import InputError
from mrviewer.evaluation.conditions import SamplingCondition
from mrviewer.files.whole_folder import whole_folder
from mrviewer.method import Card, Fit, Measurement, Needs, Result, Task
from mrviewer.methods import registry
from mrviewer.progress import Progress
from mrviewer.study import Study
from mrviewer.writers.results import RESULT_FILES

CONTRACT = {
    "mask": {"name", "acceleration", "center_fraction", "seed", "achieved_acceleration"},
    "image": {"psnr", "ssim", "nmse", "hfen"},
    "segmentation": {
        "dice", "precision", "recall", "hd95_mm", "lesion_f1", "lesions_reference", "lesions_found",
        "lesion_f1_iou10", "false_regions",
    },
    "image_in_object": {"psnr", "ssim", "nmse", "hfen"},
}  # fmt: skip


@dataclass(frozen=True)
class Brightest:
    """Segments the brightest pixels of an image; stands for a network."""

    @property
    def card(self) -> Card:
        return Card("brightest", "Brightest", (Task.SEGMENT,), Needs(kspace=False), "doi:", classes=("lesion",))

    def fits(self, study: Study, modality: str) -> Fit:
        return Fit(True)

    def run(self, measurement: Measurement, device: str = "cpu") -> Generator[Progress, None, Result]:
        yield Progress(1, 1)
        return Result(segmentation=(measurement.images[measurement.modality] > 150).astype(np.uint8))


@pytest.fixture(autouse=True)
def brightest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``brightest`` be installed."""
    real = registry.get_method
    monkeypatch.setattr(registry, "get_method", lambda name: Brightest() if name == "brightest" else real(name))


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """Folder with a small head, two bright lesions in it, and their labels; stored as RAS."""
    grid = np.indices((24, 28, 12))
    distance = np.sqrt(sum(((axis - size / 2) / size) ** 2 for axis, size in zip(grid, (24, 28, 12), strict=True)))
    labels = np.zeros((24, 28, 12), np.uint8)
    labels[7:9, 10:13, 4:6] = 1
    labels[15:17, 15:17, 6:8] = 1
    image = 100.0 * (distance < 0.4) + 100 * labels
    affine = np.diag([1.0, 1.0, 3.0, 1.0])
    folder = tmp_path / "scan"
    folder.mkdir()
    nibabel.save(nibabel.Nifti1Image(image.astype(np.float32), affine), folder / "FLAIR.nii.gz")
    nibabel.save(nibabel.Nifti1Image(labels, affine), folder / "truth.nii.gz")
    return folder


def run(scan: Path, output: Path, *more: str, method_name: str = "zero-filled") -> int:
    image = f"FLAIR={scan / 'FLAIR.nii.gz'}"
    options = ["--mask", "random", "--method", method_name, "--output", str(output), "--device", "cpu"]
    return cli.main(["reconstruct", image, *options, *more])


def test_writes_what_the_contract_says(scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "out"
    assert run(scan, output, "--acceleration", "3", "--seed", "7", "--json") == 0
    metrics = json.loads((output / "metrics.json").read_text())
    assert json.loads(capsys.readouterr().out) == metrics
    for part, keys in CONTRACT.items():
        assert set(metrics[part]) == keys
    assert {"method", "device", "seconds", "origin"} <= set(metrics)
    assert metrics["mask"] | {"achieved_acceleration": None} == {
        "name": "random", "acceleration": 3.0, "center_fraction": 0.08, "seed": 7, "achieved_acceleration": None,
    }  # fmt: skip
    assert set(metrics["segmentation"].values()) == {None}
    assert sorted(path.name for path in output.iterdir()) == sorted(
        {"reconstruction.nii.gz", "error.nii.gz", "mask.npy", "metrics.json"}
    )
    mask = np.load(output / "mask.npy")
    assert metrics["mask"]["achieved_acceleration"] == mask.size / mask.sum()


def test_volumes_lie_over_the_input(scan: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    assert run(scan, output, "--acceleration", "2") == 0
    original, result, error = (
        nibabel.load(path)
        for path in (scan / "FLAIR.nii.gz", output / "reconstruction.nii.gz", output / "error.nii.gz")
    )
    assert np.allclose(result.affine, original.affine)
    assert np.allclose(result.get_fdata() - original.get_fdata(), error.get_fdata(), atol=1e-3)
    assert np.abs(error.get_fdata()).max() > 1


def test_full_sampling_loses_nothing(scan: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    assert run(scan, output, "--mask", "full") == 0
    metrics = json.loads((output / "metrics.json").read_text())
    assert metrics["image"]["nmse"] < 1e-10
    assert metrics["image"]["ssim"] > 0.9999
    assert metrics["mask"]["achieved_acceleration"] == 1


def test_chain_segments_and_counts_lesions(scan: Path, tmp_path: Path) -> None:
    output, labels = tmp_path / "out", str(scan / "truth.nii.gz")
    assert run(scan, output, "--mask", "full", "--reference-labels", labels, method_name="zero-filled+brightest") == 0
    assert sorted(path.name for path in output.iterdir()) == sorted(set(RESULT_FILES) - {"segmentation_classes.nii.gz"})
    metrics = json.loads((output / "metrics.json").read_text())
    assert metrics["method"] == "zero-filled+brightest"
    assert metrics["segmentation"]["dice"] == 1
    assert (metrics["segmentation"]["lesions_reference"], metrics["segmentation"]["lesions_found"]) == (2, 2)
    with (output / "lesions.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["status"] for row in rows] == ["found", "found"]
    assert [float(row["volume_ml"]) for row in rows] == pytest.approx([0.036, 0.024])


def test_a_method_that_only_segments_writes_no_reconstruction(scan: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    assert run(scan, output, method_name="brightest") == 0
    assert sorted(path.name for path in output.iterdir()) == ["metrics.json", "segmentation.nii.gz"]
    metrics = json.loads((output / "metrics.json").read_text())
    assert set(metrics["image"].values()) == {None}
    # It looked at the full image: no mask was applied, whatever was asked for.
    assert metrics["mask"] == {
        "name": "full", "acceleration": 1.0, "center_fraction": None, "seed": None, "achieved_acceleration": 1.0,
    }  # fmt: skip


def test_assess_gives_the_figures_of_the_files_again(
    scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, labels = tmp_path / "out", str(scan / "truth.nii.gz")
    assert run(scan, output, "--reference-labels", labels, method_name="zero-filled+brightest") == 0
    capsys.readouterr()
    files = {
        "segmentation": output / "segmentation.nii.gz",
        "reference": labels,
        "image": output / "reconstruction.nii.gz",
        "image-reference": scan / "FLAIR.nii.gz",
    }
    options = [text for name, path in files.items() for text in (f"--{name}", str(path))]
    assert cli.main(["assess", "--json", *options]) == 0
    again, written = json.loads(capsys.readouterr().out), json.loads((output / "metrics.json").read_text())
    assert again["segmentation"] == written["segmentation"]
    for mine, theirs in zip(again["lesions"], written["lesions"], strict=True):
        # The image was written in single precision.
        assert mine.pop("error_percent") == pytest.approx(theirs["error_percent"], rel=1e-5)
        assert mine == {name: value for name, value in theirs.items() if name != "error_percent"}
    for part in ("image", "image_in_object"):
        for name, value in written[part].items():
            assert again[part][name] == (value if value is None else pytest.approx(value, rel=1e-5))
    with (output / "lesions.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert rows == [{k: "" if v is None else str(v) for k, v in row.items()} for row in written["lesions"]]


def test_assess_leaves_out_what_a_series_lacks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    series = Series(n_slices=10, shape=(40, 36))
    del series.slices[3]
    folder, output = series.write(tmp_path / "dicom"), tmp_path / "out"
    options = ["--mask", "random", "--method", "zero-filled", "--output", str(output)]
    assert cli.main(["reconstruct", str(folder), *options]) == 0
    written = json.loads((output / "metrics.json").read_text())
    capsys.readouterr()
    files = ["--image", str(output / "reconstruction.nii.gz"), "--image-reference", str(folder)]
    assert cli.main(["assess", "--json", *files]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["missing_slices"] == written["missing_slices"] == [6]
    for part in ("image", "image_in_object"):
        assert again[part] == pytest.approx(written[part], rel=1e-5)


def test_assess_leaves_out_the_slices_that_it_is_given(
    scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, image = tmp_path / "out", str(scan / "FLAIR.nii.gz")
    assert run(scan, output) == 0
    options = ["--image", str(output / "reconstruction.nii.gz"), "--image-reference", image, "--json"]
    found = []
    for more in ([], ["--missing-slices", "0,1"]):
        capsys.readouterr()
        assert cli.main(["assess", *options, *more]) == 0
        found.append(json.loads(capsys.readouterr().out))
    assert [one["missing_slices"] for one in found] == [[], [0, 1]]
    assert found[0]["image"]["ssim"] != found[1]["image"]["ssim"]
    assert cli.main(["assess", *options, "--missing-slices", "a"]) == 2


def test_an_earlier_run_is_replaced(scan: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    assert run(scan, output, method_name="zero-filled+brightest") == 0
    (output / "notes.txt").write_text("mine")
    assert run(scan, output) == 0
    assert not (output / "segmentation.nii.gz").exists()
    assert (output / "notes.txt").read_text() == "mine"


def test_stopping_leaves_nothing_behind(scan: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    request = ReconstructRequest(
        images=(str(scan / "FLAIR.nii.gz"),),
        sampling=SamplingCondition("random", 4, 0.08, 0),
        method="cs-wavelet",
        modality=None,
        reference_labels=None,
        min_lesion_ml=0,
        device="cpu",
        output=output,
    )
    job = reconstruct_to_folder(request)
    next(job)
    job.close()
    assert [path.name for path in tmp_path.iterdir()] == ["scan"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError("disk is full")])
def test_an_error_while_writing_keeps_the_earlier_files(tmp_path: Path, error: BaseException) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.txt").write_text("old")

    def write() -> None:
        with whole_folder(tmp_path / "out", ["a.txt"]) as folder:
            (folder / "a.txt").write_text("half")
            raise error

    with pytest.raises(type(error)):
        write()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "a.txt").read_text() == "old"


def test_output_may_not_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(InputError, match="output out is a file"), whole_folder(tmp_path / "out", ["a.txt"]):
        pass


def test_assess_gives_the_same_numbers(scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output, labels = tmp_path / "out", str(scan / "truth.nii.gz")
    options = ("--acceleration", "3", "--reference-labels", labels)
    assert run(scan, output, *options, method_name="zero-filled+brightest") == 0
    capsys.readouterr()
    pairs = {
        "--segmentation": output / "segmentation.nii.gz",
        "--reference": labels,
        "--image": output / "reconstruction.nii.gz",
        "--image-reference": scan / "FLAIR.nii.gz",
    }
    assert cli.main(["assess", "--json", *(str(part) for pair in pairs.items() for part in pair)]) == 0
    again = json.loads(capsys.readouterr().out)
    metrics = json.loads((output / "metrics.json").read_text())
    assert again["segmentation"] == pytest.approx(metrics["segmentation"])
    assert again["image"] == pytest.approx(metrics["image"], rel=1e-4)


def test_assess_refuses_two_grids(scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.zeros((24, 28, 12), np.uint8), np.eye(4)), other)
    assert cli.main(["assess", "--segmentation", str(other), "--reference", str(scan / "truth.nii.gz")]) == 1
    assert "do not lie on the same grid" in capsys.readouterr().err
