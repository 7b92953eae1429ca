"""IDSLR: one network, iterated, reconstructs; a second decoder segments from its last features."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from torch import Tensor, nn

from mrviewer_models.blocks.coil_stack import from_coil_channels, to_coil_channels
from mrviewer_models.blocks.data_consistency import CoilConsistency, Consistency, MeasuredData
from mrviewer_models.blocks.unet import UNetDecoder, UNetEncoder, UNetShape
from mrviewer_models.blocks.unet_presets import unet_in

__all__ = ["IDSLR", "PRESETS", "IDSLROutput", "IDSLRShape"]


@dataclass(frozen=True)
class IDSLRShape:
    """Sizes and switches.

    Parameters
    ----------
    iterations
        Passes through the same network.
    base, pools
        Channels of the first level and poolings.
    max_coils
        Coils that there are channels for; fewer are filled up with zeros.
    classes
        Background included.
    consistency
        ``learned``: soft, its weight learned. ``hard``.
    dropout
        Share of the channels dropped while training.
    """

    iterations: int = 5
    base: int = 64
    pools: int = 2
    max_coils: int = 32
    classes: int = 2
    consistency: Consistency = "learned"
    dropout: float = 0.0

    @property
    def reconstruction(self) -> UNetShape:
        """Encoder and first decoder."""
        channels = 2 * self.max_coils
        return unet_in(channels, channels, self.base, self.pools, dropout=self.dropout, head="correction")

    @property
    def segmentation(self) -> UNetShape:
        """Second decoder."""
        return replace(self.reconstruction, outputs=self.classes, head="classes")


PRESETS = {
    "paper": IDSLRShape(),
    "small": IDSLRShape(base=16, pools=3, max_coils=8),
    "tiny": IDSLRShape(iterations=2, base=4, max_coils=4),
}


class IDSLROutput(NamedTuple):
    """Images ``(batch, y, x)`` after every iteration, and logits ``(batch, class, y, x)``."""

    images: list[Tensor]
    logits: Tensor


class IDSLR(nn.Module):
    """Joint reconstruction and segmentation of many coils without their sensitivities.

    In each iteration the images of all coils pass through the encoder and the first decoder, are added to what that
    gives, and are drawn to the measurement; sensitivities are needed to combine the coils at the end alone. The second
    decoder sees what the encoder made in the last iteration. Each scan is divided by the largest magnitude of its
    zero-filled image (ours).

    References
    ----------
    Pramanik A et al. (2021), Joint calibrationless reconstruction and segmentation of parallel MRI, arXiv:2105.09220.
    """

    def __init__(self, shape: IDSLRShape) -> None:
        super().__init__()
        self.shape = shape
        self.encoder = UNetEncoder(shape.reconstruction)
        self.reconstruction = UNetDecoder(shape.reconstruction)
        self.segmentation = UNetDecoder(shape.segmentation)
        self.consistency = CoilConsistency(shape.consistency)

    def forward(self, kspace: Tensor, pattern: Tensor, maps: Tensor) -> IDSLROutput:
        """Images of every iteration, the last of which is the reconstruction, and logits.


        The measurement is that of `MeasuredData.from_kspace`.

        Raises
        ------
        DoesNotFitError
            If the network has not as many channels as that.
        """
        data, _, scale = MeasuredData.scaled(kspace, pattern, maps)
        coils, size = data.coil_images, kspace.shape[-2:]
        images: list[Tensor] = []
        levels: list[Tensor] = []
        for _ in range(self.shape.iterations):
            levels = self.encoder(to_coil_channels(coils, self.shape.max_coils))
            coils = coils + from_coil_channels(self.reconstruction(levels, size), kspace.shape[1])
            coils = self.consistency(data, coils)
            images.append(data.combined(coils) * scale)
        return IDSLROutput(images, self.segmentation(levels, size))
