"""How SegNetMRI trains: reconstruction first, then segmentation, then both through the shared encoders."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from torch import Tensor, nn

from mrviewer.database import Subject
from mrviewer.options import NUMBER, SHARE, option
from mrviewer.progress import Progress
from mrviewer.training.data.batches import Batch, slice_source
from mrviewer.training.losses import ReconstructionLoss, SegmentationLoss, reconstruction_loss, segmentation_loss
from mrviewer.training.options import TrainingOptions
from mrviewer.training.recipe import BatchSource, Losses, Moment
from mrviewer.training.stages import stage_of, train_only
from mrviewer_models.blocks.data_consistency import Consistency
from mrviewer_models.overrides import overridden
from mrviewer_models.segnetmri.network import PRESETS, SegNetMRI, SegNetMRIShape
from mrviewer_models.starting import TunedInLastStage, shape_to_start_from

__all__ = ["SegNetMRIOptions", "SegNetMRIRecipe", "recipe"]

_STRUCTURE = ("preset", "blocks", "max_coils", "merge_kernel", "consistency", "residual", "dropout")
_USUAL = TrainingOptions(batch_size=2, learning_rate=2e-3, crop_rows=128)


@dataclass(frozen=True)
class SegNetMRIOptions:
    """Size, stages and losses.

    Parameters
    ----------
    preset
        ``paper``, ``small`` (shipped) or ``tiny`` (for tests).
    stage_shares
        Lengths of the three stages in proportion: encoders and reconstruction; segmenters on encoders that stay as they
        are; everything. That the second leaves the encoders alone is ours.
    seg_weight
        Weight of the segmentation loss against 1 for the reconstruction loss in the third stage.
    loss_rec
        ``l1`` or ``l2`` of the last image, divided by the largest magnitude of the fully sampled one.
    loss_seg
        ``ce`` (cross-entropy), ``dice_c`` (soft Dice over the batch), or their sum ``dice_ce``; the mean over the
        segmentations of all blocks and the merged one.
    blocks, max_coils
        See `SegNetMRIShape`; 0 leaves them to the preset.
    merge_kernel
        3 or 1.
    consistency
        ``learned`` or ``hard``.
    residual
        Whether a block gives a correction to its input; ``preset`` leaves it to the preset.
    dropout
        Share of the channels dropped while training.
    """

    preset: Literal["paper", "small", "tiny"] = "small"
    stage_shares: tuple[float, float, float] = option((0.4, 0.25, 0.35), SHARE)
    seg_weight: float = option(0.01, NUMBER)
    loss_rec: ReconstructionLoss = "l1"
    loss_seg: SegmentationLoss = "dice_ce"
    blocks: int = option(0, NUMBER)
    max_coils: int = option(0, NUMBER)
    merge_kernel: Literal["3", "1"] = "3"
    consistency: Consistency = "learned"
    residual: Literal["preset", "yes", "no"] = "preset"
    dropout: float = option(0.0, SHARE)
    shape: SegNetMRIShape = field(default_factory=lambda: PRESETS["small"])


@dataclass(frozen=True)
class SegNetMRIRecipe(TunedInLastStage):
    """Recipe of `segnetmri`."""

    training: TrainingOptions
    options: SegNetMRIOptions
    needs_labels: bool = True
    structure: tuple[str, ...] = _STRUCTURE

    def network(self) -> nn.Module:
        """Network with fresh weights."""
        return SegNetMRI(self.options.shape)

    def source(self, subjects: Sequence[Subject]) -> Generator[Progress, None, BatchSource]:
        """Labelled slices with k-space."""
        return (yield from slice_source(self.training, subjects, max_coils=self.options.shape.max_coils))

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        """See `mrviewer.training.recipe.Tunable.parts`."""
        blocks = [f"blocks.{number}." for number in range(self.options.shape.blocks)]
        return {
            "encoders": tuple(f"{block}encoder." for block in blocks),
            "reconstruction": (*(f"{block}reconstruction." for block in blocks), "consistency."),
            "segmentation": (*(f"{block}segmentation." for block in blocks), "merge."),
            "segmentation-head": (*(f"{block}segmentation.head." for block in blocks), "merge."),
        }

    def losses(self, network: nn.Module, batch: Batch, moment: Moment) -> Losses:
        """``L_rec``, ``L_seg`` or ``L_rec + seg_weight L_seg``, by the stage."""
        assert isinstance(network, SegNetMRI)
        stage = stage_of(moment, self.options.stage_shares)
        train_only(network, *(network.reconstruction_parts(), network.segmentation_parts(), [network])[stage])
        images, logits = network(batch.kspace, batch.pattern, batch.maps, segment=stage > 0)
        reconstruction = reconstruction_loss(images[-1], batch.image, self.options.loss_rec)
        parts = {"stage": stage + 1, "reconstruction": float(reconstruction.detach())}
        if stage == 0:
            return Losses(reconstruction, parts)
        segmentation = self._segmentation(logits, batch)
        parts["segmentation"] = float(segmentation.detach())
        total = segmentation if stage == 1 else reconstruction + self.options.seg_weight * segmentation
        return Losses(total, parts)

    def _segmentation(self, logits: Sequence[Tensor], batch: Batch) -> Tensor:
        kind = self.options.loss_seg
        return torch.stack([segmentation_loss(each, batch.label, batch.labelled, kind) for each in logits]).mean()


def recipe(overrides: Mapping[str, str]) -> SegNetMRIRecipe:
    """Recipe with some options replaced."""
    training, options = overridden("segnetmri", _USUAL, SegNetMRIOptions(), overrides)
    shape = shape_to_start_from(training.start_from, overrides, _STRUCTURE, SegNetMRIShape)
    return SegNetMRIRecipe(training, replace(options, shape=shape or _shape(options)))


def _shape(options: SegNetMRIOptions) -> SegNetMRIShape:
    preset = PRESETS[options.preset]
    return replace(
        preset,
        blocks=options.blocks or preset.blocks,
        max_coils=options.max_coils or preset.max_coils,
        merge_kernel=int(options.merge_kernel),
        consistency=options.consistency,
        residual=preset.residual if options.residual == "preset" else options.residual == "yes",
        dropout=options.dropout,
    )
