"""The loss of the generator, and that of the discriminator, each blind to the other's parameters.

References
----------
Mao X et al. (2017), Least squares generative adversarial networks, ICCV, doi:10.1109/ICCV.2017.304.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional as F

from mrviewer.training.losses import soft_dice_loss
from mrviewer_models.mtinet.batches import LiverBatch
from mrviewer_models.mtinet.discriminator import Discriminator, Tasks
from mrviewer_models.mtinet.network import Prediction
from mrviewer_models.mtinet.shape import MTIShape
from mrviewer_models.mtinet.targets import measured_values, stacked_sizes

__all__ = [
    "LossWeights",
    "consistency_loss",
    "discriminator_loss",
    "fooling_loss",
    "mask_loss",
    "task_losses",
    "true_tasks",
    "true_values",
    "weighted_sum",
]


@dataclass(frozen=True)
class LossWeights:
    """Factors of the parts of the generator's loss; 0 leaves a task out."""

    segmentation: float = 1.0
    coarse: float = 0.5
    regression: float = 1.0
    classification: float = 1.0
    consistency: float = 0.1
    adversarial: float = 0.01


def mask_loss(logits: Tensor, label: Tensor) -> Tensor:
    """Half soft Dice over the batch and half binary cross-entropy of logits ``(batch, 1, y, x)``."""
    logits = logits.float()
    return 0.5 * soft_dice_loss(torch.sigmoid(logits), label) + 0.5 * F.binary_cross_entropy_with_logits(logits, label)


def true_values(batch: LiverBatch, shape: MTIShape) -> Tensor:
    """What the label says of the regressed values, ``(batch, value)``; without tumour it says nothing that holds."""
    values = measured_values(batch.raw, batch.label, shape.target, batch.liver)
    return torch.cat([values, stacked_sizes(batch.label[:, 0], shape.pixel_mm)], dim=1) if shape.quant else values


def task_losses(prediction: Prediction, batch: LiverBatch, shape: MTIShape) -> dict[str, Tensor]:
    """Loss of each task; slices without tumour count for the mask alone, unknown classes not at all."""
    zero = prediction.logits.sum() * 0
    sick = batch.has_tumour
    known = sick & (batch.diagnosis >= 0)
    losses = {
        "segmentation": mask_loss(prediction.logits, batch.label),
        "coarse": mask_loss(prediction.coarse, batch.label) if shape.with_tim else zero,
        "regression": zero,
        "classification": zero,
    }
    if bool(sick.any()):
        truth = true_values(batch, shape)
        losses["regression"] = F.smooth_l1_loss(prediction.regression[sick].float(), truth[sick])
    if bool(known.any()):
        losses["classification"] = F.cross_entropy(prediction.class_logits[known].float(), batch.diagnosis[known])
    return losses


def consistency_loss(prediction: Prediction, batch: LiverBatch, shape: MTIShape) -> Tensor:
    """Predicted enhancement against that measured on the raw phases through the predicted mask."""
    sick = batch.has_tumour
    if not bool(sick.any()):
        return prediction.logits.sum() * 0
    through = torch.sigmoid(prediction.logits[sick].float())
    measured = measured_values(batch.raw[sick], through, shape.target, batch.liver[sick])
    return F.smooth_l1_loss(prediction.regression[sick, : shape.n_enhancements].float(), measured)


def true_tasks(batch: LiverBatch, shape: MTIShape, smoothed: float) -> Tasks:
    """The labels as answers; the true class has the probability `smoothed`, the others share the rest."""
    rest = (1 - smoothed) / max(shape.n_classes - 1, 1)
    classes = torch.full((len(batch.label), shape.n_classes), rest, device=batch.label.device)
    classes[torch.arange(len(classes)), batch.diagnosis.clamp(min=0)] = smoothed
    return Tasks(batch.label, true_values(batch, shape), classes)


def fooling_loss(discriminator: Discriminator, phases: Tensor, answers: Tasks) -> Tensor:
    """``(D(fake) - 1)^2``: a gradient for the answers, none for the discriminator."""
    frozen = {name: parameter.detach() for name, parameter in discriminator.named_parameters()}
    score: Tensor = functional_call(discriminator, frozen, (phases, answers.mask, answers.regression, answers.classes))
    return (score.float() - 1).square().mean()


def discriminator_loss(discriminator: Discriminator, phases: Tensor, real: Tasks, fake: Tasks) -> Tensor:
    """``(D(real) - 1)^2 + D(fake)^2``: a gradient for the discriminator, none for the answers."""
    scores: list[Tensor] = [
        discriminator(phases, answers.mask, answers.regression, answers.classes).float()
        for answers in (real.detached(), fake.detached())
    ]
    return (scores[0] - 1).square().mean() + scores[1].square().mean()


def weighted_sum(losses: Sequence[tuple[float, Tensor]]) -> Tensor:
    """Sum of losses, each times its weight; those of weight 0 are left out."""
    return torch.stack([weight * loss for weight, loss in losses if weight]).sum()
