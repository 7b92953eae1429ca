"""Complex images at the door of a network that wants real channels."""

import torch
from torch import Tensor

__all__ = ["from_channels", "scaled_channels", "smooth_magnitude", "standardise", "to_channels"]


def to_channels(image: Tensor) -> Tensor:
    """Complex ``(batch, y, x)`` to real ``(batch, 2, y, x)``, real part first."""
    return torch.view_as_real(image).permute(0, 3, 1, 2)


def from_channels(channels: Tensor) -> Tensor:
    """Real ``(batch, 2, y, x)`` to complex ``(batch, y, x)``."""
    return torch.complex(channels[:, 0].float(), channels[:, 1].float())


def scaled_channels(image: Tensor) -> Tensor:
    """Complex ``(batch, y, x)`` to real ``(batch, 2, y, x)``, each image divided by its largest magnitude."""
    return to_channels(image / image.detach().abs().amax(dim=(1, 2), keepdim=True).clamp(min=1e-12))


def smooth_magnitude(image: Tensor) -> Tensor:
    """Magnitude of complex images, near 1 at their brightest, whose gradient is finite where the image is zero."""
    return (image.real.square() + image.imag.square() + 1e-12).sqrt()


def standardise(magnitude: Tensor, threshold: float = 0.05) -> Tensor:
    """Zero mean and unit deviation over the object of each image; what the segmenters see.

    The object is where the magnitude exceeds `threshold` of the image's 98th percentile inside a coarse grid of local
    maxima, so that neither air nor a single bright pixel sets the scale. An image without an object stays zero.

    Parameters
    ----------
    magnitude : real, (batch, y, x)
    threshold
        Fraction of the image's reference level.
    """
    level = torch.nn.functional.max_pool2d(magnitude.detach()[:, None], 8).flatten(1)
    reference = level.topk(max(level.shape[1] // 20, 1), dim=1).values[:, -1:, None]
    inside = (magnitude.detach() > threshold * reference) & (reference > 0)
    count = inside.sum(dim=(1, 2), keepdim=True).clamp(min=1)
    mean = (magnitude * inside).sum(dim=(1, 2), keepdim=True) / count
    variance = ((magnitude - mean).square() * inside).sum(dim=(1, 2), keepdim=True) / count
    # The square root has no gradient at 0, which is what an image without contrast has.
    varies = variance > 0
    deviation = torch.where(varies, variance, torch.ones_like(variance)).sqrt() * varies
    scaled = (magnitude - mean) / (deviation + 1e-6 + 1e-3 * reference)
    return torch.where(reference > 0, scaled, torch.zeros_like(scaled))
