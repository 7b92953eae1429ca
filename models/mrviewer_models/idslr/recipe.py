"""How IDSLR trains: both losses at once, the segmentation's weight very small."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from torch import nn

from mrviewer.database import Subject
from mrviewer.options import NUMBER, SHARE, SIZE, option
from mrviewer.progress import Progress
from mrviewer.training.data.batches import Batch, slice_source
from mrviewer.training.losses import ReconstructionLoss, SegmentationLoss, reconstruction_loss, segmentation_loss
from mrviewer.training.options import TrainingOptions
from mrviewer.training.recipe import BatchSource, Losses, Moment
from mrviewer_models.blocks.data_consistency import Consistency
from mrviewer_models.idslr.network import IDSLR, PRESETS, IDSLRShape
from mrviewer_models.overrides import overridden
from mrviewer_models.starting import TunedAlike, shape_to_start_from

__all__ = ["IDSLROptions", "IDSLRRecipe", "recipe"]

_STRUCTURE = ("preset", "iterations", "max_coils", "consistency", "dropout")
_USUAL = TrainingOptions(batch_size=2, learning_rate=2e-3, weight_decay=0.0, crop_rows=128)


@dataclass(frozen=True)
class IDSLROptions:
    """Size and losses.

    Parameters
    ----------
    preset
        ``paper``, ``small`` (shipped) or ``tiny`` (for tests).
    alpha
        Weight of the segmentation loss; the reconstruction loss takes the rest.
    loss_rec
        ``l2`` or ``l1`` of the last image, divided by the largest magnitude of the fully sampled one.
    loss_scale
        Factor of the whole loss (ours). It leaves the balance alone, and lifts the segmenter's gradients, which `alpha`
        makes tiny, above the weight decay and the epsilon of Adam.
    loss_seg
        ``ce`` (cross-entropy), ``dice_c`` (soft Dice over the batch), or their sum ``dice_ce``.
    iterations, max_coils
        See `IDSLRShape`; 0 leaves them to the preset.
    consistency
        ``learned`` or ``hard``.
    dropout
        Share of the channels dropped while training.
    """

    preset: Literal["paper", "small", "tiny"] = "small"
    alpha: float = option(1e-5, SHARE)
    loss_rec: ReconstructionLoss = "l2"
    loss_scale: float = option(100.0, SIZE)
    loss_seg: SegmentationLoss = "dice_ce"
    iterations: int = option(0, NUMBER)
    max_coils: int = option(0, NUMBER)
    consistency: Consistency = "learned"
    dropout: float = option(0.0, SHARE)
    shape: IDSLRShape = field(default_factory=lambda: PRESETS["small"])


@dataclass(frozen=True)
class IDSLRRecipe(TunedAlike):
    """Recipe of `idslr`."""

    training: TrainingOptions
    options: IDSLROptions
    needs_labels: bool = True
    structure: tuple[str, ...] = _STRUCTURE

    def network(self) -> nn.Module:
        """Network with fresh weights."""
        return IDSLR(self.options.shape)

    def source(self, subjects: Sequence[Subject]) -> Generator[Progress, None, BatchSource]:
        """Labelled slices with k-space."""
        return (yield from slice_source(self.training, subjects, max_coils=self.options.shape.max_coils))

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        """See `mrviewer.training.recipe.Tunable.parts`."""
        return {
            "encoder": ("encoder.",),
            "reconstruction": ("reconstruction.", "consistency."),
            "segmentation": ("segmentation.",),
            "segmentation-head": ("segmentation.head.",),
        }

    def losses(self, network: nn.Module, batch: Batch, moment: Moment) -> Losses:
        """``(1 - alpha) L_rec + alpha L_seg``, both through the one encoder."""
        del moment
        options = self.options
        images, logits = network(batch.kspace, batch.pattern, batch.maps)
        reconstruction = reconstruction_loss(images[-1], batch.image, options.loss_rec)
        segmentation = segmentation_loss(logits, batch.label, batch.labelled, options.loss_seg)
        total = options.loss_scale * ((1 - options.alpha) * reconstruction + options.alpha * segmentation)
        parts = {"reconstruction": float(reconstruction.detach()), "segmentation": float(segmentation.detach())}
        return Losses(total, parts)


def recipe(overrides: Mapping[str, str]) -> IDSLRRecipe:
    """Recipe with some options replaced."""
    training, options = overridden("idslr", _USUAL, IDSLROptions(), overrides)
    shape = shape_to_start_from(training.start_from, overrides, _STRUCTURE, IDSLRShape)
    if shape is None:
        preset = PRESETS[options.preset]
        shape = replace(
            preset,
            iterations=options.iterations or preset.iterations,
            max_coils=options.max_coils or preset.max_coils,
            consistency=options.consistency,
            dropout=options.dropout,
        )
    return IDSLRRecipe(training, replace(options, shape=shape))
