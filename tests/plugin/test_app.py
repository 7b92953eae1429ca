"""The application as another process: it opens, photographs itself, and ends."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = [pytest.mark.gl, pytest.mark.slow]

_PROGRAM = """
import sys
from pathlib import Path
from mrviewer_napari.app import main
sys.exit(main(sys.argv[2:], screenshot=Path(sys.argv[1])))
"""


def run(picture: Path, *paths: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _PROGRAM, str(picture), *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=os.environ, check=False)


def test_a_study_is_photographed_whole_and_the_program_ends_with_0(study_folder: Path, tmp_path: Path) -> None:
    ended = run(tmp_path / "window.png", study_folder)
    assert ended.returncode == 0, ended.stderr
    pixels = np.asarray(Image.open(tmp_path / "window.png"))
    assert pixels.shape[0] >= 600
    assert pixels.std() > 10, "a window that was never drawn is black"
    assert list(tmp_path.glob("*.png")) == [tmp_path / "window.png"]


def test_a_study_that_does_not_open_leaves_no_picture_and_ends_with_1(tmp_path: Path) -> None:
    (tmp_path / "page.nii.gz").write_text("<html></html>")
    ended = run(tmp_path / "window.png", tmp_path / "page.nii.gz")
    assert ended.returncode == 1
    assert not (tmp_path / "window.png").exists()
