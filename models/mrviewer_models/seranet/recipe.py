"""How SERANet trains: the segmentation loss of every pass, and nothing else."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from torch import nn

from mrviewer.database import Subject
from mrviewer.options import NUMBER, option
from mrviewer.progress import Progress
from mrviewer.training.data.batches import Batch, slice_source
from mrviewer.training.losses import SegmentationLoss, segmentation_loss
from mrviewer.training.options import TrainingOptions
from mrviewer.training.recipe import BatchSource, Losses, Moment
from mrviewer_models.overrides import overridden
from mrviewer_models.seranet.network import PRESETS, SERANet, SERANetShape
from mrviewer_models.starting import TunedAlike, shape_to_start_from, unet_parts

__all__ = ["SERANetOptions", "SERANetRecipe", "recipe"]

_STRUCTURE = ("preset", "recurrences", "seg_input")
_USUAL = TrainingOptions(batch_size=2, learning_rate=2e-3, crop_rows=128)


@dataclass(frozen=True)
class SERANetOptions:
    """Size and loss.

    Parameters
    ----------
    preset
        ``paper``, ``small`` (shipped) or ``tiny`` (for tests).
    recurrences
        How often the segmentation is fed back.
    seg_input
        ``complex`` or ``magnitude``; see `SERANetShape`.
    early_weight
        Weight of the loss of each pass before the last, which has 1.
    loss_seg
        ``ce`` (cross-entropy), ``dice_c`` (soft Dice over the batch), or their sum ``dice_ce``.
    """

    preset: Literal["paper", "small", "tiny"] = "small"
    recurrences: int = option(2, NUMBER)
    seg_input: Literal["complex", "magnitude"] = "complex"
    early_weight: float = option(0.5, NUMBER)
    loss_seg: SegmentationLoss = "ce"
    shape: SERANetShape = field(default_factory=lambda: PRESETS["small"])


@dataclass(frozen=True)
class SERANetRecipe(TunedAlike):
    """Recipe of `seranet`."""

    training: TrainingOptions
    options: SERANetOptions
    needs_labels: bool = True
    structure: tuple[str, ...] = _STRUCTURE

    def network(self) -> nn.Module:
        """Network with fresh weights."""
        return SERANet(self.options.shape)

    def source(self, subjects: Sequence[Subject]) -> Generator[Progress, None, BatchSource]:
        """Labelled slices with k-space."""
        return (yield from slice_source(self.training, subjects))

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        """See `mrviewer.training.recipe.Tunable.parts`."""
        own = {"reconstruction": ("reconstruction.",), "attention": ("attention.",)}
        return {**own, **unet_parts("segmentation.", "segmentation")}

    def losses(self, network: nn.Module, batch: Batch, moment: Moment) -> Losses:
        """Segmentation loss of all passes; the fully sampled image is not looked at."""
        del moment
        assert isinstance(network, SERANet)
        passes = network(batch.kspace, batch.pattern, batch.maps)
        each = [
            segmentation_loss(logits, batch.label, batch.labelled, self.options.loss_seg) for logits in passes.logits
        ]
        total = each[-1] + sum(self.options.early_weight * loss for loss in each[:-1])
        return Losses(total, {"segmentation": float(each[-1].detach()), "first_pass": float(each[0].detach())})


def recipe(overrides: Mapping[str, str]) -> SERANetRecipe:
    """Recipe with some options replaced."""
    training, options = overridden("seranet", _USUAL, SERANetOptions(), overrides)
    shape = shape_to_start_from(training.start_from, overrides, _STRUCTURE, SERANetShape)
    if shape is None:
        shape = PRESETS[options.preset]
        segmentation = replace(shape.segmentation, inputs=2 if options.seg_input == "complex" else 1)
        shape = replace(shape, segmentation=segmentation, recurrences=options.recurrences, seg_input=options.seg_input)
    return SERANetRecipe(training, replace(options, shape=shape))
