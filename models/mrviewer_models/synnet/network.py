"""SynNet: a U-Net that goes straight from the zero-filled image to labels."""

from dataclasses import replace

from torch import Tensor, nn

from mrviewer_models.blocks.complex_channels import scaled_channels
from mrviewer_models.blocks.data_consistency import MeasuredData
from mrviewer_models.blocks.unet import UNet, UNetShape
from mrviewer_models.blocks.unet_presets import unet_bn_t

__all__ = ["PRESETS", "SynNet"]

PRESETS = {
    "paper": unet_bn_t(2, 2),
    "small": replace(unet_bn_t(2, 2, base=16), norm="instance"),
    "tiny": replace(unet_bn_t(2, 2, base=4, levels=3), norm="instance"),
}


class SynNet(nn.Module):
    """Segment zero-filled images: real and imaginary part, each slice divided by its largest magnitude.

    Nothing is reconstructed: what the pattern has folded over, the segmenter must see through by itself.

    References
    ----------
    Schlemper J et al. (2018), Cardiac MR segmentation from undersampled k-space using deep latent representation
    learning, MICCAI, LNCS 11070:259-267, doi:10.1007/978-3-030-00928-1_30.
    """

    def __init__(self, shape: UNetShape) -> None:
        super().__init__()
        self.shape = shape
        self.segmentation = UNet(shape)

    def segment(self, zero_filled: Tensor) -> Tensor:
        """Logits ``(batch, class, y, x)`` of complex images ``(batch, y, x)``."""
        logits: Tensor = self.segmentation(scaled_channels(zero_filled))
        return logits

    def forward(self, kspace: Tensor, pattern: Tensor, maps: Tensor) -> Tensor:
        """Logits ``(batch, class, y, x)`` of a measurement; see `MeasuredData.from_kspace`."""
        _, zero_filled = MeasuredData.from_kspace(kspace, pattern, maps)
        return self.segment(zero_filled)
