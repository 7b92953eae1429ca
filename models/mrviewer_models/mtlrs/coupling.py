"""How a segmentation steers the next reconstruction: through its hidden states."""

from typing import Literal

import torch
from torch import Tensor, nn

from mrviewer_models.blocks.rim import N_HIDDEN

__all__ = ["ConcatCoupling", "Coupling", "SegActivation", "couple", "seen_segmentation", "tiled"]

Coupling = Literal["add", "replace", "concat_1x1", "none"]
SegActivation = Literal["sigmoid", "minmax"]


def seen_segmentation(image: Tensor, logits: Tensor, activation: SegActivation) -> Tensor:
    """``|x s|`` for every class: the reconstruction where the segmenter sees that class.

    Parameters
    ----------
    image : complex, (batch, y, x)
    logits : (batch, class, y, x)
    activation
        What makes `s` of logits: ``sigmoid`` (ours), or ``minmax``, by which the lowest of each image becomes 0 and the
        highest 1. The public code does the latter over the whole batch; here slices do not see each other.

    Returns
    -------
    real, (batch, class, y, x)
    """
    if activation == "sigmoid":
        share = torch.sigmoid(logits.float())
    else:
        low, high = logits.float().amin(dim=(1, 2, 3), keepdim=True), logits.float().amax(dim=(1, 2, 3), keepdim=True)
        share = (logits.float() - low) / (high - low).clamp(min=1e-6)
    return image.abs()[:, None] * share


def tiled(seen: Tensor, features: int) -> Tensor:
    """Repeat classes ``(batch, class, y, x)`` along channels as often as they fit, and fill up with zeros."""
    classes = seen.shape[1]
    repeated = seen.repeat(1, features // classes, 1, 1)
    return torch.nn.functional.pad(repeated, (0, 0, 0, 0, 0, features - repeated.shape[1]))


def couple(hidden: tuple[Tensor, ...], seen: Tensor, coupling: Literal["add", "replace"]) -> tuple[Tensor, ...]:
    """Hidden states ``(batch, f, y, x)`` that the next machine begins with.

    ``replace`` is equation 5 of the paper to the letter, ``add`` its text and the public code.

    References
    ----------
    Karkalousos D et al. (2023), MultiTask learning for accelerated-MRI reconstruction and segmentation of brain lesions
    in multiple sclerosis, PMLR 227:991-1005.
    """
    states = (tiled(seen, state.shape[1]).to(state.dtype) for state in hidden)
    if coupling == "replace":
        return tuple(states)
    return tuple(state + added for state, added in zip(hidden, states, strict=True))


class ConcatCoupling(nn.Module):
    """Hidden states from a learned 1 x 1 convolution of states and segmentation (ours); it begins as their sum."""

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.mix = nn.ModuleList(nn.Conv2d(features + classes, features, 1) for _ in range(N_HIDDEN))
        each = torch.eye(classes).repeat(features // classes, 1)
        sums = torch.cat([torch.eye(features), nn.functional.pad(each, (0, 0, 0, features - len(each)))], dim=1)
        for name, parameter in self.named_parameters():
            with torch.no_grad():
                parameter.copy_(sums[..., None, None] if name.endswith("weight") else torch.zeros(features))

    def forward(self, hidden: tuple[Tensor, ...], seen: Tensor) -> tuple[Tensor, ...]:
        """Hidden states ``(batch, f, y, x)`` and ``(batch, class, y, x)`` to hidden states."""
        return tuple(
            mix(torch.cat([state, seen.to(state.dtype)], dim=1)) for mix, state in zip(self.mix, hidden, strict=True)
        )
