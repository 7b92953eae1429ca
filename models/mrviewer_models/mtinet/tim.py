"""Task interaction module (TIM): segmentation and regression read each other.

The name and the role are the paper's (arXiv:2511.20793); the layers are our reconstruction.
"""

import torch
from torch import Tensor, nn

from mrviewer_models.mtinet.phase_transformer import transformer_layer

__all__ = ["SeparateTasks", "TaskInteraction", "region_mean"]


def region_mean(features: Tensor, weight: Tensor) -> Tensor:
    """Mean of features ``(batch, channel, y, x)`` where ``(batch, 1, y, x)`` weighs: ``(batch, channel)``."""
    total = weight.sum(dim=(2, 3)).clamp(min=1e-6)
    return (features * weight).sum(dim=(2, 3)) / total


class TaskInteraction(nn.Module):
    """Exchange between a token of the region and one of the regression; the first then modulates the decoder."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.region = nn.Linear(channels, width)
        self.regression = nn.Linear(width, width)
        self.exchange = transformer_layer(width, 0.1)
        self.modulation = nn.Linear(width, 2 * channels)
        self.head = nn.Conv2d(channels, 1, 1)

    def forward(self, features: Tensor, coarse: Tensor, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """Final logits ``(batch, 1, y, x)`` and regression token ``(batch, width)``.

        Parameters
        ----------
        features, coarse : (batch, channel, y, x) and (batch, 1, y, x)
            Last features of the decoder, and the logits that they gave.
        pooled : (batch, width)
            Mean of the deepest features.
        """
        region = self.region(region_mean(features, torch.sigmoid(coarse)))
        tokens = self.exchange(torch.stack([region, self.regression(pooled)], dim=1))
        scale, shift = self.modulation(tokens[:, 0])[:, :, None, None].chunk(2, dim=1)
        logits: Tensor = self.head(features * (1 + scale) + shift)
        return logits, tokens[:, 1]


class SeparateTasks(nn.Module):
    """No exchange: the coarse logits are the final ones, the regression sees the pooled features alone."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.regression = nn.Linear(width, width)

    def forward(self, features: Tensor, coarse: Tensor, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """See `TaskInteraction.forward`."""
        del features
        token: Tensor = self.regression(pooled)
        return coarse, token
