"""Data for benchmarks: a real patient where the shared data are, else noise of the same size and smoothness."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mrviewer.geometry import Geometry

__all__ = ["Sample", "sample", "shared_folder"]

SHAPE = (182, 218, 182)


@dataclass(frozen=True, eq=False)
class Sample:
    """A FLAIR volume, its lesions, the grid, and a word on where they come from; arrays are C-ordered."""

    flair: NDArray[np.float32]
    lesions: NDArray[np.bool_]
    geometry: Geometry
    source: str


def shared_folder() -> Path | None:
    """Return the folder of real data, if there is one: ``MRVIEWER_SHARED_DATA``, or beside the checkout."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("MRVIEWER_SHARED_DATA", beside))
    return folder if (folder / "README.md").is_file() else None


@cache
def sample() -> Sample:
    """Patient 19 of the Ljubljana MS database (98 lesions), or a synthetic stand-in."""
    folder = shared_folder()
    return _synthetic() if folder is None else _patient(folder / "ms_lesjak_mni" / "patient19")


def _patient(folder: Path) -> Sample:
    (flair_path,), (lesions_path,) = folder.glob("FLAIR*.nii.gz"), folder.glob("GOLD_STANDARD*.nii.gz")
    flair = nibabel.load(flair_path)
    geometry = Geometry.from_stored(flair.shape, flair.affine)
    volume = geometry.to_internal(np.asanyarray(flair.dataobj))
    lesions = geometry.to_internal(np.asanyarray(nibabel.load(lesions_path).dataobj))
    return Sample(
        np.ascontiguousarray(volume, np.float32), np.ascontiguousarray(lesions != 0), geometry, "real FLAIR, patient 19"
    )


def _synthetic() -> Sample:
    noise = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    texture = ndimage.gaussian_filter(noise, 3)
    radius = np.linalg.norm(np.stack(np.meshgrid(*(np.linspace(-1, 1, n) for n in SHAPE), indexing="ij")), axis=0)
    head = radius < 0.75
    flair = np.where(head, 100 + 20 * texture / texture.std(), 0).astype(np.float32)
    lesions = head & (texture > np.quantile(texture[head], 0.98))
    return Sample(flair, lesions, Geometry.axial(SHAPE, (1.0, 1.0, 1.0)), "synthetic volume")
