"""RecSeg: one U-Net cleans the zero-filled magnitude, a second one segments what comes out."""

from dataclasses import dataclass

from torch import Tensor, nn

from mrviewer_models.blocks.complex_channels import smooth_magnitude, standardise
from mrviewer_models.blocks.data_consistency import MeasuredData
from mrviewer_models.blocks.unet import Head, UNet
from mrviewer_models.blocks.unet_presets import unet_in

__all__ = ["PRESETS", "RecSeg", "RecSegShape"]


@dataclass(frozen=True)
class RecSegShape:
    """Sizes of both U-Nets.

    Parameters
    ----------
    base, pools
        Channels of the first level and poolings, of both.
    classes
        Background included.
    residual
        Whether the first U-Net gives a correction to its input (ours) or the image itself.
    dropout
        Share of the channels dropped while training.
    """

    base: int = 64
    pools: int = 2
    classes: int = 2
    residual: bool = False
    dropout: float = 0.0


PRESETS = {
    "paper": RecSegShape(),
    "small": RecSegShape(base=16, pools=3, residual=True),
    "tiny": RecSegShape(base=4, residual=True),
}


class RecSeg(nn.Module):
    """Magnitude in, magnitude and logits out; k-space is looked at once, for the zero-filled image.

    References
    ----------
    Sui B et al. (2021), Simultaneous image reconstruction and lesion segmentation in accelerated MRI using multitasking
    learning, Med Phys 48:7189-7198, doi:10.1002/mp.15213.
    """

    def __init__(self, shape: RecSegShape) -> None:
        super().__init__()
        self.shape = shape
        size = (shape.base, shape.pools)
        head: Head = "correction" if shape.residual else "values"
        self.reconstruction = UNet(unet_in(1, 1, *size, dropout=shape.dropout, head=head))
        self.segmentation = UNet(unet_in(1, shape.classes, *size, dropout=shape.dropout, head="classes"))

    def forward(self, kspace: Tensor, pattern: Tensor, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Magnitudes ``(batch, y, x)`` in the units of the measurement, and logits ``(batch, class, y, x)``.


        The measurement is that of `MeasuredData.from_kspace`.
        """
        _, image, scale = MeasuredData.scaled(kspace, pattern, maps)
        magnitude = smooth_magnitude(image)[:, None]
        estimate = self.reconstruction(magnitude).float()
        if self.shape.residual:
            estimate = estimate + magnitude
        estimate = estimate[:, 0].abs()
        return estimate * scale, self.segmentation(standardise(estimate)[:, None])
