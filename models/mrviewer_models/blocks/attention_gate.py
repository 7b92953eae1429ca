"""Attention on the skips of a U-Net."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["AttentionGate"]


class AttentionGate(nn.Module):
    """Weigh every place of a skip by what the level below sees there.

    ``q = relu(W_x x + up(W_g g))``, ``a = up(sigmoid(psi(q)))``, output ``a x``. `W_x` is a 2 x 2 convolution of stride
    2 without bias, `W_g` and `psi` are 1 x 1 convolutions with bias, `up` is bilinear.

    Parameters
    ----------
    skip
        Channels of the skip, and of `q`.
    gating
        Channels of the level below.

    References
    ----------
    Oktay O et al. (2018), Attention U-Net: learning where to look for the pancreas, arXiv:1804.03999.
    """

    def __init__(self, skip: int, gating: int) -> None:
        super().__init__()
        self.skip = nn.Conv2d(skip, skip, 2, stride=2, bias=False)
        self.gating = nn.Conv2d(gating, skip, 1)
        self.weight = nn.Conv2d(skip, 1, 1)

    def forward(self, skip: Tensor, gating: Tensor) -> Tensor:
        """Skips ``(batch, skip, y, x)``, gated by ``(batch, gating, y / 2, x / 2)`` before that is up-sampled."""
        return skip * self.attention(skip, gating)

    def attention(self, skip: Tensor, gating: Tensor) -> Tensor:
        """Weights between 0 and 1, ``(batch, 1, y, x)``."""
        looked_at = self.skip(skip)
        asked = F.interpolate(self.gating(gating), looked_at.shape[-2:], mode="bilinear", align_corners=False)
        weight = torch.sigmoid(self.weight(F.relu(looked_at + asked)))
        return F.interpolate(weight, skip.shape[-2:], mode="bilinear", align_corners=False)
