"""Small volumes on disk, from which the tests of `mrviewer.database` build databases."""

from pathlib import Path

import nibabel
import numpy as np

SHAPE = (12, 14, 10)
"""As stored; internally ``(z, y, x)`` it is ``(10, 14, 12)``."""


def save_image(
    path: Path, seed: int = 0, *, shape: tuple[int, ...] = SHAPE, scale: float = 100, mm: float = 2.0
) -> Path:
    """Noise that is different for every seed."""
    values = np.random.default_rng(seed).random(shape).astype(np.float32) * scale
    return save_array(path, values, mm)


def save_labels(path: Path, values: tuple[int, ...] = (1,), *, shape: tuple[int, int, int] = SHAPE) -> Path:
    """Background with one row of voxels for each value."""
    labels = np.zeros(shape, np.uint8)
    for row, value in enumerate(values):
        labels[2:5, row, 3] = value
    return save_array(path, labels, 2.0)


def save_array(path: Path, values: np.ndarray, mm: float = 2.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(values, np.diag([mm, mm, mm, 1.0])), path)
    return path


def touch(*paths: Path) -> None:
    """Files that have a name and no content."""
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
