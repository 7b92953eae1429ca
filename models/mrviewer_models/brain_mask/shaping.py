"""Where the voxels of a synthetic image lie in a head: turned, stretched, bent and moved."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from mrviewer_models.brain_mask.fields import Rng, chance, smooth_field, uniform

__all__ = ["nearest", "random_places", "sampled"]

_TURN = 0.2
"""Standard deviation of a rotation about each axis, in radians."""


def random_places(rng: Rng, brain: NDArray[np.uint8], edge: int, voxel_mm: float) -> Tensor:
    """Position ``(edge, edge, edge, 3)`` in voxels of 1 mm of every voxel of an image, around the brain or beside."""
    inside = np.argwhere(brain[::4, ::4, ::4]) * 4.0
    centre = (inside.min(0) + inside.max(0)) / 2
    reach = 45.0 if chance(rng, 0.5) else 12.0
    centre = centre + rng.uniform(-reach, reach, 3)
    line = (torch.arange(edge, dtype=torch.float32) - (edge - 1) / 2) * voxel_mm
    grid = torch.stack(torch.meshgrid(line, line, line, indexing="ij"), dim=-1)
    places = grid @ torch.from_numpy(_random_matrix(rng).T) + torch.from_numpy(centre.astype(np.float32))
    if chance(rng, 0.8):
        bend = smooth_field(rng, int(rng.integers(4, 9)), edge, 3)
        places += uniform(rng, 0, 4) * bend.permute(1, 2, 3, 0)
    return places


def sampled(volumes: Sequence[NDArray[np.float32]], places: Tensor) -> Tensor:
    """Volumes ``(z, y, x)`` of one size at some places, linearly; 0 outside of them."""
    source = torch.from_numpy(np.stack(volumes))[None]
    size = torch.tensor(source.shape[2:], dtype=torch.float32)
    grid = ((2 * places + 1) / size - 1).flip(-1)[None]
    return F.grid_sample(source, grid, mode="bilinear", align_corners=False)[0]


def nearest(volume: NDArray[np.uint8], places: Tensor) -> Tensor:
    """Volume ``(z, y, x)`` at the voxels nearest to some places; 0 outside of it."""
    indices = places.round().to(torch.int32)
    size = torch.tensor(volume.shape, dtype=torch.int32)
    outside = ((indices < 0) | (indices >= size)).any(-1)
    z, y, x = torch.minimum(indices.clamp_(min=0), size - 1).long().unbind(-1)
    flat = (z * volume.shape[1] + y) * volume.shape[2] + x
    found = torch.from_numpy(volume).reshape(-1)[flat]
    found[outside] = 0
    return found


def _random_matrix(rng: Rng) -> NDArray[np.float32]:
    """Rotation, shear and scale."""
    matrix = np.eye(3)
    for first, second in ((0, 1), (0, 2), (1, 2)):
        angle = rng.normal(0, _TURN)
        turn = np.eye(3)
        turn[[first, second], [first, second]] = np.cos(angle)
        turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
        matrix = matrix @ turn
    shear = np.eye(3) + np.triu(rng.normal(0, 0.04, (3, 3)), 1)
    scale = np.exp(rng.normal(0, 0.06, 3)) * np.exp(rng.uniform(-0.12, 0.16))
    return np.asarray(matrix @ shear @ np.diag(scale), np.float32)
