"""A seeded upper abdomen on any grid: organs and vessels as smooth shapes, bent as no two people are alike.

Positions are RAS+ millimetres from the middle of the body. The shapes are ours; sizes are those of an adult.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrviewer.geometry import Geometry
from mrviewer.phantom.anatomy import smooth_field

__all__ = ["Abdomen", "draw_abdomen", "edge_fraction", "voxel_positions"]

FloatArray = NDArray[np.float32]
Point = tuple[float, float, float]

_SCALES_MM = ((70.0, 5.0), (28.0, 1.8))
"""Distance of the control points and standard deviation of the displacement, coarse to fine."""

_ORGANS: tuple[tuple[str, Point, Point], ...] = (
    ("muscle", (-36, -82, 0), (30, 22, 400)),
    ("muscle", (36, -82, 0), (30, 22, 400)),
    ("bone", (0, -62, 0), (23, 19, 400)),
    ("fluid", (0, -86, 0), (9, 9, 400)),
    ("stomach", (-62, 34, 8), (46, 32, 42)),
    ("spleen", (-104, -40, 8), (27, 42, 48)),
    ("kidney", (-62, -52, -52), (28, 25, 52)),
    ("kidney", (64, -54, -58), (28, 25, 52)),
)
"""Tissue, centre and half axes of ellipsoids, painted one over the other."""

_LIVER: tuple[tuple[Point, Point], ...] = (((66, -4, 4), (64, 78, 88)), ((4, 44, 20), (66, 32, 46)))
_GALLBLADDER: tuple[Point, Point] = ((46, 40, -42), (13, 13, 22))

_TUBES: tuple[tuple[str, Point, Point, float], ...] = (
    ("artery", (-12, -28, -200), (-10, -28, 200), 10.5),
    ("vein", (24, -24, -200), (22, -22, 200), 12.0),
    ("portal vein", (8, -2, -48), (32, 4, -6), 7.0),
    ("portal vein", (32, 4, -6), (78, 0, 4), 5.5),
    ("portal vein", (78, 0, 4), (108, 18, 16), 4.0),
    ("portal vein", (78, 0, 4), (98, -34, 22), 4.0),
    ("portal vein", (32, 4, -6), (8, 36, 10), 4.5),
    ("portal vein", (8, 36, 10), (-26, 48, 20), 3.8),
    ("vein", (22, -22, 62), (74, -12, 26), 4.8),
    ("vein", (74, -12, 26), (106, -8, -22), 4.0),
    ("vein", (22, -22, 62), (46, 24, 14), 4.2),
    ("vein", (22, -22, 62), (0, 42, 34), 4.0),
)
"""Tissue, ends and radius of vessels."""


@dataclass(frozen=True, eq=False)
class Abdomen:
    """Parts of the abdomen ``(z, y, x)`` in [0, 1], to be painted one over the other in this order.

    Parameters
    ----------
    layers
        Tissue and how much of each voxel it covers. The liver is among them.
    liver : float32, (z, y, x)
        The liver without its vessels and without what lies over it.
    """

    layers: tuple[tuple[str, FloatArray], ...]
    liver: FloatArray


def draw_abdomen(geometry: Geometry, rng: np.random.Generator) -> Abdomen:
    """Draw a person and cut it on a grid; the same state of `rng` gives the same person."""
    position = voxel_positions(geometry, rng)
    edge_mm = float(min(geometry.voxel_size_mm))
    half = np.array([165.0, 112.0]) * np.exp(rng.normal(0, 0.05, 2))
    fat_mm, wall_mm = rng.uniform(12, 28), rng.uniform(9, 15)
    layers = [
        ("fat", _trunk(position, half, edge_mm)),
        ("muscle", _trunk(position, half - fat_mm, edge_mm)),
        ("fat", _trunk(position, half - fat_mm - wall_mm, edge_mm)),
    ]
    inside = layers[-1][1]
    for tissue, centre, axes in _ORGANS:
        moved = np.asarray(centre) + rng.normal(0, 4, 3)
        part = _ellipsoid(position, moved, np.asarray(axes) * np.exp(rng.normal(0, 0.06, 3)), edge_mm)
        layers.append((tissue, part if tissue in ("muscle", "bone", "fluid") else part * inside))
    shift = rng.normal(0, 4, 3)
    lobes = [
        _ellipsoid(position, np.asarray(centre) + shift, np.asarray(axes) * np.exp(rng.normal(0, 0.05, 3)), edge_mm)
        for centre, axes in _LIVER
    ]
    liver = np.maximum(*lobes) * inside
    layers.append(("liver", liver))
    over = [("fluid", _ellipsoid(position, np.asarray(_GALLBLADDER[0]) + shift, np.asarray(_GALLBLADDER[1]), edge_mm))]
    for tissue, start, end, radius in _TUBES:
        width = radius * float(np.exp(rng.normal(0, 0.08)))
        over.append((tissue, _tube(position, np.asarray(start), np.asarray(end), width, edge_mm)))
    for _, part in over:
        liver = liver * (1 - part)
    return Abdomen((*layers, *((tissue, part * inside) for tissue, part in over)), liver.astype(np.float32))


def voxel_positions(geometry: Geometry, rng: np.random.Generator) -> FloatArray:
    """Where each voxel lies in the body that was not bent, RAS+ millimetres ``(3, z, y, x)``."""
    index = np.indices(geometry.shape, dtype=np.float32)
    to_mm = geometry.affine.astype(np.float32)
    position = np.tensordot(to_mm[:3, :3], index, axes=1) + to_mm[:3, 3, None, None, None]
    for control_mm, amplitude_mm in _SCALES_MM:
        spacing = tuple(max(control_mm / size, 1.5) for size in geometry.voxel_size_mm)
        for axis in range(3):
            position[axis] += amplitude_mm * smooth_field(geometry.shape, spacing, rng)
    return position.astype(np.float32)


def edge_fraction(inside_mm: FloatArray, edge_mm: float) -> FloatArray:
    """Part of a voxel that is inside, from its distance to the border (positive inside)."""
    fraction: FloatArray = np.clip(0.5 + inside_mm / edge_mm, 0, 1).astype(np.float32)
    return fraction


def _trunk(position: FloatArray, half_mm: NDArray[np.float64], edge_mm: float) -> FloatArray:
    """A rounded cylinder along z."""
    x, y = (np.abs(position[axis]) / np.float32(half_mm[axis]) for axis in (0, 1))
    radius = (x**2.5 + y**2.5) ** np.float32(1 / 2.5)
    return edge_fraction((1 - radius) * np.float32(half_mm.mean()), edge_mm)


def _ellipsoid(
    position: FloatArray, centre: NDArray[np.float64], axes_mm: NDArray[np.float64], edge_mm: float
) -> FloatArray:
    offset = position - centre.astype(np.float32)[:, None, None, None]
    scaled = offset / axes_mm.astype(np.float32)[:, None, None, None]
    radius = np.sqrt(np.square(scaled).sum(axis=0))
    return edge_fraction((1 - radius) * np.float32(np.sort(axes_mm)[:2].mean()), edge_mm)


def _tube(
    position: FloatArray, start: NDArray[np.float64], end: NDArray[np.float64], radius_mm: float, edge_mm: float
) -> FloatArray:
    """All within a distance of a line between two points."""
    along = (end - start).astype(np.float32)
    offset = position - start.astype(np.float32)[:, None, None, None]
    part = np.clip(np.tensordot(along, offset, axes=1) / np.float32(along @ along), 0, 1)
    distance = np.sqrt(np.square(offset - along[:, None, None, None] * part).sum(axis=0))
    return edge_fraction(np.float32(radius_mm) - distance, edge_mm)
