"""Task interaction module (TIM): segmentation and regression read each other.

The name and the role are the paper's (arXiv:2511.20793); the layers are our reconstruction.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mrviewer_models.mtinet.phase_transformer import transformer_layer

__all__ = ["SeparateTasks", "TaskInteraction", "region_mean", "region_weights"]


def region_weights(logits: Tensor, sharpness: float = 1.0) -> Tensor:
    """Weight of each pixel ``(batch, 1, y, x)`` by its probability to the power of `sharpness`; weights add up to 1.

    They are computed as logarithms, so that this holds however small all probabilities are.
    """
    log_weight = sharpness * F.logsigmoid(logits.float())
    return torch.softmax(log_weight.flatten(1), dim=1).view_as(logits)


def region_mean(features: Tensor, weights: Tensor) -> Tensor:
    """Mean ``(batch, channel)`` of features ``(batch, channel, y, x)`` over a region; see `region_weights`."""
    return (features * weights).sum(dim=(2, 3))


class TaskInteraction(nn.Module):
    """Exchange between a token of the region and one of the regression; the first then modulates the decoder.

    Parameters
    ----------
    channels, width
        Channels of the decoder features; width of the tokens.
    n_extra
        Channels of further features that the token of the region is made of.
    """

    def __init__(self, channels: int, width: int, n_extra: int = 0) -> None:
        super().__init__()
        self.region = nn.Linear(channels + n_extra, width)
        self.regression = nn.Linear(width, width)
        self.exchange = transformer_layer(width, 0.1)
        self.modulation = nn.Linear(width, 2 * channels)
        self.head = nn.Conv2d(channels, 1, 1)

    def forward(
        self, features: Tensor, coarse: Tensor, pooled: Tensor, seen: Tensor, weights: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Final logits ``(batch, 1, y, x)`` and regression token ``(batch, width)``.

        Parameters
        ----------
        features, coarse : (batch, channel, y, x) and (batch, 1, y, x)
            Last features of the decoder, and the logits that they gave.
        pooled : (batch, width)
            Mean of the deepest features.
        seen, weights : (batch, channel + n_extra, y, x) and (batch, 1, y, x)
            What the token of the region is made of, and where the region is.
        """
        del coarse
        region = self.region(region_mean(seen, weights))
        tokens = self.exchange(torch.stack([region, self.regression(pooled)], dim=1))
        scale, shift = self.modulation(tokens[:, 0])[:, :, None, None].chunk(2, dim=1)
        logits: Tensor = self.head(features * (1 + scale) + shift)
        return logits, tokens[:, 1]


class SeparateTasks(nn.Module):
    """No exchange: the coarse logits are the final ones, the regression sees the pooled features alone."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.regression = nn.Linear(width, width)

    def forward(
        self, features: Tensor, coarse: Tensor, pooled: Tensor, seen: Tensor, weights: Tensor
    ) -> tuple[Tensor, Tensor]:
        """See `TaskInteraction.forward`."""
        del features, seen, weights
        token: Tensor = self.regression(pooled)
        return coarse, token
