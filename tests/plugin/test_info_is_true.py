"""What ``mrviewer info`` tells is what the viewer opens. No window."""

import json
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from series_files import write_series

from mrviewer import cli
from mrviewer.images.inventory import take_inventory
from mrviewer.physics import fft2c
from mrviewer.progress import finish
from mrviewer_napari.facts.scan import Scan
from mrviewer_napari.opening.examining import examine

SHAPE = (20, 24, 18)


def image(path: Path, shape: tuple[int, ...] = SHAPE, *, placed: bool = True) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = nib.Nifti1Image(np.random.default_rng(0).random(shape, np.float32), np.diag([-2.0, 2.0, 3.0, 1.0]))
    if not placed:
        made.header["sform_code"] = made.header["qform_code"] = 0
    nib.save(made, path)
    return path


def labels(path: Path) -> Path:
    values = np.zeros(SHAPE, np.uint8)
    values[3:5, 4:8, 5:9] = 1
    values[12:14, 4:8, 5:9] = 3
    nib.save(nib.Nifti1Image(values, np.diag([-2.0, 2.0, 3.0, 1.0])), path)
    return path


def unplaced(folder: Path) -> list[str]:
    return [str(image(folder / "T2.nii", placed=False))]


def subject(folder: Path) -> list[str]:
    image(folder / "p" / "FLAIR.nii")
    image(folder / "p" / "T1.nii", (20, 24, 17))
    labels(folder / "p" / "mask.nii")
    (folder / "p" / "T2.nii").write_bytes(b"damaged")
    return [str(folder / "p")]


def files_and_labels(folder: Path) -> list[str]:
    return [str(image(folder / "T1.nii")), str(labels(folder / "lesion_mask.nii"))]


def series_in_dicom(folder: Path) -> list[str]:
    write_series(folder / "a", "t2_flair", 1)
    return [str(folder / "a")]


def named_axes(folder: Path) -> list[str]:
    rng = np.random.default_rng(0)
    np.save(folder / "T2.npy", fft2c(rng.random((3, 32, 40)) + 0j).astype(np.complex64))
    return [f"kspace={folder / 'T2.npy'}:coil,y,x"]


@pytest.mark.parametrize("kind", [unplaced, subject, files_and_labels, series_in_dicom, named_axes])
def test_what_is_told_is_what_the_viewer_opens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: Callable[[Path], list[str]]
) -> None:
    arguments = kind(tmp_path)
    assert cli.main(["info", "--json", *arguments]) == 0
    told = json.loads(capsys.readouterr().out)
    scan = finish(examine(arguments))
    assert isinstance(scan, Scan)
    shown = json.loads(json.dumps(take_inventory(scan.patient).to_json()))
    for entry in (*told["images"], *shown["images"]):
        entry["files"] = sorted(Path(file).name for file in entry["files"])
    if told["labels"] is not None:
        for found in (told["labels"], shown["labels"]):
            found["source"] = Path(found["source"]).name
    assert shown == told
