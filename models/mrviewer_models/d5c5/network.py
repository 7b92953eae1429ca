"""D5C5: a deep cascade of convolutional networks with data consistency between them."""

from dataclasses import dataclass

from torch import Tensor, nn

from mrviewer_models.blocks.cascade import CascadeCNN
from mrviewer_models.blocks.data_consistency import MeasuredData

__all__ = ["D5C5", "PRESETS", "D5C5Shape"]


@dataclass(frozen=True)
class D5C5Shape:
    """Size of the cascade: `depth` convolutions of `features` channels, `cascades` times."""

    cascades: int = 5
    depth: int = 5
    features: int = 64


PRESETS = {
    "paper": D5C5Shape(),
    "small": D5C5Shape(features=32),
    "tiny": D5C5Shape(cascades=2, depth=3, features=8),
}


class D5C5(nn.Module):
    """Reconstruction from undersampled k-space, one coil or many.

    Each image is scaled by the largest magnitude of its zero-filled reconstruction at the door and scaled back at the
    end, so that the units of the measurement do not matter (ours). Weights are not shared between cascades; data
    consistency is hard. With 64 features it has 565,770 parameters.

    References
    ----------
    Schlemper J et al. (2018), A deep cascade of convolutional neural networks for dynamic MR image reconstruction, IEEE
    Trans Med Imaging 37:491-503, doi:10.1109/TMI.2017.2760978.
    """

    def __init__(self, shape: D5C5Shape) -> None:
        super().__init__()
        self.shape = shape
        self.cascades = nn.ModuleList(CascadeCNN(shape.depth, shape.features) for _ in range(shape.cascades))

    def forward(self, kspace: Tensor, pattern: Tensor, maps: Tensor) -> list[Tensor]:
        """Estimates ``(batch, y, x)`` after every cascade; the last is the reconstruction.


        The measurement is that of `MeasuredData.from_kspace`.
        """
        data, image, scale = MeasuredData.scaled(kspace, pattern, maps)
        steps = []
        for index, cascade in enumerate(self.cascades):
            # The first cascade changes the image most, so that its rounding shows most.
            image = data.enforce(cascade(image, exact=index == 0))
            steps.append(image * scale)
        return steps
