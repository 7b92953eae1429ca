"""Where the tumours of a simulated liver lie, and what their parts look like."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mrviewer.geometry import Geometry
from mrviewer.phantom.anatomy import smooth_field
from mrviewer.phantom.liver_anatomy import edge_fraction
from mrviewer.phantom.liver_tissues import TumourKind

__all__ = ["Tumour", "draw_tumours"]

FloatArray = NDArray[np.float32]

SMALLEST_MM, LARGEST_MM = 9.0, 32.0
"""Radii that are drawn."""


@dataclass(frozen=True, eq=False)
class Tumour:
    """One tumour: how much of each voxel it covers, and how much of the tumour there is rim and scar.

    Parameters
    ----------
    fraction, rim, scar : float32, (z, y, x)
        In [0, 1]; what is neither rim nor scar is core.
    """

    fraction: FloatArray
    rim: FloatArray
    scar: FloatArray


def draw_tumours(
    liver: FloatArray, geometry: Geometry, kind: TumourKind, count: int, rng: np.random.Generator
) -> Iterator[Tumour]:
    """Put `count` tumours of one kind into a liver, apart from each other; fewer if there is no room.

    Parameters
    ----------
    liver : float32, (z, y, x)
        How much of each voxel is liver.
    geometry
        Its grid.
    kind
        What they are made of.
    count
        How many.
    rng
        Source of all randomness.
    """
    spacing = np.asarray(geometry.voxel_size_mm)
    room = np.pad(liver > 0.5, 1)
    depth = ndimage.distance_transform_edt(room, sampling=spacing)[1:-1, 1:-1, 1:-1]
    radii = np.sort(np.exp(rng.uniform(np.log(SMALLEST_MM), np.log(LARGEST_MM), count)))[::-1]
    for radius_mm in radii:
        places = np.argwhere(depth > min(0.6 * radius_mm, 0.7 * float(depth.max(initial=0.0))))
        if not len(places) or depth.max() < SMALLEST_MM / 2:
            return
        centre = places[rng.integers(len(places))]
        inside_mm = _distance_inside(centre, float(radius_mm), geometry, rng)
        fraction = edge_fraction(inside_mm, float(spacing.min())) * np.clip(2 * liver, 0, 1)
        yield Tumour(
            fraction.astype(np.float32),
            _rim(inside_mm, min(kind.rim_mm, 0.3 * float(radius_mm)), geometry, rng, nodular=kind.nodular),
            _scar(centre, float(radius_mm), geometry, rng) if kind.scar else np.zeros_like(fraction),
        )
        away = ndimage.distance_transform_edt(fraction < 0.5, sampling=spacing)
        depth = np.minimum(depth, np.clip(away - 4, 0, None))


def _distance_inside(
    centre: NDArray[np.intp], radius_mm: float, geometry: Geometry, rng: np.random.Generator
) -> FloatArray:
    """Millimetres to the border of an irregular ellipsoid, positive inside."""
    offset = (np.indices(geometry.shape).astype(np.float32) - centre[:, None, None, None]) * np.asarray(
        geometry.voxel_size_mm, np.float32
    )[:, None, None, None]
    axes = np.exp(rng.normal(0, 0.14, 3))
    axes /= np.prod(axes) ** (1 / 3)
    turn, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    turned = np.tensordot((turn / (axes * radius_mm)[:, None]).astype(np.float32), offset, axes=1)
    radius = np.sqrt(np.square(turned).sum(axis=0))
    spacing = tuple(max(0.9 * radius_mm / size, 1.2) for size in geometry.voxel_size_mm)
    bumps = np.float32(0.09) * smooth_field(geometry.shape, spacing, rng)
    inside: FloatArray = ((1 + bumps - radius) * np.float32(radius_mm)).astype(np.float32)
    return inside


def _rim(
    inside_mm: FloatArray, rim_mm: float, geometry: Geometry, rng: np.random.Generator, *, nodular: bool
) -> FloatArray:
    """How far each voxel belongs to the rim: sharp, or in nodules that reach inward."""
    if not rim_mm:
        return np.zeros_like(inside_mm)
    thickness = np.full(inside_mm.shape, rim_mm * rng.uniform(0.8, 1.25), np.float32)
    if nodular:
        spacing = tuple(max(11.0 / size, 1.5) for size in geometry.voxel_size_mm)
        thickness *= np.clip(1 + 0.9 * smooth_field(geometry.shape, spacing, rng), 0, 2.2)
    return edge_fraction(thickness - inside_mm, 2.5)


def _scar(centre: NDArray[np.intp], radius_mm: float, geometry: Geometry, rng: np.random.Generator) -> FloatArray:
    """A star of three thin arms in the middle."""
    offset = (np.indices(geometry.shape).astype(np.float32) - centre[:, None, None, None]) * np.asarray(
        geometry.voxel_size_mm, np.float32
    )[:, None, None, None]
    angle = rng.uniform(0, np.pi)
    star = np.zeros(geometry.shape, np.float32)
    for arm in range(3):
        direction = np.array([0.0, np.sin(angle + arm * np.pi / 3), np.cos(angle + arm * np.pi / 3)], np.float32)
        along = np.tensordot(direction, offset, axes=1)
        across = np.sqrt(np.maximum(np.square(offset).sum(axis=0) - along**2, 0))
        star = np.maximum(star, edge_fraction(0.09 * radius_mm + 1.0 - across - 0.04 * np.abs(along), 2.5))
    scar: FloatArray = star * (np.sqrt(np.square(offset).sum(axis=0)) < 0.5 * radius_mm)
    return scar
