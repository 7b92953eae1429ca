"""The U-Net that sees the fully sampled image: the reference for segmentation."""

from torch import Tensor, nn

from mrviewer_models.blocks.complex_channels import standardise
from mrviewer_models.blocks.unet import UNet, UNetShape

__all__ = ["PRESETS", "ImageUNet"]

PRESETS = {
    "paper": UNetShape(),
    "small": UNetShape(base=16, norm="instance"),
    "tiny": UNetShape(base=4, levels=3, norm="instance"),
}


class ImageUNet(nn.Module):
    """Segment magnitude images of one modality, each standardised by itself."""

    def __init__(self, shape: UNetShape) -> None:
        super().__init__()
        self.shape = shape
        self.segmentation = UNet(shape)

    def forward(self, magnitude: Tensor) -> Tensor:
        """Logits ``(batch, class, y, x)`` of magnitudes ``(batch, y, x)``."""
        logits: Tensor = self.segmentation(standardise(magnitude)[:, None])
        return logits
