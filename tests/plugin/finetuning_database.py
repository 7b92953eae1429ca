"""A small database on disk and a tiny model of one's own, for runs from the panel that take seconds."""

from pathlib import Path

import numpy as np

from mrviewer.geometry import Geometry
from mrviewer.methods.own import add_model
from mrviewer.progress import finish
from mrviewer.training import cli_train
from mrviewer.writers.nifti import write_volume

__all__ = ["TINY", "make_tiny_model", "write_patients"]

TINY = "tiny"
SHAPE = (4, 32, 32)


def write_patients(folder: Path, names: tuple[str, ...], *, unlabelled: tuple[str, ...] = ()) -> Path:
    """A folder a study, with a FLAIR image of a disc that has a bright square, and the square."""
    geometry = Geometry.axial(SHAPE, (4.0, 1.0, 1.0))
    y, x = np.linspace(-1, 1, SHAPE[1])[:, None], np.linspace(-1, 1, SHAPE[2])
    for number, name in enumerate(names):
        rng = np.random.default_rng(number)
        images = 100 * (np.hypot(y, x) < 0.9) * rng.uniform(0.3, 0.6, (SHAPE[0], 1, 1))
        labels = np.zeros(SHAPE, np.uint8)
        row, column = rng.integers(9, 17, 2)
        labels[1:, row : row + 5, column : column + 5] = 1
        images[labels > 0] = 100
        (folder / name).mkdir(parents=True)
        write_volume(folder / name / "FLAIR.nii.gz", images.astype(np.float32), geometry)
        if name not in unlabelled:
            write_volume(folder / name / "label.nii.gz", labels, geometry)
    return folder


def make_tiny_model(database: Path, output: Path) -> None:
    """Put a `unet-full` that has learned for one step among one's own models."""
    options = {"preset": "tiny", "steps": "1", "batch_size": "2", "crop": "0", "precision": "fp32"}
    add_model(finish(cli_train("unet-full", [str(database)], output, "cpu", options)), TINY)
