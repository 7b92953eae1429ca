"""The distance between the surfaces of two masks, in millimetres."""

import itertools

import numpy as np
from numpy.typing import NDArray

from mrviewer.metrics.boxes import bounding_box
from mrviewer.metrics.overlap import binarise

__all__ = ["CONVENTION", "hd95_mm", "surface"]

CONVENTION = (
    "HD95: larger of the two directed 95th percentiles of the distances between surface voxels, in mm; a surface voxel "
    "has a face neighbour outside."
)

_PERCENTILE = 0.95
_N_NEIGHBOURS = 250
"""Neighbours that are looked up one by one before a k-d tree is built; nearly all surfaces lie nearer."""


def hd95_mm(
    reference: NDArray[np.generic], prediction: NDArray[np.generic], voxel_size_mm: tuple[float, float, float]
) -> float | None:
    """95th percentile of the Hausdorff distance; the larger of the two directed percentiles, as in MONAI.

    Parameters
    ----------
    reference, prediction : (z, y, x)
        What is greater than 0 belongs to the mask.
    voxel_size_mm
        Spacing along z, y and x.

    Returns
    -------
    float or None
        Millimetres; `None` if one of the masks is empty.

    Raises
    ------
    ShapeError
        If the two masks differ in size.

    References
    ----------
    Huttenlocher DP et al. (1993), Comparing images using the Hausdorff distance, IEEE Trans Pattern Anal Mach Intell
    15:850-863, doi:10.1109/34.232073; the percentile follows Taha AA, Hanbury A (2015), BMC Med Imaging 15:29,
    doi:10.1186/s12880-015-0068-x.
    """
    known, predicted = binarise(reference, prediction)
    box = bounding_box(known | predicted)
    if box is None or not known[box].any() or not predicted[box].any():
        return None
    spacing = np.asarray(voxel_size_mm, float)
    offsets = _nearest_offsets(spacing)
    margin = np.abs(offsets).max(axis=0)
    surfaces = [np.pad(surface(mask[box]), [(int(n), int(n)) for n in margin]) for mask in (known, predicted)]
    return max(_directed_percentile(source, target, offsets, spacing) for source, target in (surfaces, surfaces[::-1]))


def surface(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Voxels of a ``(z, y, x)`` mask with a face neighbour outside; outside the array nothing belongs to the mask."""
    padded = np.pad(mask, 1)
    inside = padded.copy()
    for axis in range(3):
        low, middle, high = (
            tuple(slice(start, stop) if k == axis else slice(None) for k in range(3))
            for start, stop in ((None, -2), (1, -1), (2, None))
        )
        inside[middle] &= padded[low]
        inside[middle] &= padded[high]
    shell: NDArray[np.bool_] = mask & ~inside[1:-1, 1:-1, 1:-1]
    return shell


def _nearest_offsets(spacing_mm: NDArray[np.float64]) -> NDArray[np.intp]:
    """Steps ``(n, 3)`` to the `_N_NEIGHBOURS` nearest voxels, or a few less, the nearest first."""
    radius = np.cbrt(_N_NEIGHBOURS * spacing_mm.prod() * 3 / (4 * np.pi))
    reach = [int(radius // size) for size in spacing_mm]
    steps = np.array(list(itertools.product(*(range(-n, n + 1) for n in reach))))
    distance = np.linalg.norm(steps * spacing_mm, axis=1)
    order = np.argsort(distance, kind="stable")
    nearest: NDArray[np.intp] = steps[order[: min(_N_NEIGHBOURS, np.count_nonzero(distance <= radius))]]
    return nearest


def _directed_percentile(
    source: NDArray[np.bool_], target: NDArray[np.bool_], offsets: NDArray[np.intp], spacing_mm: NDArray[np.float64]
) -> float:
    """95th percentile of the distances from the points of `source` to the nearest point of `target`.

    Neighbours are tried from near to far until the percentile is known; the rest need not be found.
    """
    open_points = np.flatnonzero(source)
    distances = np.full(open_points.size, np.inf)
    n_needed = min(open_points.size, int(_PERCENTILE * (open_points.size - 1)) + 2)
    n_known = 0
    flat_target = target.ravel()
    jumps = offsets @ (np.array(target.strides) // target.itemsize)
    for jump, distance in zip(jumps, np.linalg.norm(offsets * spacing_mm, axis=1), strict=True):
        hit = flat_target[open_points + jump]
        n_hit = int(np.count_nonzero(hit))
        distances[n_known : n_known + n_hit] = distance
        n_known += n_hit
        if n_known >= n_needed:
            break
        if n_hit:
            open_points = open_points[~hit]
    else:
        # A tenth of a second to load, which the window shall not wait for.
        from scipy.spatial import KDTree

        tree = KDTree(np.argwhere(target) * spacing_mm, balanced_tree=False, compact_nodes=False)
        distances[n_known:], _ = tree.query(np.transpose(np.unravel_index(open_points, source.shape)) * spacing_mm)
    return float(np.quantile(distances, _PERCENTILE))
