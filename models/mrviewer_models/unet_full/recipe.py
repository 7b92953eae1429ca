"""How the U-Net on fully sampled images trains."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from torch import nn

from mrviewer.database import Subject
from mrviewer.progress import Progress
from mrviewer.training.batches import Batch, BatchMaker, slice_source
from mrviewer.training.losses import SegmentationLoss, segmentation_loss
from mrviewer.training.options import TrainingOptions, override
from mrviewer.training.recipe import Losses, Moment
from mrviewer_models.blocks.unet import UNetShape
from mrviewer_models.overrides import refuse_unknown
from mrviewer_models.unet_full.network import PRESETS, ImageUNet

__all__ = ["UNetFullOptions", "UNetFullRecipe", "recipe"]


@dataclass(frozen=True)
class UNetFullOptions:
    """Size and loss.

    Parameters
    ----------
    preset
        ``paper``, ``small`` (shipped) or ``tiny`` (for tests).
    loss_seg
        ``dice_c`` (soft Dice over the batch), ``ce``, or their sum.
    """

    preset: Literal["paper", "small", "tiny"] = "small"
    loss_seg: SegmentationLoss = "dice_ce"
    shape: UNetShape = field(default_factory=lambda: PRESETS["small"])


@dataclass(frozen=True)
class UNetFullRecipe:
    """Recipe of `unet-full`."""

    training: TrainingOptions
    options: UNetFullOptions
    needs_labels: bool = True

    def source(self, subjects: Sequence[Subject]) -> Generator[Progress, None, BatchMaker]:
        """Slices of the subjects."""
        return slice_source(self.training, subjects, needs_kspace=False, needs_labels=self.needs_labels)

    def network(self) -> nn.Module:
        """Network with fresh weights."""
        return ImageUNet(self.options.shape)

    def losses(self, network: nn.Module, batch: Batch, moment: Moment) -> Losses:
        """Segmentation loss on the fully sampled image."""
        del moment
        loss = segmentation_loss(network(batch.image), batch.label, batch.labelled, self.options.loss_seg)
        return Losses(loss, {"segmentation": float(loss.detach())})


def recipe(overrides: Mapping[str, str]) -> UNetFullRecipe:
    """Recipe with some options replaced."""
    training, rest = override(
        TrainingOptions(batch_size=8, learning_rate=2e-3, crop=128, lesion_share=0.35, contrast_spread=0.3), overrides
    )
    options, rest = override(UNetFullOptions(), rest)
    refuse_unknown("unet-full", rest)
    return UNetFullRecipe(training, replace(options, shape=PRESETS[options.preset]))
