"""Memory: what a large study takes at its most, against the size of its volume in single precision."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import nibabel
import numpy as np

from benchmarks import harness
from benchmarks.harness import Row

SHAPE = (512, 512, 400)
TARGET = 3.0
PEER = "one float32 volume"
ROWS = (("int16", np.int16), ("float32", np.float32))


def rows() -> Iterator[Row]:
    """Run the command on a volume that is stored in one type or another."""
    for name, dtype in ROWS:
        title = f"zero-filled, {' x '.join(map(str, SHAPE))}, {name}"
        if sys.platform == "win32":
            yield harness.skipped(title, peer=PEER, target=TARGET, reason="Windows does not tell the peak of a process")
            continue
        with tempfile.TemporaryDirectory() as folder:
            yield _row(title, Path(folder), dtype)


def _row(title: str, folder: Path, dtype: type[np.generic]) -> Row:
    _write(folder / "FLAIR.nii.gz", dtype)
    begun = time.monotonic()
    peak = _peak_bytes(
        "reconstruct", str(folder / "FLAIR.nii.gz"), "--mask", "random", "--method", "zero-filled",
        "--output", str(folder / "out"), "--device", "cpu",
    )  # fmt: skip
    size = 4 * int(np.prod(SHAPE))
    seconds = time.monotonic() - begun
    note = f"megabytes in place of ms: the peak of the whole process, Python and torch too; {seconds:.0f} s"
    return Row(title, PEER, peak / 1e6, size / 1e6, peak / size, TARGET, note)


def _write(path: Path, dtype: type[np.generic]) -> None:
    """A head of noise, of which every slice is another one."""
    rng = np.random.default_rng(1)
    y, x = np.linspace(-1, 1, SHAPE[0])[:, None], np.linspace(-1, 1, SHAPE[1])
    plane = 900 * (np.hypot(y, x) < 0.9) * rng.random(SHAPE[:2])
    volume = (plane[..., None] * np.linspace(0.5, 1, SHAPE[2])).astype(dtype)
    nibabel.save(nibabel.Nifti1Image(volume, np.diag([0.5, 0.5, 0.5, 1.0])), path)


def _peak_bytes(*arguments: str) -> int:
    """Largest resident memory of one command."""
    process = subprocess.Popen([sys.executable, "-m", "mrviewer", *arguments], stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"mrviewer ended with {process.returncode}")
    return used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
