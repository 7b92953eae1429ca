"""Losses that the recipes share."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = [
    "ReconstructionLoss",
    "SegmentationLoss",
    "complex_l2",
    "reconstruction_loss",
    "segmentation_loss",
    "soft_dice_loss",
]

ReconstructionLoss = Literal["l1", "l2"]

SegmentationLoss = Literal["dice_c", "ce", "dice_ce"]


def complex_l2(estimate: Tensor, target: Tensor) -> Tensor:
    """``mean |estimate - target|^2`` of complex images, each pair divided by the largest magnitude of the target."""
    scale = target.abs().amax(dim=(1, 2), keepdim=True).clamp(min=1e-12)
    difference = (estimate - target) / scale
    return (difference.real.square() + difference.imag.square()).mean()


def reconstruction_loss(estimate: Tensor, target: Tensor, kind: ReconstructionLoss) -> Tensor:
    """``mean |estimate - target|`` (or its square) of images ``(batch, y, x)``, complex or magnitudes.

    Each pair is divided by the largest magnitude of the target.
    """
    scale = target.abs().amax(dim=(1, 2), keepdim=True).clamp(min=1e-12)
    difference = ((estimate - target) / scale).abs()
    return (difference if kind == "l1" else difference.square()).mean()


def soft_dice_loss(
    probability: Tensor,
    label: Tensor,
    *,
    smooth_numerator: float = 0.0,
    smooth_denominator: float = 0.1,
    squared: bool = False,
) -> Tensor:
    """``1 - (2 sum(p s) + e_n) / (sum p + sum s + e_d)``, summed over the whole batch; of squares if `squared`.

    Summed over the batch and not per slice: with nothing added to the numerator, a slice without a label would give the
    loss 1 and no gradient.

    References
    ----------
    Qi K et al. (2020), arXiv:2011.13614, equation 4 (e_n = 0, e_d = 0.1).
    """
    overlap = 2 * (probability * label).sum() + smooth_numerator
    if squared:
        probability, label = probability.square(), label.square()
    return 1 - overlap / (probability.sum() + label.sum() + smooth_denominator)


def segmentation_loss(logits: Tensor, label: Tensor, labelled: Tensor, kind: SegmentationLoss) -> Tensor:
    """Loss of lesion logits ``(batch, 2, y, x)`` on the slices whose label ``(batch, y, x)`` is known; 0 if none is."""
    if not bool(labelled.any()):
        return logits.sum() * 0
    logits, label = logits[labelled].float(), label[labelled]
    parts = []
    if kind in ("dice_c", "dice_ce"):
        parts.append(soft_dice_loss(torch.softmax(logits, dim=1)[:, 1], label.float()))
    if kind in ("ce", "dice_ce"):
        parts.append(F.cross_entropy(logits, label))
    return torch.stack(parts).mean() if len(parts) == 1 else parts[0] + parts[1]
