"""The U-Net that sees the fully sampled image: the reference for segmentation."""

from torch import Tensor, nn

from mrviewer_models.blocks.complex_channels import standardise
from mrviewer_models.blocks.unet import UNet, UNetShape
from mrviewer_models.unet_full.calibration import Calibration

__all__ = ["PRESETS", "ImageUNet"]

PRESETS = {
    "paper": UNetShape(),
    "small": UNetShape(base=16, norm="instance"),
    "tiny": UNetShape(base=4, levels=3, norm="instance"),
}


class ImageUNet(nn.Module):
    """Segment magnitude images of one modality.

    With one input channel each image is standardised by itself; with several, a slice is seen with its neighbours, and
    the volume was scaled before (see `mrviewer_models.blocks.scaling`).
    """

    def __init__(self, shape: UNetShape, calibration: Calibration | None = None) -> None:
        super().__init__()
        self.shape = shape
        self.calibration = calibration or Calibration()
        self.segmentation = UNet(shape)

    def forward(self, magnitude: Tensor) -> Tensor:
        """Logits ``(batch, class, y, x)`` of magnitudes ``(batch, y, x)``, or ``(batch, neighbour, y, x)``."""
        seen = standardise(magnitude)[:, None] if magnitude.ndim == 3 else magnitude
        logits: Tensor = self.segmentation(seen)
        return logits
