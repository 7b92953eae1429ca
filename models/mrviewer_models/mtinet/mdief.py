"""Multi-domain information entropy fusion (MdIEF): four phases become one by how much they tell.

The name and the role are the paper's (arXiv:2511.20793); the layers are our reconstruction.
"""

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["MdIEF", "MeanFusion", "channel_entropy", "high_frequencies"]

BOX = 0.25
"""Half width of the removed box, as a part of each half-axis of Fourier space."""


def high_frequencies(features: Tensor, spectrum: Literal["fourier", "haar"] = "fourier") -> Tensor:
    """What is left of features ``(..., y, x)`` without their low frequencies.

    ``fourier``: the box of a quarter of each half-axis around DC is set to zero. ``haar``: the sub-band of the means of
    2 x 2 pixels is set to zero.
    """
    height, width = features.shape[-2:]
    if spectrum == "haar":
        even = F.pad(features.flatten(0, -3)[:, None], (0, width % 2, 0, height % 2), mode="replicate")
        means = F.interpolate(F.avg_pool2d(even, 2), scale_factor=2.0, mode="nearest")
        return features - means[:, 0, :height, :width].view_as(features)
    # The box is a product of two intervals, so what it holds is a projection along each axis, two small products.
    down, across = _low_waves(height, features), _low_waves(width, features)
    with torch.autocast(features.device.type, enabled=False):
        last = features.float().movedim(-3, -1)
        low = down @ (down.T @ (across.T @ last).flatten(-2))
        high: Tensor = last - across @ low.unflatten(-1, (-1, last.shape[-1]))
    return high.movedim(-1, -3)


def _low_waves(size: int, like: Tensor) -> Tensor:
    """Orthonormal cosines and sines ``(size, wave)`` of the low frequencies of one axis."""
    angles = torch.arange(size, device=like.device)[:, None] * torch.arange(int(size * BOX / 2) + 1, device=like.device)
    turns = angles * (2 * math.pi / size)
    waves = torch.cat([turns.cos(), turns[:, 1:].sin()], dim=1)
    orthonormal: Tensor = waves / torch.linalg.vector_norm(waves, dim=0)
    return orthonormal


def channel_entropy(features: Tensor, dim: int) -> Tensor:
    """``-sum_c q log q / log C`` of ``q = softmax_c``: 1 where channels are alike, 0 where one of them stands out."""
    log_share = F.log_softmax(features.float(), dim=dim)
    return -(log_share.exp() * log_share).sum(dim=dim) / math.log(features.shape[dim])


class MdIEF(nn.Module):
    """Weigh phases by the entropy of their high frequencies, then mix what is seen with what is fine."""

    def __init__(self, channels: int, spectrum: Literal["fourier", "haar"]) -> None:
        super().__init__()
        self.spectrum: Literal["fourier", "haar"] = spectrum
        self.project = nn.Conv2d(channels, channels, 1)
        self.gamma = nn.Parameter(torch.ones(1))
        self.gate = nn.Conv2d(2 * channels, channels, 1)
        self.output = nn.Conv2d(channels, channels, 3, padding=1)

    def phase_weights(self, fine: Tensor) -> Tensor:
        """Share of each phase ``(batch, phase, 1, y, x)`` from its fine features; shares add up to 1."""
        return torch.softmax(self.gamma * channel_entropy(fine, dim=2), dim=1)[:, :, None]

    def forward(self, features: Tensor) -> Tensor:
        """Features ``(batch, phase, channel, y, x)`` to ``(batch, channel, y, x)``."""
        high = high_frequencies(features.flatten(0, 1), self.spectrum)
        fine = self.project(high).view_as(features)
        weights = self.phase_weights(fine)
        seen, details = _weighted(weights, features), _weighted(weights, fine)
        gate = torch.sigmoid(self.gate(torch.cat([seen, details], dim=1)))
        fused: Tensor = self.output(gate * seen + (1 - gate) * details)
        return fused


def _weighted(weights: Tensor, features: Tensor) -> Tensor:
    """Sum of the phases times their weights, without an array of all the products."""
    total: Tensor = weights[:, 0] * features[:, 0]
    for phase in range(1, features.shape[1]):
        total = torch.addcmul(total, weights[:, phase], features[:, phase])
    return total


class MeanFusion(nn.Module):
    """The mean of the phases, in place of MdIEF."""

    def forward(self, features: Tensor) -> Tensor:
        """Features ``(batch, phase, channel, y, x)`` to ``(batch, channel, y, x)``."""
        return features.mean(dim=1)
