"""The two-stage chain of Qi et al.: D5C5, then a U-Net on the magnitude of its reconstruction."""

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from mrviewer_models.blocks.complex_channels import smooth_magnitude, standardise
from mrviewer_models.blocks.unet import UNet, UNetShape
from mrviewer_models.d5c5.network import D5C5, D5C5Shape

__all__ = ["PRESETS", "JointNetwork", "JointShape"]


@dataclass(frozen=True)
class JointShape:
    """Sizes of both parts, and what the segmenter sees.

    Parameters
    ----------
    reconstruction, segmentation
        Sizes.
    seg_input
        ``magnitude``: standardised magnitude, one channel. ``complex``: real and imaginary part, two channels, divided
        by the largest magnitude. The paper does not say which; ours is the first.
    """

    reconstruction: D5C5Shape = field(default_factory=D5C5Shape)
    segmentation: UNetShape = field(default_factory=UNetShape)
    seg_input: Literal["magnitude", "complex"] = "magnitude"


PRESETS = {
    "paper": JointShape(),
    "paper_atlas": JointShape(),
    "small": JointShape(D5C5Shape(features=32), UNetShape(base=16, norm="instance")),
    "tiny": JointShape(D5C5Shape(2, 3, 8), UNetShape(base=4, levels=3, norm="instance")),
}


class JointNetwork(nn.Module):
    """Reconstruct, then segment.

    References
    ----------
    Qi K et al. (2020), Multi-task MR imaging with iterative teacher forcing and re-weighted deep learning,
    arXiv:2011.13614.
    """

    def __init__(self, shape: JointShape) -> None:
        super().__init__()
        self.shape = shape
        self.reconstruction = D5C5(shape.reconstruction)
        self.segmentation = UNet(shape.segmentation)

    def reconstruct(self, kspace: Tensor, pattern: Tensor, maps: Tensor) -> list[Tensor]:
        """Complex estimates after every cascade; see `D5C5.forward`."""
        steps: list[Tensor] = self.reconstruction(kspace, pattern, maps)
        return steps

    def segment(self, image: Tensor, *, teacher: bool = False) -> Tensor:
        """Logits ``(batch, class, y, x)`` of complex images ``(batch, y, x)``.

        Parameters
        ----------
        image : complex, (batch, y, x)
            A reconstruction, or the fully sampled image (the teacher).
        teacher
            Which of the two it is, for normalisation layers that keep them apart.
        """
        image = image / image.detach().abs().amax(dim=(1, 2), keepdim=True).clamp(min=1e-12)
        if self.shape.seg_input == "complex":
            channels = torch.stack([image.real, image.imag], dim=1)
        else:
            channels = standardise(smooth_magnitude(image))[:, None]
        logits: Tensor = self.segmentation(channels, teacher=teacher)
        return logits

    def forward(self, kspace: Tensor, pattern: Tensor, maps: Tensor) -> tuple[list[Tensor], Tensor]:
        """Estimates after every cascade, and the logits of the last one; what happens at test time."""
        steps = self.reconstruct(kspace, pattern, maps)
        return steps, self.segment(steps[-1])
