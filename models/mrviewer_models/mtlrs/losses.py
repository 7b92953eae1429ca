"""The segmentation loss of MTLRS: classes that may overlap, each known for some slices only."""

import torch
from torch import Tensor
from torch.nn import functional as F

from mrviewer.training.data.batches import Batch
from mrviewer.training.losses import soft_dice_loss

__all__ = ["CLASSES", "multi_label_loss", "truth_of"]

CLASSES = ("lesion", "brain tissue", "cerebrospinal fluid", "background")
"""What the channels are, of which a network has the first ones."""

_SMOOTH = 1e-5
_CSF, _GREY = 1, 2


def truth_of(batch: Batch, classes: int) -> tuple[Tensor, Tensor]:
    """Labels of the first `classes` of `CLASSES`, and where they are known.

    Brain tissue is grey and white matter, lesions included. Lesions are known where slices are labelled, the others
    where tissues are.

    Returns
    -------
    truth : float32, (batch, class, y, x)
    known : bool, (batch, class)
    """
    lesion, tissues = batch.label > 0, batch.tissues
    brain = (tissues >= _GREY) | lesion
    fluid = (tissues == _CSF) & ~lesion
    truth = torch.stack([lesion, brain, fluid, ~(brain | fluid)], dim=1)[:, :classes]
    known = torch.stack([batch.labelled, *[batch.tissues_known] * (len(CLASSES) - 1)], dim=1)[:, :classes]
    return truth.float(), known


def multi_label_loss(logits: Tensor, truth: Tensor, known: Tensor, *, beta: float, squared: bool) -> Tensor:
    """``beta BCE + (1 - beta) Dice``, the mean over the classes that are known of any slice; 0 if none is.

    Parameters
    ----------
    logits, truth : (batch, class, y, x)
    known : bool, (batch, class)
        Slices of which a class is known; others do not count for it.
    beta
        Weight of the binary cross-entropy.
    squared
        Whether the denominator of Dice has squares, as printed in the paper.

    References
    ----------
    Karkalousos D et al. (2023), MultiTask learning for accelerated-MRI reconstruction and segmentation of brain lesions
    in multiple sclerosis, PMLR 227:991-1005, equation 9.
    """
    losses = []
    for number in range(logits.shape[1]):
        chosen = known[:, number]
        if not bool(chosen.any()):
            continue
        seen, label = logits[chosen, number].float(), truth[chosen, number]
        entropy = F.binary_cross_entropy_with_logits(seen, label)
        dice = soft_dice_loss(
            torch.sigmoid(seen), label, smooth_numerator=_SMOOTH, smooth_denominator=_SMOOTH, squared=squared
        )
        losses.append(beta * entropy + (1 - beta) * dice)
    return torch.stack(losses).mean() if losses else logits.sum() * 0
