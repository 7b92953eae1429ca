"""From the images of a study to what the network sees: one scale for all phases, one pixel size."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from mrviewer.images.dynamic import PHASES

__all__ = ["PhaseStack", "grid_size", "phase_stack", "resized", "to_tensor"]

_BODY = 0.1
"""Brighter than this part of the brightest is body."""


@dataclass(frozen=True, eq=False)
class PhaseStack:
    """Phases of a stack of slices in one unit: the body before contrast has a mean of 1.

    Parameters
    ----------
    raw : float32, (slice, phase, y, x)
        Signal.
    spread : float
        Standard deviation of the body before contrast, in the same unit.
    """

    raw: NDArray[np.float32]
    spread: float

    def normalised(self) -> NDArray[np.float32]:
        """Input of the network: one affine map for all four phases, so that what differs between them stays."""
        return (self.raw - np.float32(1)) / np.float32(self.spread)


def phase_stack(images: Mapping[str, NDArray[np.generic]]) -> PhaseStack:
    """Scale the phases ``(slice, y, x)`` of a study; an empty one gives zeros, and what is not finite counts as 0."""
    phases = np.stack([np.asarray(images[name], np.float32) for name in PHASES], axis=1)
    phases = np.nan_to_num(phases, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    before = phases[:, 0]
    body = before[before > _BODY * np.percentile(before, 99.9)] if before.size else before.ravel()
    mean = float(body.mean(dtype=np.float64)) if body.size else 0.0
    if mean <= 0:
        return PhaseStack(np.zeros_like(phases), 1.0)
    spread = float(body.std(dtype=np.float64)) / mean
    return PhaseStack(phases / np.float32(mean), max(spread, 0.05))


def resized(stack: Tensor, size: tuple[int, int]) -> Tensor:
    """Resample ``(batch, channel, y, x)`` to another number of pixels; what gets coarser is smoothed before."""
    if tuple(stack.shape[-2:]) == size:
        return stack
    return F.interpolate(stack, size, mode="bilinear", antialias=True, align_corners=False)


def grid_size(shape: tuple[float, float], pixel_mm: tuple[float, float], wanted_mm: float) -> tuple[int, int]:
    """Number of pixels of `wanted_mm` that cover a slice of `shape` pixels of `pixel_mm`."""
    rows, columns = (max(round(n * size / wanted_mm), 4) for n, size in zip(shape, pixel_mm, strict=True))
    return rows, columns


def to_tensor(stack: NDArray[np.float32], size: tuple[int, int], device: str) -> Tensor:
    """Part of a stack on a device, resampled."""
    return resized(torch.from_numpy(np.ascontiguousarray(stack)).to(device), size)
