"""What scanners, archives and other programs do to an image."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mrviewer_models.brain_mask.fields import Rng, chance, noise, smooth_field, uniform

__all__ = ["cut", "remove_face", "shade", "spoil", "strip", "thicken"]


def strip(rng: Rng, image: Tensor, brain: Tensor, groups: Tensor) -> Tensor:
    """Zeros outside the brain, with or without the fluid around it."""
    kept = brain > 0.5
    if chance(rng, 0.4):
        grown = F.max_pool3d(kept[None, None].float(), 3, 1, 1)[0, 0] > 0
        kept = kept | (grown & (groups > 0))
    return image * kept


def remove_face(rng: Rng, image: Tensor, brain: Tensor) -> Tensor:
    """Zeros beyond a slanted plane that does not touch the brain."""
    edge = len(image)
    direction = rng.normal(0, 1, 3)
    direction /= np.linalg.norm(direction)
    line = torch.arange(edge, dtype=torch.float32)
    along = sum(
        float(part) * line.reshape([-1 if axis == own else 1 for axis in range(3)])
        for own, part in enumerate(direction)
    )
    assert isinstance(along, Tensor)
    inside = along[brain > 0.5]
    if not len(inside):
        return image
    return image * (along < inside.max() + uniform(rng, 2, 15))


def shade(rng: Rng, image: Tensor) -> Tensor:
    """The uneven sensitivity of coils."""
    field = smooth_field(rng, int(rng.integers(2, 6)), len(image))[0]
    return image * torch.exp(uniform(rng, 0, 0.5) * field)


def thicken(rng: Rng, image: Tensor, voxel_mm: float) -> Tensor:
    """Slices of 3 to 9 mm along a random axis, with a gap or without, brought back to the voxels of the network."""
    edge, axis = len(image), int(rng.integers(3))
    count = max(round(edge * voxel_mm / uniform(rng, 3, 9)), 8)
    size = [edge] * 3
    size[axis] = count
    if chance(rng, 0.7):
        thick = F.interpolate(image[None, None], size=size, mode="area")
    else:
        thick = F.interpolate(image[None, None], size=size, mode="trilinear", align_corners=False)
    return F.interpolate(thick, size=image.shape, mode="trilinear", align_corners=False)[0, 0]


def cut(rng: Rng, image: Tensor, brain: Tensor) -> tuple[Tensor, Tensor]:
    """Zeros beyond a plane across an axis: a field of view that ends in the brain or close to it."""
    image, brain = image.clone(), brain.clone()
    edge = len(image)
    axis = int(rng.integers(3))
    inside = torch.nonzero((brain > 0.5).amax(dim=[other for other in range(3) if other != axis]))[:, 0]
    if not len(inside):
        return image, brain
    first, last = int(inside[0]), int(inside[-1])
    end = round(last + 4 - uniform(rng, 0, 0.5) * (last - first))
    gone = slice(max(end, 4), edge)
    if chance(rng, 0.5):
        gone = slice(0, min(first + last - end, edge - 4)) if first + last > end else slice(0, 0)
    for volume in (image, brain):
        volume.movedim(axis, 0)[gone] = 0
    return image, brain


def spoil(rng: Rng, image: Tensor, groups: Tensor, voxel_mm: float) -> Tensor:
    """Coils, resolution, motion, noise, grey scale and background, each in a share of the images."""
    steps: tuple[tuple[float, Callable[[Tensor], Tensor]], ...] = (
        (0.7, lambda it: shade(rng, it)),
        (0.35, lambda it: _blur(rng, it)),
        (0.5, lambda it: thicken(rng, it, voxel_mm)),
        (0.15, lambda it: _undersample(rng, it)),
        (0.75, lambda it: _grain(rng, it)),
        (0.6, lambda it: _bend(rng, it)),
        (0.35, lambda it: it * (groups > 0)),
    )
    for share, step in steps:
        if chance(rng, share):
            image = step(image)
    return image


def _blur(rng: Rng, image: Tensor) -> Tensor:
    for axis in range(3):
        sigma = uniform(rng, 0.3, 1.0)
        side = np.exp(-1 / (2 * sigma**2))
        kernel = torch.tensor([side, 1.0, side], dtype=torch.float32) / (1 + 2 * side)
        shape = [1, 1, 1, 1, 1]
        shape[2 + axis] = 3
        padding = [int(axis == other) for other in range(3)]
        image = F.conv3d(image[None, None], kernel.reshape(shape), padding=padding)[0, 0]
    return image


def _undersample(rng: Rng, image: Tensor) -> Tensor:
    """Lines of k-space along one axis left out, or its edge: ghosts, or a coarse image with ringing."""
    axis, edge = int(rng.integers(3)), len(image)
    frequency = torch.fft.fftfreq(edge).abs() * 2
    kept = frequency < uniform(rng, 0.35, 0.8)
    if chance(rng, 0.5):
        kept = (frequency < uniform(rng, 0.08, 0.2)) | (
            torch.from_numpy(rng.uniform(size=edge)) < uniform(rng, 0.3, 0.6)
        )
    spectrum = torch.fft.fft(image, dim=axis)
    spectrum.movedim(axis, 0)[~kept] = 0
    magnitude: Tensor = torch.fft.ifft(spectrum, dim=axis).abs()
    return magnitude


def _grain(rng: Rng, image: Tensor) -> Tensor:
    level = float(image.amax()) * uniform(rng, 0, 0.08)
    if chance(rng, 0.5):
        return (image + level * noise(rng, tuple(image.shape))).clamp_(min=0)
    real = image + level * noise(rng, tuple(image.shape))
    return torch.sqrt(real**2 + (level * noise(rng, tuple(image.shape))) ** 2)


def _bend(rng: Rng, image: Tensor) -> Tensor:
    top = image.amax().clamp_(min=1e-6)
    bent: Tensor = (image / top).pow(float(np.exp(rng.normal(0, 0.35))))
    return bent
