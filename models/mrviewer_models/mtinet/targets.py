"""What is regressed: means of raw signal in a region, told as enhancement; and the size of the region.

All of it is computed from raw signal and mask, in the same way for the label and for a predicted mask, so that the
second passes a gradient to the mask.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import pdist
from torch import Tensor

from mrviewer_models.mtinet.shape import Target

__all__ = ["SIZE_NAMES", "masked_means", "measured_values", "relative", "size_values", "stacked_sizes"]

SIZE_NAMES = ("centre x", "centre y", "largest diameter", "area")
SMALLEST = 1e-6
_MM_PER_DM = 100.0
_MOST_POINTS = 400


def masked_means(raw: Tensor, weight: Tensor) -> Tensor:
    """Mean signal ``(batch, phase)`` of raw phases ``(batch, phase, y, x)`` where ``(batch, 1, y, x)`` weighs."""
    return (raw * weight).sum(dim=(2, 3)) / weight.sum(dim=(2, 3)).clamp(min=SMALLEST)


def relative(means: Tensor) -> Tensor:
    """Enhancement ``(batch, 3)`` of means ``(batch, 4)``: ``(mu_p - mu_0) / (|mu_0| + 1e-6)``."""
    before = means[:, :1]
    return (means[:, 1:] - before) / (before.abs() + SMALLEST)


def measured_values(raw: Tensor, weight: Tensor, target: Target, liver: Tensor | None = None) -> Tensor:
    """What `target` says of a region, measured on the raw phases.

    Parameters
    ----------
    raw : (batch, phase, y, x)
        Signal in one unit for all phases.
    weight : (batch, 1, y, x)
        The region: a label, or probabilities.
    target
        ``relative``: enhancement of the three later phases. ``mean``: signal of the four phases. ``liver_relative``:
        enhancement less that of the liver without the region.
    liver : (batch, 1, y, x)
        For ``liver_relative``.

    Returns
    -------
    (batch, 3), or (batch, 4) for ``mean``
    """
    means = masked_means(raw, weight)
    if target == "mean":
        return means
    if target == "relative":
        return relative(means)
    if liver is None:
        raise ValueError("liver_relative needs the liver")
    return relative(means) - relative(masked_means(raw, liver * (1 - weight)))


def size_values(mask: NDArray[np.bool_], pixel_mm: float) -> NDArray[np.float32]:
    """Centre from the middle of the slice (x, y), largest diameter and area of a region ``(y, x)``, in dm and dm^2."""
    points = np.argwhere(mask)
    if not len(points):
        return np.zeros(len(SIZE_NAMES), np.float32)
    centre = (points.mean(axis=0) - (np.asarray(mask.shape) - 1) / 2)[::-1]
    # The two pixels that lie farthest apart are the first or last of their rows.
    ends = np.concatenate([[(y, row.argmax()), (y, len(row) - 1 - row[::-1].argmax())] for y, row in _rows(mask)])
    ends = ends.reshape(-1, 2)[:_MOST_POINTS]
    diameter = pdist(ends).max() + 1
    pixel_dm = pixel_mm / _MM_PER_DM
    return np.asarray([*(centre * pixel_dm), diameter * pixel_dm, len(points) * pixel_dm**2], np.float32)


def _rows(mask: NDArray[np.bool_]) -> list[tuple[int, NDArray[np.bool_]]]:
    return [(int(y), mask[y]) for y in np.flatnonzero(mask.any(axis=1))]


def stacked_sizes(label: Tensor, pixel_mm: float) -> Tensor:
    """`size_values` of each label ``(batch, y, x)``."""
    values = np.stack([size_values(mask, pixel_mm) for mask in (label > 0).cpu().numpy()])
    return torch.from_numpy(values).to(label.device)
