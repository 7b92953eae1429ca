"""A small database on disk and tiny weights, for runs of fine-tuning that take seconds, in any process."""

from pathlib import Path
from typing import Any

import numpy as np

from mrviewer.finetuning import FinetunePlan
from mrviewer.geometry import Geometry
from mrviewer.progress import finish
from mrviewer.training import cli_train
from mrviewer.writers.nifti import write_volume

__all__ = ["NAMES", "make_plan", "make_weights", "write_database"]

NAMES = ("anna", "bert", "carl", "dora", "emil", "fred")
SHAPE = (4, 32, 32)


def write_database(
    folder: Path, names: tuple[str, ...] = NAMES, modality: str = "FLAIR", *, unlabelled: tuple[str, ...] = ()
) -> Path:
    """A folder a subject, with an image of a disc that has a bright square, and the square."""
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
        write_volume(folder / name / f"{modality}.nii.gz", images.astype(np.float32), geometry)
        if name not in unlabelled:
            write_volume(folder / name / "label.nii.gz", labels, geometry)
    return folder


def make_weights(folder: Path, database: Path) -> Path:
    """Weights of a tiny `unet-full` that has learned for one step."""
    options = {"preset": "tiny", "steps": "1", "batch_size": "2", "crop": "0", "precision": "fp32"}
    return finish(cli_train("unet-full", [str(database)], folder, "cpu", options))


def make_plan(output: Path, database: Path, weights: Path, **changes: Any) -> FinetunePlan:  # noqa: ANN401
    """A plan for a run of eight steps that is validated every four."""
    options = {"steps": "8", "batch_size": "4", "learning_rate": "0.01", "precision": "fp32", "real_share": "1"}
    values = {
        "method": "unet-full",
        "database": (str(database),),
        "output": str(output),
        "weights": str(weights),
        "validation": ("bert", "emil"),
        "validate_every": 4,
        "device": "cpu",
        "add": False,
        **changes,
    }
    return FinetunePlan(**{**values, "options": {**options, **changes.get("options", {})}})
