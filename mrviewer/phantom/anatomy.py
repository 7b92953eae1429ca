"""A seeded head: tissue fractions of the ICBM152 templates on any grid, deformed as no two heads are alike.

The templates (grey matter, white matter, T1; 1 mm) ship with nilearn, and are read from its folder: its functions that
give them mask and rescale them, and importing it takes seconds. They are averages over 152 people; sharpening the
fractions and deforming them on three scales brings back edges and folds.

References
----------
Fonov V et al. (2011), Unbiased average age-appropriate atlases for pediatric studies, NeuroImage 54:313-327,
doi:10.1016/j.neuroimage.2010.07.033.
"""

from dataclasses import dataclass
from functools import cache
from importlib import resources

import nibabel
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mrviewer.geometry import Geometry

__all__ = ["HeadAnatomy", "deform_anatomy", "smooth_field"]

FloatArray = NDArray[np.float32]

_SHARPNESS = 2.5
"""Exponent of the fractions before they are normalised again: 1 keeps the blurred average, more sharpens its edges."""
_SCALES_MM = ((40.0, 3.0), (16.0, 1.6), (7.0, 0.7))
"""Distance of the control points and standard deviation of the displacement, coarse to fine."""


@dataclass(frozen=True, eq=False)
class HeadAnatomy:
    """Tissue fractions ``(z, y, x)`` in [0, 1] that add up to the brain, and where each voxel came from.

    Parameters
    ----------
    white_matter, grey_matter, csf : float32, (z, y, x)
        Fractions of the voxel.
    template_mm : float32, (3, z, y, x)
        RAS+ millimetres of each voxel in the undeformed template.
    """

    white_matter: FloatArray
    grey_matter: FloatArray
    csf: FloatArray
    template_mm: FloatArray


@cache
def _templates() -> tuple[tuple[FloatArray, FloatArray, FloatArray], NDArray[np.float64]]:
    """White matter, grey matter and brain of the template in stored order, and its affine."""
    folder = resources.files("nilearn") / "datasets" / "data"
    volumes: dict[str, FloatArray] = {}
    affine = np.eye(4)
    for name in ("wm", "gm", "t1"):
        with resources.as_file(folder / f"mni_icbm152_{name}_tal_nlin_sym_09a_converted.nii.gz") as path:
            image = nibabel.nifti1.load(path)
            volumes[name] = np.asarray(image.dataobj, dtype=np.float32) / np.float32(255)
            affine = np.asarray(image.affine, dtype=np.float64)
    tissue = volumes["wm"] + volumes["gm"]
    inside = ndimage.binary_fill_holes(ndimage.binary_closing((tissue > 0.2) | (volumes["t1"] > 0.1), iterations=2))
    return (volumes["wm"], volumes["gm"], inside.astype(np.float32)), affine


def deform_anatomy(geometry: Geometry, rng: np.random.Generator) -> HeadAnatomy:
    """Draw a head and cut it on a grid.

    Parameters
    ----------
    geometry
        Any grid in RAS+ millimetres of the template.
    rng
        Source of all randomness; the same state gives the same head.
    """
    (white, grey, brain), affine = _templates()
    template_mm = _deformed_positions(geometry, rng)
    from_mm = np.linalg.inv(affine).astype(np.float32)
    voxel = np.tensordot(from_mm[:3, :3], template_mm, axes=1) + from_mm[:3, 3, None, None, None]
    white, grey, brain = (ndimage.map_coordinates(volume, voxel, order=1) for volume in (white, grey, brain))
    csf = np.clip(brain - white - grey, 0, 1)
    sharp = np.stack([white, grey, csf]) ** _SHARPNESS
    total = sharp.sum(axis=0)
    fractions = brain * np.divide(sharp, total, out=np.zeros_like(sharp), where=total > 1e-6)
    return HeadAnatomy(fractions[0], fractions[1], fractions[2], template_mm)


def smooth_field(shape: tuple[int, ...], spacing: tuple[float, ...], rng: np.random.Generator) -> FloatArray:
    """Unit-variance random field whose control points lie `spacing` voxels apart on each axis."""
    coarse_shape = [int(np.ceil(size / step)) + 3 for size, step in zip(shape, spacing, strict=True)]
    field = rng.standard_normal(coarse_shape).astype(np.float32)
    offset = rng.uniform(0, 1, len(shape))
    for axis, (size, step) in enumerate(zip(shape, spacing, strict=True)):
        position = np.arange(size) / step + offset[axis]
        below = position.astype(int)
        part = (position - below).astype(np.float32)
        weight = (part * part * (3 - 2 * part)).reshape([-1 if a == axis else 1 for a in range(len(shape))])
        field = field.take(below, axis) * (1 - weight) + field.take(below + 1, axis) * weight
    return field / max(float(field.std()), 1e-6)


def _deformed_positions(geometry: Geometry, rng: np.random.Generator) -> FloatArray:
    shape = geometry.shape
    index = np.indices(shape, dtype=np.float32)
    to_mm = geometry.affine.astype(np.float32)
    position = np.tensordot(to_mm[:3, :3], index, axes=1) + to_mm[:3, 3, None, None, None]
    angles = np.radians(rng.normal(0, 2.5, 3))
    scale = rng.normal(1.0, 0.035, 3)
    rotation = np.eye(3)
    for axis, angle in enumerate(angles):
        turn = np.eye(3)
        a, b = [other for other in range(3) if other != axis]
        turn[[a, b], [a, b]] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        rotation = rotation @ turn
    position = np.tensordot((rotation * scale).astype(np.float32), position, axes=1)
    for control_mm, amplitude_mm in _SCALES_MM:
        spacing = tuple(max(control_mm / size, 1.5) for size in geometry.voxel_size_mm)
        for axis in range(3):
            position[axis] += amplitude_mm * smooth_field(shape, spacing, rng)
    return position.astype(np.float32)
