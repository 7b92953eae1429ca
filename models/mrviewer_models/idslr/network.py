"""IDSLR: one network, iterated, reconstructs; a second decoder segments from its last features."""

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor, nn

from mrviewer_models.blocks.coil_stack import from_coil_channels, to_coil_channels
from mrviewer_models.blocks.coil_unet_shape import CoilUNetShape
from mrviewer_models.blocks.data_consistency import CoilConsistency, MeasuredData
from mrviewer_models.blocks.unet import UNetDecoder, UNetEncoder

__all__ = ["IDSLR", "PRESETS", "IDSLROutput", "IDSLRShape"]


@dataclass(frozen=True)
class IDSLRShape(CoilUNetShape):
    """Sizes and switches of `CoilUNetShape`, and how often the network is passed.

    Parameters
    ----------
    iterations
        Passes through the same network.
    """

    iterations: int = 5


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
