"""Random contrasts: a mean for every group of tissue, textures within, and lesions."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from mrviewer_models.brain_mask.anatomies import BONE, CSF, N_GROUPS, SOFT, TISSUE, VENTRICLES
from mrviewer_models.brain_mask.fields import Rng, chance, noise, smooth_field, uniform

__all__ = ["add_lesions", "add_texture", "random_means"]

FloatArray = NDArray[np.float32]


def random_means(rng: Rng) -> FloatArray:
    """Mean of every group: of anything, or as in MR images, where bone and air are dark and brain is like brain."""
    means = rng.uniform(0, 1, N_GROUPS).astype(np.float32)
    if chance(rng, 0.85):
        tissue = uniform(rng, 0.25, 0.9)
        means[list(TISSUE)] = tissue + rng.normal(0, uniform(rng, 0.02, 0.15), len(TISSUE))
        fluid = uniform(rng, 0.8, 1.2) if chance(rng, 0.45) else uniform(rng, 0.0, 0.25)
        means[[VENTRICLES, CSF]] = fluid + rng.normal(0, 0.03, 2)
        means[BONE[0]] = uniform(rng, 0, 0.12)
        if chance(rng, 0.5):
            means[list(SOFT)] *= uniform(rng, 0.3, 1.0)
    else:
        # Fluid in and around the brain is of one kind in most images.
        if chance(rng, 0.7):
            means[CSF] = means[VENTRICLES]
    means[0] = 0 if chance(rng, 0.9) else uniform(rng, 0, 0.4)
    return np.clip(means, 0, 1.3)


def add_texture(rng: Rng, image: Tensor, groups: Tensor) -> Tensor:
    """Grain within each group, and slow changes, the largest where one label stands for several tissues."""
    edge = len(image)
    deviation = torch.from_numpy(rng.uniform(0, 0.08, N_GROUPS).astype(np.float32))
    deviation[0] = 0
    image = image + deviation[groups.long()] * noise(rng, (edge, edge, edge))
    swing = torch.full((N_GROUPS,), uniform(rng, 0, 0.06))
    swing[list(SOFT)] = uniform(rng, 0, 0.4)
    swing[0] = 0
    if chance(rng, 0.7):
        image = image + swing[groups.long()] * smooth_field(rng, int(rng.integers(8, 32)), edge)[0]
    return image.clamp_(min=0)


def add_lesions(rng: Rng, image: Tensor, groups: Tensor) -> Tensor:
    """Blobs of another brightness in the brain, from one voxel to a quarter of it."""
    inside = torch.nonzero((groups > 0) & (groups < CSF))
    if not len(inside):
        return image
    edge = len(image)
    for _ in range(int(rng.integers(1, 6))):
        centre = inside[int(rng.integers(len(inside)))]
        radius = float(np.exp(rng.uniform(np.log(1.5), np.log(18))))
        low = [max(int(at - 2 * radius), 0) for at in centre]
        high = [min(int(at + 2 * radius) + 1, edge) for at in centre]
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        lines = [torch.arange(a, b, dtype=torch.float32) - at for a, b, at in zip(low, high, centre, strict=True)]
        z, y, x = torch.meshgrid(*lines, indexing="ij")
        distance = torch.sqrt(z**2 + y**2 + x**2) / radius
        rough = F.interpolate(noise(rng, (1, 1, 5, 5, 5)), size=z.shape, mode="trilinear", align_corners=True)[0, 0]
        share = ((1.2 - distance + 0.3 * rough) * radius / 2).clamp_(0, 1) * (groups[box] > 0) * (groups[box] < CSF)
        image[box] += share * (uniform(rng, 0, 1.2) - image[box])
    return image
