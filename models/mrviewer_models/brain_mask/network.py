"""A small U-Net that sees a slice and two of its neighbours, in whichever of the three orientations."""

from dataclasses import dataclass, field

from torch import Tensor, nn

from mrviewer_models.blocks.unet import UNet, UNetShape

__all__ = ["PRESETS", "BrainShape", "BrainUNet"]


def _unet(base: int, levels: int, widest: int) -> UNetShape:
    return UNetShape(
        inputs=3,
        outputs=1,
        base=base,
        levels=levels,
        widest=widest,
        order="conv_norm_act",
        bias=False,
        up="nearest",
        head="values",
    )


@dataclass(frozen=True)
class BrainShape:
    """Size of the network and of what it sees.

    Parameters
    ----------
    unet
        Its channels.
    voxel_mm
        Edge of the cubes that volumes are resampled to.
    apart
        How many cubes the neighbours are away from the slice.
    """

    unet: UNetShape = field(default_factory=lambda: _unet(8, 5, 64))
    voxel_mm: float = 2.0
    apart: int = 2


PRESETS = {"small": BrainShape(), "tiny": BrainShape(_unet(4, 3, 8), voxel_mm=4.0, apart=1)}


class BrainUNet(nn.Module):
    """Logits of the brain in slices ``(batch, 3, y, x)``."""

    def __init__(self, shape: BrainShape) -> None:
        super().__init__()
        self.shape = shape
        self.segmentation = UNet(shape.unet)

    def forward(self, slices: Tensor) -> Tensor:
        """Logits ``(batch, y, x)``."""
        logits: Tensor = self.segmentation(slices)
        return logits[:, 0]
