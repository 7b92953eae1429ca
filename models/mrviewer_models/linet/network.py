"""LI-Net: labels through a learned latent code, without skip connections."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from mrviewer_models.blocks.complex_channels import scaled_channels
from mrviewer_models.blocks.data_consistency import MeasuredData
from mrviewer_models.blocks.unet import ConvBlock, UNetShape, pad_to_multiple

__all__ = ["PRESETS", "LINet", "LINetShape"]


@dataclass(frozen=True)
class LINetShape:
    """Sizes, and whose code it is.

    Parameters
    ----------
    base, levels, widest
        Channels at full size, how often they are halved in size and doubled in number, and where doubling ends. The
        latent code has ``widest`` channels at ``1 / 2^levels`` of the size.
    classes
        With the background.
    latent_source
        ``image``: the code is that of the fully sampled image. ``label``: that of the label map, an auto-encoder.
    """

    base: int = 32
    levels: int = 4
    widest: int = 256
    classes: int = 2
    latent_source: Literal["image", "label"] = "image"

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of each level, finest first."""
        return tuple(min(self.base * 2**level, self.widest) for level in range(self.levels + 1))


PRESETS = {
    "paper": LINetShape(),
    "small": LINetShape(base=16, widest=128),
    "tiny": LINetShape(base=4, levels=2, widest=16),
}


class Encoder(nn.Module):
    """Images or label maps to a latent code, by convolutions of stride 2."""

    def __init__(self, inputs: int, shape: LINetShape) -> None:
        super().__init__()
        self.first = ConvBlock(inputs, shape.base, _BLOCK)
        self.down = nn.ModuleList(nn.Conv2d(*pair, 3, stride=2, padding=1) for pair in pairwise(shape.widths))
        self.blocks = nn.ModuleList(ConvBlock(width, width, _BLOCK) for width in shape.widths[1:])

    def forward(self, image: Tensor) -> Tensor:
        """``(batch, inputs, y, x)`` to ``(batch, widest, y / 2^levels, x / 2^levels)``, sizes rounded up."""
        padded = pad_to_multiple(image, 2 ** len(self.down))
        features: Tensor = self.first(padded)
        for down, block in zip(self.down, self.blocks, strict=True):
            features = block(down(features))
        return features


class Decoder(nn.Module):
    """A latent code to logits. It is given nothing else."""

    def __init__(self, shape: LINetShape) -> None:
        super().__init__()
        widths = shape.widths[::-1]
        self.up = nn.ModuleList(nn.ConvTranspose2d(*pair, 2, stride=2) for pair in pairwise(widths))
        self.blocks = nn.ModuleList(ConvBlock(width, width, _BLOCK) for width in widths[1:])
        self.head = nn.Conv2d(shape.base, shape.classes, 1)
        # Training begins at what is nearly always true, background.
        nn.init.zeros_(self.get_parameter("head.bias")[1:])
        nn.init.constant_(self.get_parameter("head.bias")[:1], 4.0)

    def forward(self, latent: Tensor) -> Tensor:
        """``(batch, widest, y, x)`` to logits ``(batch, class, y 2^levels, x 2^levels)``."""
        features = latent
        for up, block in zip(self.up, self.blocks, strict=True):
            features = block(up(features))
        logits: Tensor = self.head(features)
        return logits


class LINet(nn.Module):
    """An encoder of clean images (or labels), a predictor of its code from zero-filled ones, a decoder to labels.

    At test time the predictor and the decoder run; the encoder is needed to train them. That there are no skips is the
    method; sizes, instance normalisation and the three stages of its training are our reconstruction of it.

    References
    ----------
    Schlemper J et al. (2018), Cardiac MR segmentation from undersampled k-space using deep latent representation
    learning, MICCAI, LNCS 11070:259-267, doi:10.1007/978-3-030-00928-1_30.
    """

    def __init__(self, shape: LINetShape) -> None:
        super().__init__()
        self.shape = shape
        self.encoder = Encoder(2 if shape.latent_source == "image" else shape.classes, shape)
        self.predictor = Encoder(2, shape)
        self.decoder = Decoder(shape)

    def encode(self, image: Tensor, label: Tensor) -> Tensor:
        """Latent code of the clean source.

        Parameters
        ----------
        image : complex, (batch, y, x)
            Fully sampled; looked at if the source is the image.
        label : int64, (batch, y, x)
            Looked at if the source is the label.
        """
        if self.shape.latent_source == "image":
            source = scaled_channels(image)
        else:
            source = F.one_hot(label, self.shape.classes).movedim(-1, 1).float()
        latent: Tensor = self.encoder(source)
        return latent

    def predict(self, zero_filled: Tensor) -> Tensor:
        """Latent code that is guessed from complex zero-filled images ``(batch, y, x)``."""
        latent: Tensor = self.predictor(scaled_channels(zero_filled))
        return latent

    def decode(self, latent: Tensor, size: tuple[int, int]) -> Tensor:
        """Logits ``(batch, class, y, x)`` of this size."""
        logits: Tensor = self.decoder(latent)
        return logits[..., : size[0], : size[1]]

    def segment(self, zero_filled: Tensor) -> Tensor:
        """Logits ``(batch, class, y, x)`` of complex zero-filled images ``(batch, y, x)``."""
        return self.decode(self.predict(zero_filled), (zero_filled.shape[-2], zero_filled.shape[-1]))

    def forward(self, kspace: Tensor, pattern: Tensor, maps: Tensor) -> Tensor:
        """Logits ``(batch, class, y, x)`` of a measurement; see `MeasuredData.from_kspace`."""
        _, zero_filled = MeasuredData.from_kspace(kspace, pattern, maps)
        return self.segment(zero_filled)


_BLOCK = UNetShape(norm="instance")
