"""How the U-Net on fully sampled images trains."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from mrviewer.database import Subject
from mrviewer.options import NUMBER, SHARE, option
from mrviewer.progress import Progress
from mrviewer.training.data.batches import Batch, slice_source
from mrviewer.training.losses import SegmentationLoss, segmentation_loss
from mrviewer.training.options import TrainingOptions
from mrviewer.training.recipe import BatchSource, Losses, Moment
from mrviewer_models.blocks.unet import UNetShape
from mrviewer_models.overrides import overridden
from mrviewer_models.starting import TunedAlike, shape_to_start_from, unet_parts
from mrviewer_models.unet_full.calibration import Calibration
from mrviewer_models.unet_full.network import PRESETS, ImageUNet
from mrviewer_models.unet_full.planes import PlaneBatch, PlaneSource
from mrviewer_models.unet_full.prepared import prepare_volumes

__all__ = ["UNetFullOptions", "UNetFullRecipe", "recipe"]

_STRUCTURE = ("preset", "neighbours")
_USUAL = TrainingOptions(batch_size=8, learning_rate=2e-3, crop=128, lesion_share=0.35, contrast_spread=0.3)


@dataclass(frozen=True)
class UNetFullOptions:
    """Size and loss.

    Parameters
    ----------
    preset
        ``paper``, ``small`` (shipped) or ``tiny`` (for tests).
    loss_seg
        ``dice_c`` (soft Dice over the batch), ``ce``, or their sum.
    neighbours
        Slices on each side that are seen with a slice, out of volumes scaled as a whole; 0 sees single slices, each
        standardised by itself, as the joint methods do.
    paint_share
        Share of slices with lesions of others painted in, where `lesion_masks` has some on the grid of the volume.
    """

    preset: Literal["paper", "small", "tiny"] = "small"
    loss_seg: SegmentationLoss = "dice_ce"
    neighbours: int = option(0, NUMBER)
    paint_share: float = option(0.5, SHARE)
    shape: UNetShape = field(default_factory=lambda: PRESETS["small"])
    calibration: Calibration = field(default_factory=Calibration)


@dataclass(frozen=True)
class UNetFullRecipe(TunedAlike):
    """Recipe of `unet-full`."""

    training: TrainingOptions
    options: UNetFullOptions
    needs_labels: bool = True
    structure: tuple[str, ...] = _STRUCTURE

    def source(self, subjects: Sequence[Subject]) -> Generator[Progress, None, BatchSource]:
        """Slices of the subjects, with their neighbours or without."""
        if not self._neighbours:
            made = yield from slice_source(self.training, subjects, needs_kspace=False, needs_labels=self.needs_labels)
            return made
        masks = Path(self.training.lesion_masks) if self.training.lesion_masks else None
        volumes = yield from prepare_volumes(subjects, self.training.modality, masks)
        return PlaneSource(volumes, self.training, self._neighbours, self.options.paint_share)

    @property
    def _neighbours(self) -> int:
        return self.options.shape.inputs // 2

    def network(self) -> nn.Module:
        """Network with fresh weights."""
        return ImageUNet(self.options.shape, self.options.calibration)

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        """See `mrviewer.training.recipe.Tunable.parts`."""
        return unet_parts("segmentation.", "segmentation")

    def losses(self, network: nn.Module, batch: Batch | PlaneBatch, moment: Moment) -> Losses:
        """Segmentation loss on the fully sampled image."""
        del moment
        known = batch.labelled if isinstance(batch, Batch) else torch.ones(len(batch.label), dtype=torch.bool)
        loss = segmentation_loss(network(batch.image), batch.label, known, self.options.loss_seg)
        return Losses(loss, {"segmentation": float(loss.detach())})


def recipe(overrides: Mapping[str, str]) -> UNetFullRecipe:
    """Recipe with some options replaced."""
    training, options = overridden("unet-full", _USUAL, UNetFullOptions(), overrides)
    shape = shape_to_start_from(training.start_from, overrides, _STRUCTURE, UNetShape)
    fresh = replace(PRESETS[options.preset], inputs=2 * options.neighbours + 1)
    return UNetFullRecipe(training, replace(options, shape=shape or fresh))
