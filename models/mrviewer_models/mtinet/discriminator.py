"""Task-driven discriminator (TDD): whether mask, regression and class belong together, and to this image.

The name and the role are the paper's (arXiv:2511.20793); the layers are our reconstruction.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mrviewer_models.mtinet.phase_transformer import transformer_layer
from mrviewer_models.mtinet.shape import N_PHASES, MTIShape

__all__ = ["Discriminator", "Tasks"]

PATCH = 16


@dataclass(frozen=True, eq=False)
class Tasks:
    """The answers to all tasks, true or predicted.

    Parameters
    ----------
    mask : (batch, 1, y, x)
        Probability of tumour, or the label.
    regression : (batch, value)
        Regressed values.
    classes : (batch, class)
        Probabilities, or the smoothed label.
    """

    mask: Tensor
    regression: Tensor
    classes: Tensor

    def detached(self) -> "Tasks":
        """The same answers, through which no gradient flows."""
        return Tasks(self.mask.detach(), self.regression.detach(), self.classes.detach())


class Discriminator(nn.Module):
    """A Transformer over a query, the regression, the classes, and patches of image and mask."""

    def __init__(self, shape: MTIShape, n_layers: int = 2) -> None:
        super().__init__()
        width = 4 * shape.base
        self.query = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.regression = nn.Linear(shape.n_values, width)
        self.classes = nn.Linear(shape.n_classes, width)
        self.patches = nn.Conv2d(N_PHASES + 1, width, PATCH, stride=PATCH)
        self.kind = nn.Parameter(0.02 * torch.randn(4, width))
        self.layers = nn.ModuleList([transformer_layer(width, 0.0) for _ in range(n_layers)])
        self.score = nn.Linear(width, 1)

    def forward(self, image: Tensor, mask: Tensor, regression: Tensor, classes: Tensor) -> Tensor:
        """Score ``(batch,)``, 1 for real; image ``(batch, phase, y, x)``, the rest as in `Tasks`."""
        height, width = image.shape[-2:]
        seen = F.pad(torch.cat([image * mask, mask], dim=1), (0, -width % PATCH, 0, -height % PATCH))
        patches = self.patches(seen).flatten(2).transpose(1, 2)
        tokens = torch.cat(
            [
                self.query.expand(len(image), -1, -1) + self.kind[0],
                self.regression(regression)[:, None] + self.kind[1],
                self.classes(classes)[:, None] + self.kind[2],
                patches + self.kind[3],
            ],
            dim=1,
        )
        for layer in self.layers:
            tokens = layer(tokens)
        score: Tensor = self.score(tokens[:, 0])[:, 0]
        return score
