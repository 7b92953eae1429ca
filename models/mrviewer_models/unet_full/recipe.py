"""How the U-Net on fully sampled images trains."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from torch import nn

from mrviewer.database import Subject
from mrviewer.progress import Progress
from mrviewer.study import Study
from mrviewer.training.batches import Batch, BatchMaker, slice_source
from mrviewer.training.losses import SegmentationLoss, segmentation_loss
from mrviewer.training.options import TrainingOptions, override
from mrviewer.training.recipe import Losses, Moment
from mrviewer_models.blocks.unet import UNetShape
from mrviewer_models.overrides import refuse_unknown
from mrviewer_models.starting import shape_to_start_from, unet_parts
from mrviewer_models.unet_full.network import PRESETS, ImageUNet

__all__ = ["UNetFullOptions", "UNetFullRecipe", "recipe"]

_STRUCTURE = ("preset",)


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
    structure: tuple[str, ...] = _STRUCTURE

    def source(self, subjects: Sequence[Subject]) -> Generator[Progress, None, BatchMaker]:
        """Slices of the subjects."""
        return slice_source(self.training, subjects, needs_kspace=False, needs_labels=self.needs_labels)

    def network(self) -> nn.Module:
        """Network with fresh weights."""
        return ImageUNet(self.options.shape)

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        """See `mrviewer.training.recipe.Tunable.parts`."""
        return unet_parts("segmentation.", "segmentation")

    def finetuning(self, study: Study | None = None, parts: Sequence[str] = ()) -> Mapping[str, str]:
        """Nothing differs."""
        del study, parts
        return {}

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
    shape = shape_to_start_from(training.start_from, overrides, _STRUCTURE, UNetShape)
    return UNetFullRecipe(training, replace(options, shape=shape or PRESETS[options.preset]))
