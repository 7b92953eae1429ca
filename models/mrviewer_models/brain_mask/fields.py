"""Smooth random fields and random places, of which images are made."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

__all__ = ["Rng", "chance", "noise", "smooth_field", "uniform"]

Rng = np.random.Generator


def chance(rng: Rng, share: float) -> bool:
    """True in that share of the calls."""
    return bool(rng.uniform() < share)


def uniform(rng: Rng, low: float, high: float) -> float:
    """A number between two."""
    return float(rng.uniform(low, high))


def noise(rng: Rng, shape: tuple[int, ...]) -> Tensor:
    """Standard normal numbers."""
    values: NDArray[np.float32] = rng.standard_normal(shape, np.float32)
    return torch.from_numpy(values)


def smooth_field(rng: Rng, points: int, edge: int, channels: int = 1) -> Tensor:
    """Field ``(channel, edge, edge, edge)`` through standard normal values at so many points along each axis."""
    field = noise(rng, (1, channels, points, points, points))
    return F.interpolate(field, size=(edge, edge, edge), mode="trilinear", align_corners=True)[0]
