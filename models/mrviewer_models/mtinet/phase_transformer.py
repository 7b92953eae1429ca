"""The shallow Transformer that relates the phases of a study to each other, place by place."""

import torch
from torch import Tensor, nn

from mrviewer_models.mtinet.shape import N_PHASES

__all__ = ["PhaseTransformer", "transformer_layer"]

N_HEADS = 4


def transformer_layer(width: int, dropout: float) -> nn.TransformerEncoderLayer:
    """Pre-norm layer with four heads and a feed-forward part twice as wide."""
    return nn.TransformerEncoderLayer(
        width, N_HEADS, 2 * width, dropout, activation="gelu", batch_first=True, norm_first=True
    )


class PhaseTransformer(nn.Module):
    """Two layers over the four vectors that stand at one place; which phase is which is told by an embedding."""

    def __init__(self, width: int, n_layers: int = 2, dropout: float = 0.1) -> None:
        super().__init__()
        self.embedding = nn.Parameter(0.02 * torch.randn(N_PHASES, width))
        self.layers = nn.ModuleList([transformer_layer(width, dropout) for _ in range(n_layers)])

    def forward(self, features: Tensor) -> Tensor:
        """Features ``(batch, phase, channel, y, x)`` of the deepest stage."""
        batch, _, _, height, width = features.shape
        tokens = features.permute(0, 3, 4, 1, 2).flatten(0, 2) + self.embedding
        for layer in self.layers:
            tokens = layer(tokens)
        by_place: Tensor = tokens.unflatten(0, (batch, height, width))
        return by_place.permute(0, 3, 4, 1, 2).contiguous()
