"""How the brain mask trains: on images that are made up as it goes, of heads that are label maps."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import nn
from torch.nn import functional as F

from mrviewer.database import Subject
from mrviewer.progress import Progress
from mrviewer.training.losses import soft_dice_loss
from mrviewer.training.options import TrainingOptions
from mrviewer.training.recipe import BatchSource, Losses, Moment
from mrviewer_models.brain_mask.anatomies import prepare_anatomies
from mrviewer_models.brain_mask.batches import BrainBatch, HeadSource
from mrviewer_models.brain_mask.network import PRESETS, BrainShape, BrainUNet
from mrviewer_models.brain_mask.options import BrainMaskOptions
from mrviewer_models.overrides import overridden
from mrviewer_models.starting import TunedAlike, shape_to_start_from, unet_parts

__all__ = ["BrainMaskRecipe", "recipe"]

_STRUCTURE = ("preset",)
_USUAL = TrainingOptions(batch_size=8, learning_rate=2e-3, weight_decay=0.0)


@dataclass(frozen=True)
class BrainMaskRecipe(TunedAlike):
    """Recipe of `brain-mask`."""

    training: TrainingOptions
    options: BrainMaskOptions
    needs_labels: bool = False
    structure: tuple[str, ...] = _STRUCTURE

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        """See `mrviewer.training.recipe.Tunable.parts`."""
        return unet_parts("segmentation.", "segmentation")

    def source(self, subjects: Sequence[Subject]) -> Generator[Progress, None, BatchSource]:
        """Slices of synthetic heads."""
        anatomies = yield from prepare_anatomies(subjects)
        return HeadSource(anatomies, self.training, self.options, self.options.shape)

    def network(self) -> nn.Module:
        """Network with fresh weights."""
        return BrainUNet(self.options.shape)

    def losses(self, network: nn.Module, batch: BrainBatch, moment: Moment) -> Losses:
        """Cross-entropy and soft Dice over the batch."""
        del moment
        logits = network(batch.slices).float()
        entropy = F.binary_cross_entropy_with_logits(logits, batch.brain)
        dice = soft_dice_loss(torch.sigmoid(logits), batch.brain)
        return Losses(entropy + dice, {"bce": float(entropy.detach()), "dice": float(dice.detach())})


def recipe(overrides: Mapping[str, str]) -> BrainMaskRecipe:
    """Recipe with some options replaced."""
    training, options = overridden("brain-mask", _USUAL, BrainMaskOptions(), overrides)
    shape = shape_to_start_from(training.start_from, overrides, _STRUCTURE, BrainShape)
    return BrainMaskRecipe(training, replace(options, shape=shape or PRESETS[options.preset]))
