"""The U-Net family as one class with switches.

References
----------
Ronneberger O, Fischer P, Brox T (2015), U-Net: convolutional networks for biomedical image segmentation, MICCAI,
LNCS 9351:234-241, doi:10.1007/978-3-319-24574-4_28.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["UNet", "UNetShape"]


@dataclass(frozen=True)
class UNetShape:
    """Everything that tells one member of the family from another.

    Parameters
    ----------
    inputs, outputs
        Channels in and out.
    base
        Channels of the first level; each level below has twice as many.
    levels
        Resolutions, the first included.
    norm
        ``batch``, ``instance``, or ``batch_separate``: batch statistics kept apart for two kinds of input.
    negative_slope
        Of the leaky ReLU.
    """

    inputs: int = 1
    outputs: int = 2
    base: int = 64
    levels: int = 5
    norm: Literal["batch", "instance", "batch_separate"] = "batch"
    negative_slope: float = 0.01


class SeparateBatchNorm(nn.Module):
    """Batch normalisation whose statistics and scale are kept apart for teacher images and for reconstructions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.kinds = nn.ModuleList([nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)])

    def forward(self, features: Tensor, *, teacher: bool = False) -> Tensor:
        """Normalise ``(batch, channel, y, x)`` with the statistics of its kind."""
        normalised: Tensor = self.kinds[int(teacher)](features)
        return normalised


class ConvBlock(nn.Module):
    """Twice: convolution 3 x 3 with bias, leaky ReLU, normalisation, in this order."""

    def __init__(self, inputs: int, outputs: int, shape: UNetShape) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            [nn.Conv2d(inputs, outputs, 3, padding=1), nn.Conv2d(outputs, outputs, 3, padding=1)]
        )
        self.norms = nn.ModuleList([_norm(outputs, shape), _norm(outputs, shape)])
        self.negative_slope = shape.negative_slope

    def forward(self, features: Tensor, *, teacher: bool = False) -> Tensor:
        """Features ``(batch, channel, y, x)``."""
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            features = F.leaky_relu(convolution(features), self.negative_slope)
            features = norm(features, teacher=teacher) if isinstance(norm, SeparateBatchNorm) else norm(features)
        return features


class UNet(nn.Module):
    """Encoder by 2 x 2 max pooling, decoder by 2 x 2 transposed convolution, skips by concatenation.

    Any image size: it is padded by reflection (by zeros where too small to reflect) and cropped back.
    """

    def __init__(self, shape: UNetShape) -> None:
        super().__init__()
        self.shape = shape
        widths = [shape.base * 2**level for level in range(shape.levels)]
        self.down = nn.ModuleList(
            ConvBlock(before, after, shape) for before, after in zip([shape.inputs, *widths], widths, strict=False)
        )
        pairs = list(zip(widths[::-1], widths[-2::-1], strict=False))
        self.up = nn.ModuleList(nn.ConvTranspose2d(below, above, 2, stride=2) for below, above in pairs)
        self.merge = nn.ModuleList(ConvBlock(2 * above, above, shape) for _, above in pairs)
        self.head = nn.Conv2d(shape.base, shape.outputs, 1)
        # Training begins at what is nearly always true, background, and not at a coin toss (ours).
        with torch.no_grad():
            self.get_parameter("head.bias").copy_(torch.tensor([4.0] + [0.0] * (shape.outputs - 1)))

    def forward(self, image: Tensor, *, teacher: bool = False) -> Tensor:
        """Images ``(batch, inputs, y, x)`` to logits ``(batch, outputs, y, x)``."""
        height, width = image.shape[-2:]
        features = _pad(image, 2 ** (self.shape.levels - 1)).contiguous(memory_format=torch.channels_last)
        skips = []
        for level, block in enumerate(self.down):
            if level:
                skips.append(features)
                features = F.max_pool2d(features, 2)
            features = block(features, teacher=teacher)
        for upsample, merge in zip(self.up, self.merge, strict=True):
            features = merge(torch.cat([skips.pop(), upsample(features)], dim=1), teacher=teacher)
        logits: Tensor = self.head(features)
        return logits[..., :height, :width]


def _norm(channels: int, shape: UNetShape) -> nn.Module:
    if shape.norm == "instance":
        return nn.InstanceNorm2d(channels, affine=True)
    return SeparateBatchNorm(channels) if shape.norm == "batch_separate" else nn.BatchNorm2d(channels)


def _pad(image: Tensor, multiple: int) -> Tensor:
    height, width = image.shape[-2:]
    below, right = -height % multiple, -width % multiple
    if height <= multiple and width <= multiple:
        # One pixel at the lowest level would have no statistics to be normalised by.
        right += multiple
    if not below and not right:
        return image
    mode = "reflect" if below < height and right < width else "constant"
    return F.pad(image, (0, right, 0, below), mode=mode)
