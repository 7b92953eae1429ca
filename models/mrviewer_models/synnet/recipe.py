"""How SynNet trains: segmentation loss on zero-filled images under many masks."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from torch import nn

from mrviewer.database import Subject
from mrviewer.progress import Progress
from mrviewer.training.data.batches import Batch
from mrviewer.training.examples import example_rngs
from mrviewer.training.losses import SegmentationLoss, segmentation_loss
from mrviewer.training.options import TrainingOptions
from mrviewer.training.recipe import BatchSource, Losses, Moment
from mrviewer_models.blocks.data_consistency import MeasuredData
from mrviewer_models.blocks.lesion_crops import LesionCrops
from mrviewer_models.blocks.mask_per_slice import Masks, measured_source
from mrviewer_models.blocks.unet import UNetShape
from mrviewer_models.overrides import overridden
from mrviewer_models.starting import TunedAlike, shape_to_start_from, unet_parts
from mrviewer_models.synnet.network import PRESETS, SynNet

__all__ = ["SynNetOptions", "SynNetRecipe", "recipe"]

_STRUCTURE = ("preset",)
_USUAL = TrainingOptions(batch_size=8, learning_rate=2e-3, crop=128)


@dataclass(frozen=True)
class SynNetOptions:
    """Size, loss and masks.

    Parameters
    ----------
    preset
        ``paper``, ``small`` (shipped) or ``tiny`` (for tests).
    loss_seg
        ``ce`` (cross-entropy), ``dice_c`` (soft Dice over the batch), or their sum ``dice_ce``.
    masks
        ``slice``: a mask for every slice, so that one network serves all patterns. ``batch``: one for all of a batch.
    """

    preset: Literal["paper", "small", "tiny"] = "small"
    loss_seg: SegmentationLoss = "ce"
    masks: Masks = "slice"
    shape: UNetShape = field(default_factory=lambda: PRESETS["small"])


@dataclass(frozen=True)
class SynNetRecipe(TunedAlike):
    """Recipe of `synnet`."""

    training: TrainingOptions
    options: SynNetOptions
    needs_labels: bool = True
    structure: tuple[str, ...] = _STRUCTURE

    def network(self) -> nn.Module:
        """Network with fresh weights."""
        return SynNet(self.options.shape)

    def source(self, subjects: Sequence[Subject]) -> Generator[Progress, None, BatchSource]:
        """Labelled slices with k-space."""
        return (yield from measured_source(self.training, subjects, self.options.masks))

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        """See `mrviewer.training.recipe.Tunable.parts`."""
        return unet_parts("segmentation.", "segmentation")

    def losses(self, network: nn.Module, batch: Batch, moment: Moment) -> Losses:
        """Segmentation loss on the zero-filled image, of which ``crop`` pixels near lesions are looked at."""
        assert isinstance(network, SynNet)
        _, zero_filled = MeasuredData.from_kspace(batch.kspace, batch.pattern, batch.maps)
        rngs = example_rngs(self.training.seed, moment.step, batch.numbers.tolist())
        crops = LesionCrops.draw(batch.label, batch.image.abs(), self.training.crop, rngs)
        logits = network.segment(crops.cut(zero_filled))
        loss = segmentation_loss(logits, crops.cut(batch.label), batch.labelled, self.options.loss_seg)
        return Losses(loss, {"segmentation": float(loss.detach())})


def recipe(overrides: Mapping[str, str]) -> SynNetRecipe:
    """Recipe with some options replaced."""
    training, options = overridden("synnet", _USUAL, SynNetOptions(), overrides)
    shape = shape_to_start_from(training.start_from, overrides, _STRUCTURE, UNetShape)
    return SynNetRecipe(training, replace(options, shape=shape or PRESETS[options.preset]))
