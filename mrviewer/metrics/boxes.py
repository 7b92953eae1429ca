"""The part of a volume in which there is something."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["bounding_box", "with_margin"]


def bounding_box(mask: NDArray[np.bool_]) -> tuple[slice, slice, slice] | None:
    """Smallest box around the true voxels of a ``(z, y, x)`` mask; `None` if there are none."""
    z = np.flatnonzero(mask.any(axis=(1, 2)))
    if not z.size:
        return None
    rows = slice(int(z[0]), int(z[-1]) + 1)
    plane: NDArray[np.bool_] = np.any(mask[rows], axis=0)
    y, x = np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))
    return rows, slice(int(y[0]), int(y[-1]) + 1), slice(int(x[0]), int(x[-1]) + 1)


def with_margin(box: tuple[slice, slice, slice], margin: int, shape: tuple[int, ...]) -> tuple[slice, slice, slice]:
    """A box with so many voxels more on every side, as far as a volume of `shape` has them."""
    z, y, x = (
        slice(max(part.start - margin, 0), min(part.stop + margin, size)) for part, size in zip(box, shape, strict=True)
    )
    return z, y, x
