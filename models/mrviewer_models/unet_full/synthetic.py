"""FLAIR images that no scanner took, of heads that are label maps: anatomies to be had without a patient's image.

References
----------
Billot B et al. (2023), SynthSeg, Medical Image Analysis 86:102789, doi:10.1016/j.media.2023.102789.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mrviewer.metrics.boxes import bounding_box
from mrviewer.study import Image
from mrviewer_models.brain_mask.anatomies import BONE, CSF, N_GROUPS, SOFT, TISSUE, VENTRICLES

__all__ = ["WHITE_MATTER", "lesions_of_others", "synthetic_flair"]

FloatArray = NDArray[np.float32]

WHITE_MATTER = (1, 4, 10)
"""Groups in which lesions are painted: the cerebrum, the cerebellum and the brain stem."""
_CORTEX = (2, 5)
_DEEP = (6, 7, 8, 9)
_VESSELS = 11
_CORTEX_LEVELS, _DEEP_LEVELS, _FLUID_LEVELS = (1.0, 1.4), (0.85, 1.3), (0.08, 0.45)
_RIM_MM = 2.5
"""Around the ventricles, where FLAIR is bright in healthy people too."""
_MNI_MM = ((-72.0, 83.0), (-107.0, 73.0), (-72.0, 72.0))
"""The brain of the MNI template along z, y and x."""


def synthetic_flair(groups: NDArray[np.uint8], brain: NDArray[np.bool_], rng: np.random.Generator) -> FloatArray:
    """A FLAIR image ``(z, y, x)`` with white matter near 1; of half the heads the brain is cut out.

    Parameters
    ----------
    groups, brain : (z, y, x)
        See `mrviewer_models.brain_mask.anatomies`; voxels of 1 mm.
    rng
        Draws the contrast.
    """
    image = _levels(rng)[groups]
    image += _rim(groups, rng)
    image += _changes(groups.shape, rng, points=14) * np.where(np.isin(groups, _CORTEX), 0.12, 0.04)
    image = ndimage.gaussian_filter(image, rng.uniform(0.4, 0.8)).astype(np.float32)
    image *= 1 + np.float32(rng.uniform(0, 0.1)) * _changes(groups.shape, rng, points=4)
    noise = rng.uniform(0.01, 0.05, 2).astype(np.float32)
    image = np.abs(image + noise[0] * rng.standard_normal(groups.shape, np.float32))
    if rng.uniform() < 0.5:
        image = image * ndimage.binary_dilation(brain, iterations=int(rng.integers(0, 3)) or 1)
    flair: FloatArray = np.clip(image, 0, 4).astype(np.float32)
    return flair


def lesions_of_others(mask: Image, head: Image, brain: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A lesion mask in MNI space, stretched so that the template's brain fills the box of another.

    Parameters
    ----------
    mask
        In MNI space, upright.
    head
        Whose grid the result has; upright too.
    brain : (z, y, x)
        On the grid of the head.
    """
    box = bounding_box(brain)
    assert box is not None
    there = np.asarray(np.argwhere(np.asarray(mask.volume(), np.float32) > 0))
    found = np.zeros(brain.shape, bool)
    if not len(there):
        return found
    to_world = np.asarray(mask.geometry.affine)
    world = there @ to_world[:3, :3].T + to_world[:3, 3]  # x, y, z
    share = np.stack([(world[:, 2 - axis] - low) / (high - low) for axis, (low, high) in enumerate(_MNI_MM)], axis=1)
    own = np.asarray(head.geometry.affine)
    corners = np.array([[part.start for part in box], [part.stop - 1 for part in box]]) @ own[:3, :3].T + own[:3, 3]
    low, high = corners.min(axis=0), corners.max(axis=0)
    placed = low + share[:, ::-1] * (high - low)
    voxels = np.rint((placed - own[:3, 3]) @ np.linalg.inv(own[:3, :3]).T).astype(int)
    voxels = voxels[np.all((voxels >= 0) & (voxels < brain.shape), axis=1)]
    found[tuple(voxels.T)] = True
    # Stretching leaves gaps of a voxel.
    whole: NDArray[np.bool_] = ndimage.binary_closing(found) | found
    return whole


def _levels(rng: np.random.Generator) -> FloatArray:
    """Mean of every group."""
    levels = np.zeros(N_GROUPS, np.float32)
    levels[list(TISSUE)] = 1 + rng.normal(0, 0.03, len(TISSUE))
    levels[list(_CORTEX)] = rng.uniform(*_CORTEX_LEVELS) + rng.normal(0, 0.04, len(_CORTEX))
    levels[list(_DEEP)] = rng.uniform(*_DEEP_LEVELS, len(_DEEP))
    levels[1] = 1
    levels[[VENTRICLES, CSF]] = rng.uniform(*_FLUID_LEVELS) + rng.normal(0, 0.03, 2)
    levels[_VESSELS] = rng.uniform(0.4, 1.4)
    levels[list(SOFT)] = rng.uniform(0.2, 2.0, len(SOFT))
    levels[list(BONE)] = rng.uniform(0.02, 0.35, len(BONE))
    return levels


def _rim(groups: NDArray[np.uint8], rng: np.random.Generator) -> FloatArray:
    """Brighter white matter along the ventricles, here more and there less."""
    distance = ndimage.distance_transform_edt(groups != VENTRICLES)
    near = (distance < _RIM_MM * rng.uniform(0.4, 1.0)) & (groups == 1)
    strength = np.clip(0.5 + 0.5 * _changes(groups.shape, rng, points=8), 0, 1)
    return np.asarray(near * strength * rng.uniform(0, 0.3), np.float32)


def _changes(shape: tuple[int, ...], rng: np.random.Generator, points: int) -> FloatArray:
    """Smooth field of unit deviation through so many random values along each axis."""
    field = rng.standard_normal((points,) * 3).astype(np.float32)
    smooth: FloatArray = ndimage.zoom(
        field, np.divide(shape, points), order=1, output=np.float32, grid_mode=True, mode="nearest"
    )
    return smooth
