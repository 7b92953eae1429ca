"""Losses that the recipes share."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["SegmentationLoss", "complex_l2", "segmentation_loss", "soft_dice_loss"]

SegmentationLoss = Literal["dice_c", "ce", "dice_ce"]


def complex_l2(estimate: Tensor, target: Tensor) -> Tensor:
    """``mean |estimate - target|^2`` of complex images, each pair divided by the largest magnitude of the target."""
    scale = target.abs().amax(dim=(1, 2), keepdim=True).clamp(min=1e-12)
    difference = (estimate - target) / scale
    return (difference.real.square() + difference.imag.square()).mean()


def soft_dice_loss(probability: Tensor, label: Tensor, *, smooth_denominator: float = 0.1) -> Tensor:
    """``1 - 2 sum(p s) / (sum p + sum s + epsilon)``, summed over the whole batch.

    Summed over the batch and not per slice: with nothing added to the numerator, a slice without a label would give the
    loss 1 and no gradient.

    References
    ----------
    Qi K et al. (2020), arXiv:2011.13614, equation 4 (epsilon = 0.1).
    """
    overlap = (probability * label).sum()
    return 1 - 2 * overlap / (probability.sum() + label.sum() + smooth_denominator)


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
