"""Connected components of a mask: what one lesion is."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mrviewer.metrics.boxes import bounding_box

try:
    import cc3d
except ImportError:
    cc3d = None

__all__ = ["Components", "find_components"]

_SMALL = 4096
"""Voxels."""


@dataclass(frozen=True, eq=False)
class Components:
    """Voxels of a mask and the component of each.

    Parameters
    ----------
    voxels : intp, (3, n)
        Indices along z, y and x, in the order of the array.
    ids : int32, (n,)
        Component of each voxel, 1 to `n_components`, the largest first.
    n_components
        How many there are.
    """

    voxels: NDArray[np.intp]
    ids: NDArray[np.int32]
    n_components: int

    @cached_property
    def sizes(self) -> NDArray[np.intp]:
        """Voxels of each component ``(n_components,)``."""
        return self._sums()

    @cached_property
    def centroids(self) -> NDArray[np.float64]:
        """Mean index ``(n_components, 3)`` of each component along z, y and x."""
        return np.stack([self._sums(axis) / self.sizes for axis in self.voxels], axis=1)

    def _sums(self, weights: NDArray[np.intp] | None = None) -> NDArray[np.intp]:
        sums: NDArray[np.intp] = np.bincount(self.ids, weights, minlength=self.n_components + 1)[1:]
        return sums


def find_components(mask: NDArray[np.bool_], min_voxels: float = 0) -> Components:
    """Find the 26-connected components of a ``(z, y, x)`` mask.

    They are numbered from the largest to the smallest, equal ones by their first voxel, so that the numbers do not
    depend on the library that found them: connected-components-3d if it is installed, else scipy.

    Parameters
    ----------
    mask : bool, (z, y, x)
    min_voxels
        Smaller components are dropped.
    """
    box = bounding_box(mask)
    if box is None:
        return Components(np.empty((3, 0), np.intp), np.empty(0, np.int32), 0)
    part = np.ascontiguousarray(mask[box])
    flat = np.flatnonzero(part)
    found = _label(part).ravel()[flat]
    sizes = np.bincount(found)[1:]
    first = np.empty(sizes.size + 1, np.intp)
    first[found[::-1]] = flat[::-1]  # of a repeated index the last value stays: the first voxel
    order = np.lexsort((first[1:], -sizes))
    n_kept = int(np.count_nonzero(sizes >= min_voxels))
    number = np.zeros(sizes.size + 1, np.int32)
    number[order[:n_kept] + 1] = np.arange(1, n_kept + 1)
    ids = number[found]
    kept = ids > 0
    corner = np.array([[edge.start] for edge in box])
    voxels = np.stack(np.unravel_index(flat[kept], part.shape)) + corner
    return Components(voxels, ids[kept], n_kept)


def _label(mask: NDArray[np.bool_]) -> NDArray[np.integer]:
    # On small masks scipy is as quick, and connected-components-3d 4.1 can reserve too few labels and give up.
    if cc3d is None or mask.size < _SMALL:
        return _label_with_scipy(mask)
    try:
        labels: NDArray[np.integer] = cc3d.connected_components(mask, connectivity=26)
    except RuntimeError:
        return _label_with_scipy(mask)
    return labels


def _label_with_scipy(mask: NDArray[np.bool_]) -> NDArray[np.integer]:
    labels: NDArray[np.integer] = ndimage.label(mask, structure=np.ones((3, 3, 3), bool))[0]
    return labels
