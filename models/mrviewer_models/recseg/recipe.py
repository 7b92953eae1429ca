"""How RecSeg trains: both losses at once, weighted alike."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from torch import nn

from mrviewer.database import Subject
from mrviewer.options import SHARE, SIZE, option
from mrviewer.progress import Progress
from mrviewer.training.data.batches import Batch, slice_source
from mrviewer.training.losses import ReconstructionLoss, SegmentationLoss, reconstruction_loss, segmentation_loss
from mrviewer.training.options import TrainingOptions
from mrviewer.training.recipe import BatchSource, Losses, Moment
from mrviewer_models.overrides import overridden
from mrviewer_models.recseg.network import PRESETS, RecSeg, RecSegShape
from mrviewer_models.starting import TunedAlike, shape_to_start_from, unet_parts

__all__ = ["RecSegOptions", "RecSegRecipe", "recipe"]

_STRUCTURE = ("preset", "residual", "dropout")
_USUAL = TrainingOptions(learning_rate=2e-3, crop_rows=128)


@dataclass(frozen=True)
class RecSegOptions:
    """Size and losses.

    Parameters
    ----------
    preset
        ``paper``, ``small`` (shipped) or ``tiny`` (for tests).
    alpha
        Weight of the segmentation loss; the reconstruction loss takes the rest.
    loss_rec
        ``l1`` or ``l2`` of the magnitudes, divided by the largest of the fully sampled image.
    reconstruction_scale
        Factor of the reconstruction loss before it is weighted (ours): at these intensities it is a fiftieth of the
        segmentation loss, and would hold nothing.
    loss_seg
        ``ce`` (cross-entropy), ``dice_c`` (soft Dice over the batch), or their sum ``dice_ce``.
    residual
        Whether the first U-Net gives a correction to its input; ``preset`` leaves it to the preset.
    dropout
        Share of the channels dropped while training.
    """

    preset: Literal["paper", "small", "tiny"] = "small"
    alpha: float = option(0.5, SHARE)
    loss_rec: ReconstructionLoss = "l1"
    reconstruction_scale: float = option(20.0, SIZE)
    loss_seg: SegmentationLoss = "dice_ce"
    residual: Literal["preset", "yes", "no"] = "preset"
    dropout: float = option(0.0, SHARE)
    shape: RecSegShape = field(default_factory=lambda: PRESETS["small"])


@dataclass(frozen=True)
class RecSegRecipe(TunedAlike):
    """Recipe of `recseg`."""

    training: TrainingOptions
    options: RecSegOptions
    needs_labels: bool = True
    structure: tuple[str, ...] = _STRUCTURE

    def network(self) -> nn.Module:
        """Network with fresh weights."""
        return RecSeg(self.options.shape)

    def source(self, subjects: Sequence[Subject]) -> Generator[Progress, None, BatchSource]:
        """Labelled slices with k-space."""
        return (yield from slice_source(self.training, subjects))

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        """See `mrviewer.training.recipe.Tunable.parts`."""
        return {**unet_parts("reconstruction.", "reconstruction"), **unet_parts("segmentation.", "segmentation")}

    def losses(self, network: nn.Module, batch: Batch, moment: Moment) -> Losses:
        """``(1 - alpha) L_rec + alpha L_seg``; the segmentation loss reaches the first U-Net too."""
        del moment
        options = self.options
        magnitude, logits = network(batch.kspace, batch.pattern, batch.maps)
        reconstruction = options.reconstruction_scale * reconstruction_loss(
            magnitude, batch.image.abs(), options.loss_rec
        )
        segmentation = segmentation_loss(logits, batch.label, batch.labelled, options.loss_seg)
        total = (1 - options.alpha) * reconstruction + options.alpha * segmentation
        parts = {"reconstruction": float(reconstruction.detach()), "segmentation": float(segmentation.detach())}
        return Losses(total, parts)


def recipe(overrides: Mapping[str, str]) -> RecSegRecipe:
    """Recipe with some options replaced."""
    training, options = overridden("recseg", _USUAL, RecSegOptions(), overrides)
    shape = shape_to_start_from(training.start_from, overrides, _STRUCTURE, RecSegShape)
    if shape is None:
        shape = replace(PRESETS[options.preset], dropout=options.dropout)
        if options.residual != "preset":
            shape = replace(shape, residual=options.residual == "yes")
    return RecSegRecipe(training, replace(options, shape=shape))
