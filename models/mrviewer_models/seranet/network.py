"""SERANet: reconstruct, segment, let the segmentation say where to look, and segment again."""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from mrviewer_models.blocks.complex_channels import (
    from_channels,
    scaled_channels,
    smooth_magnitude,
    standardise,
    to_channels,
)
from mrviewer_models.blocks.data_consistency import MeasuredData
from mrviewer_models.blocks.unet import UNet, UNetShape
from mrviewer_models.blocks.unet_presets import unet_in

__all__ = ["PRESETS", "SERANet", "SERANetPasses", "SERANetShape"]


@dataclass(frozen=True)
class SERANetShape:
    """Sizes, and what the segmenter sees.

    Parameters
    ----------
    reconstruction, segmentation
        Sizes of the U-Nets.
    blocks
        U-Nets with data consistency, one after the other, that reconstruct.
    recurrences
        How often the segmentation is fed back.
    seg_input
        ``complex``: real and imaginary part, divided by the largest magnitude. ``magnitude``: standardised magnitude.
    """

    reconstruction: UNetShape = field(default_factory=lambda: unet_in(2, 2, 32, 4))
    segmentation: UNetShape = field(default_factory=lambda: unet_in(2, 2, 32, 4, head="classes"))
    blocks: int = 3
    recurrences: int = 2
    seg_input: Literal["complex", "magnitude"] = "complex"


PRESETS = {
    "paper": SERANetShape(),
    "small": SERANetShape(unet_in(2, 2, 8, 3), unet_in(2, 2, 12, 4, head="classes")),
    "tiny": SERANetShape(unet_in(2, 2, 4, 2), unet_in(2, 2, 4, 2, head="classes"), blocks=2),
}


class SERANetPasses(NamedTuple):
    """What every pass through the network gave, the first before any recurrence.

    Parameters
    ----------
    images : complex, (batch, y, x) each
        What the segmenter saw, in the units of the measurement.
    logits : real, (batch, class, y, x) each
    """

    images: list[Tensor]
    logits: list[Tensor]


class ClassAttention(nn.Module):
    """Gate an image by the probability of every class, and merge the gated images with the image itself."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.merge = nn.Conv2d(2 * (classes + 1), 2, 3, padding=1)
        # A recurrence begins as the image itself plus a little of the gated ones.
        with torch.no_grad():
            self.merge.weight.mul_(0.1)
            self.get_parameter("merge.bias").zero_()
            for part in range(2):
                self.merge.weight[part, part, 1, 1] += 1

    def forward(self, image: Tensor, logits: Tensor) -> Tensor:
        """Complex ``(batch, y, x)`` to the same, looking where the logits ``(batch, class, y, x)`` say."""
        channels = to_channels(image)
        gates = torch.softmax(logits.float(), dim=1)
        gated = (gates[:, :, None] * channels[:, None]).flatten(1, 2)
        return from_channels(self.merge(torch.cat([channels, gated], dim=1)))


class SERANet(nn.Module):
    """Segmentation from k-space by four modules: reconstruction, segmentation, attention, recurrence.

    The reconstruction learns from the segmentation loss alone, so that its image is whatever helps to segment and not
    an image to be measured. The modules and that loss are the paper's; sizes, the form of the attention, its weights
    shared between recurrences, and hard data consistency are our reconstruction of it.

    References
    ----------
    Huang Q et al. (2019), Brain segmentation from k-space with end-to-end recurrent attention network, MICCAI,
    LNCS 11766:275-283, doi:10.1007/978-3-030-32248-9_31.
    """

    def __init__(self, shape: SERANetShape) -> None:
        super().__init__()
        self.shape = shape
        self.reconstruction = nn.ModuleList(UNet(shape.reconstruction) for _ in range(shape.blocks))
        self.segmentation = UNet(shape.segmentation)
        self.attention = ClassAttention(shape.segmentation.outputs)
        # A block begins as the identity plus a little, so that three of them do not drown the measurement.
        with torch.no_grad():
            for block in self.reconstruction:
                block.get_parameter("decoder.head.weight").mul_(0.1)

    def forward(self, kspace: Tensor, pattern: Tensor, maps: Tensor) -> SERANetPasses:
        """Image and logits of every pass.


        The measurement is that of `MeasuredData.from_kspace`.
        """
        data, image, scale = MeasuredData.scaled(kspace, pattern, maps)
        for block in self.reconstruction:
            image = data.enforce(image + from_channels(block(to_channels(image))))
        images, logits = [image * scale], [self._segment(image)]
        for _ in range(self.shape.recurrences):
            image = data.enforce(self.attention(image, logits[-1]))
            images.append(image * scale)
            logits.append(self._segment(image))
        return SERANetPasses(images, logits)

    def _segment(self, image: Tensor) -> Tensor:
        if self.shape.seg_input == "complex":
            channels = scaled_channels(image)
        else:
            channels = standardise(smooth_magnitude(image))[:, None]
        logits: Tensor = self.segmentation(channels)
        return logits
