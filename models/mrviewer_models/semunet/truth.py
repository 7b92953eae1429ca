"""What is known of lesions and tissues, and the losses that look at no more than that."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from mrviewer.training.data.batches import Batch
from mrviewer_models.semunet.network import CLASSES

__all__ = ["ClassLoss", "class_loss", "known_classes", "region_loss"]

ClassLoss = Literal["bce", "bce_dice"]


def known_classes(batch: Batch) -> tuple[Tensor, Tensor]:
    """Classes of every pixel, and of which slices they are known.

    Returns
    -------
    truth : real, (batch, class, y, x)
        1 where a pixel is of a class; a lesion lies in a tissue and is of both.
    known : bool, (batch, class)
        Lesions are known where `Batch.labelled`, tissues where `Batch.tissues_known`.
    """
    tissues = [batch.tissues == value for value in range(1, len(CLASSES))]
    truth = torch.stack([batch.label > 0, *tissues], dim=1).float()
    known = torch.stack([batch.labelled, *[batch.tissues_known] * len(tissues)], dim=1)
    return truth, known


def class_loss(logits: Tensor, truth: Tensor, known: Tensor, kind: ClassLoss) -> Tensor:
    """Binary cross-entropy of the known classes, and with ``bce_dice`` one minus their soft Dice; 0 if none is known.

    The Dice of a class is taken over the whole batch, so that a slice without it has a gradient.
    """
    if not bool(known.any()):
        return logits.sum() * 0
    logits = logits.float()
    weight = known[..., None, None].float().expand_as(truth)
    entropy = F.binary_cross_entropy_with_logits(logits, truth, weight, reduction="sum") / weight.sum()
    if kind == "bce":
        return entropy
    probability = torch.sigmoid(logits) * weight
    overlap = (probability * truth).sum(dim=(0, 2, 3))
    sizes = (probability + truth * weight).sum(dim=(0, 2, 3))
    dice = 2 * overlap / (sizes + 0.1)
    return entropy + 1 - dice[known.any(dim=0)].mean()


def region_loss(magnitude: Tensor, target: Tensor, truth: Tensor, known: Tensor) -> Tensor:
    """``sum_k SmoothL1(s_k x, s_k target)`` over the classes, where they are known.

    Parameters
    ----------
    magnitude, target : real, (batch, y, x)
    truth : real, (batch, class, y, x)
    known : bool, (batch, class)
    """
    region = truth * known[..., None, None]
    distance = F.smooth_l1_loss(region * magnitude[:, None], region * target[:, None], reduction="none")
    return distance.mean(dim=(0, 2, 3)).sum()
