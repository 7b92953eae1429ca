"""White-matter lesions like those of multiple sclerosis: many sizes, near the ventricles, below the cortex, between.

Volumes are drawn from a log-normal distribution, whose many small and few large lesions match the connected components
of published consensus segmentations (Lesjak Ž et al. 2018, Neuroinformatics 16:51-63, doi:10.1007/s12021-017-9348-7).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mrviewer.geometry import Geometry
from mrviewer.phantom.anatomy import HeadAnatomy, smooth_field

__all__ = ["LesionLoad", "distance_to_edge", "draw_lesions"]

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class LesionLoad:
    """How many lesions a patient has, and how large.

    Parameters
    ----------
    count
        Lesions that are seeded; a few may merge.
    median_ml, spread
        Median volume, and standard deviation of its natural logarithm.
    """

    count: int = 36
    median_ml: float = 0.09
    spread: float = 1.15

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "LesionLoad":
        """A load between a few spots and a heavy disease."""
        return cls(int(rng.integers(8, 80)), float(np.exp(rng.normal(np.log(0.08), 0.4))), float(rng.uniform(0.9, 1.4)))


def draw_lesions(anatomy: HeadAnatomy, geometry: Geometry, load: LesionLoad, rng: np.random.Generator) -> FloatArray:
    """Lesion fraction ``(z, y, x)`` in [0, 1]; a voxel belongs to a lesion where it exceeds one half."""
    spacing = np.asarray(geometry.voxel_size_mm)
    chance = _seed_probability(anatomy, spacing)
    flat = np.cumsum(chance.ravel(), dtype=np.float64)
    fraction = np.zeros(geometry.shape, np.float32)
    volumes_ml = np.clip(np.exp(rng.normal(np.log(load.median_ml), load.spread, load.count)), 0.012, 9.0)
    for volume_ml in volumes_ml:
        seed = np.unravel_index(np.searchsorted(flat, rng.uniform(0, flat[-1])), geometry.shape)
        _add_lesion(fraction, anatomy, np.asarray(seed), float(volume_ml), spacing, rng)
    return fraction


def distance_to_edge(
    low: NDArray[np.intp],
    high: NDArray[np.intp],
    seed: NDArray[np.intp],
    axes: NDArray[np.float64],
    spacing: NDArray[np.float64],
    rng: np.random.Generator,
    roughness: float = 0.22,
) -> NDArray[np.float64]:
    """Millimetres to the surface of a turned ellipsoid with bumps, positive inside, in a box of voxels.

    Parameters
    ----------
    low, high : (z, y, x)
        First voxel of the box, and the one behind its last.
    seed : (z, y, x)
        Voxel at the middle of the ellipsoid.
    axes, spacing : (3,)
        Half axes of the ellipsoid, and edges of a voxel, in millimetres.
    rng
        Turns it and draws its bumps.
    roughness
        Standard deviation of the surface, as a part of the mean half axis.
    """
    grid = np.stack(np.meshgrid(*[np.arange(a, b) for a, b in zip(low, high, strict=True)], indexing="ij"), axis=-1)
    turn, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    radius = np.linalg.norm(((grid - seed) * spacing @ turn) / axes, axis=-1)
    bumps = smooth_field(radius.shape, tuple(np.maximum(0.8 * axes.mean() / spacing, 1.0)), rng)
    edge_mm: NDArray[np.float64] = (1 - radius + roughness * bumps) * axes.mean()
    return edge_mm


def _seed_probability(anatomy: HeadAnatomy, spacing: NDArray[np.float64]) -> FloatArray:
    """White matter, most of all within a centimetre of the ventricles."""
    x, y, z = anatomy.template_mm
    central = (np.abs(x) < 38) & (y > -75) & (y < 45) & (z > -12) & (z < 45)
    ventricle = (anatomy.csf > 0.6) & central & (np.abs(x) > 1.5)
    if ventricle.any():
        distance = ndimage.distance_transform_edt(~ventricle, sampling=spacing)
    else:
        distance = np.full(x.shape, 20.0)
    white = np.clip(anatomy.white_matter - 0.4, 0, None)
    supratentorial = 0.15 + 0.85 * (z > -12)
    weight: FloatArray = (white * supratentorial * (0.12 + np.exp(-distance / 7.0))).astype(np.float32)
    return weight


def _add_lesion(
    fraction: FloatArray,
    anatomy: HeadAnatomy,
    seed: NDArray[np.intp],
    volume_ml: float,
    spacing: NDArray[np.float64],
    rng: np.random.Generator,
) -> None:
    """Grow one irregular ellipsoid of about `volume_ml` around a voxel, inside the brain's tissue."""
    axes = np.exp(rng.normal(0, 0.25, 3))
    axes *= (volume_ml * 1000 * 3 / (4 * np.pi) / np.prod(axes)) ** (1 / 3)
    reach = np.ceil(2.2 * axes.max() / spacing).astype(int) + 1
    low, high = np.maximum(seed - reach, 0), np.minimum(seed + reach + 1, fraction.shape)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    edge_mm = distance_to_edge(low, high, seed, axes, spacing, rng)
    soft = np.clip(0.5 + edge_mm / 1.2, 0, 1)
    tissue = np.clip(1.6 * (anatomy.white_matter[box] + 0.6 * anatomy.grey_matter[box]), 0, 1)
    np.maximum(fraction[box], (soft * tissue).astype(np.float32), out=fraction[box])
