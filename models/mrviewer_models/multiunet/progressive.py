"""A second column that learns a new database beside a first one that keeps what it knows.

References
----------
Rusu AA et al. (2016), Progressive neural networks, arXiv:1606.04671; used here as in Xu W et al. (2024),
arXiv:2405.18511.
"""

from torch import Tensor, nn

from mrviewer_models.blocks.res_unet3d import ResUNet3D

__all__ = ["ProgressiveUNet"]


class ProgressiveUNet(nn.Module):
    """Two U-Nets on the same volume: the second hears at every step what enters that step of the first.

    The first, `pretrained`, is frozen and runs without dropout whatever the mode; the second gives the logits.

    Parameters
    ----------
    inputs, base, dropout
        See `ResUNet3D`.
    """

    def __init__(self, inputs: int, base: int, dropout: float) -> None:
        super().__init__()
        self.pretrained = ResUNet3D(inputs, 1, base, dropout).requires_grad_(requires_grad=False)
        self.column = ResUNet3D(inputs, 1, base, dropout, lateral=True)

    def train(self, mode: bool = True) -> "ProgressiveUNet":
        """Set the mode of the second column; the first always evaluates."""
        super().train(mode)
        self.pretrained.eval()
        return self

    def forward(self, volume: Tensor) -> Tensor:
        """Volumes ``(batch, inputs, z, y, x)`` to logits ``(batch, 1, z, y, x)``."""
        encoded = self.pretrained.encoder(volume)
        entering_up = self.pretrained.decoder(encoded)[1]
        logits: Tensor = self.column.decoder(self.column.encoder(volume, encoded[:-1]), entering_up)[0]
        return logits
