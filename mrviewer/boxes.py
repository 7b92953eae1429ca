"""The part of a volume in which there is something."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["bounding_box"]


def bounding_box(mask: NDArray[np.bool_]) -> tuple[slice, slice, slice] | None:
    """Smallest box around the true voxels of a ``(z, y, x)`` mask; `None` if there are none."""
    z = np.flatnonzero(mask.any(axis=(1, 2)))
    if not z.size:
        return None
    rows = slice(int(z[0]), int(z[-1]) + 1)
    plane: NDArray[np.bool_] = np.any(mask[rows], axis=0)
    y, x = np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))
    return rows, slice(int(y[0]), int(y[-1]) + 1), slice(int(x[0]), int(x[-1]) + 1)
