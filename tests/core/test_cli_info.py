"""``mrviewer info IMAGE...`` tells what files hold."""

import json
from pathlib import Path

import numpy as np
import pytest
from raw_files import HEIGHT, WIDTH, header, kspace, write_fastmri

from mrviewer import cli

XML = header((HEIGHT, WIDTH, 1), (HEIGHT, WIDTH, 1), (HEIGHT * 2.0, WIDTH * 1.5, 4.0))


def test_raw_data_are_told_with_their_coils(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples = kspace(2)
    samples[..., 1::3] = 0
    write_fastmri(tmp_path / "T2.h5", samples, XML)
    assert cli.main(["info", "--json", str(tmp_path / "T2.h5")]) == 0
    told = json.loads(capsys.readouterr().out)
    [image] = told["images"]
    assert image == {
        "modality": "T2",
        "shape": [2, HEIGHT, WIDTH],
        "voxel_size_mm": [4.0, 2.0, 1.5],
        "frames": 1,
        "coils": samples.shape[1],
        "kspace": "undersampled",
    }
    assert told["labels"] is None
    assert any("acquired undersampled" in note for note in told["notes"])


def test_images_labels_and_notes_are_told(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["info", str(shared_data / "ms_lesjak_mni" / "patient07")]) == 0
    captured = capsys.readouterr()
    assert all(modality in captured.out for modality in ("FLAIR", "T1Gd", "182 x 218 x 182", "from magnitude"))
    assert "labels: 1\n" in captured.err


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
    assert f"PSNR {metrics['psnr']:.2f} dB, SSIM {metrics['ssim']:.3f}\n" in said
