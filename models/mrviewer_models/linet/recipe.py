"""How LI-Net trains: a code of clean images, a predictor of that code, then predictor and decoder together."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from torch import Tensor, nn

from mrviewer.database import Subject
from mrviewer.options import NUMBER, SHARE, option
from mrviewer.progress import Progress
from mrviewer.training.data.batches import Batch
from mrviewer.training.examples import example_rngs
from mrviewer.training.losses import SegmentationLoss, segmentation_loss
from mrviewer.training.options import TrainingOptions
from mrviewer.training.recipe import BatchSource, Losses, Moment
from mrviewer.training.stages import stage_of, train_only
from mrviewer_models.blocks.data_consistency import MeasuredData
from mrviewer_models.blocks.lesion_crops import LesionCrops
from mrviewer_models.blocks.mask_per_slice import Masks, measured_source
from mrviewer_models.linet.network import PRESETS, LINet, LINetShape
from mrviewer_models.overrides import overridden
from mrviewer_models.starting import TunedInLastStage, shape_to_start_from

__all__ = ["LINetOptions", "LINetRecipe", "recipe"]

_STRUCTURE = ("preset", "latent_source")
_USUAL = TrainingOptions(batch_size=8, learning_rate=2e-3, crop=128)


@dataclass(frozen=True)
class LINetOptions:
    """Size, stages and losses.

    Parameters
    ----------
    preset
        ``paper``, ``small`` (shipped) or ``tiny`` (for tests).
    latent_source
        Whose code is learned: ``image``, of the fully sampled image, or ``label``, of the label map.
    stage_shares
        Shares of the run in which the code, the predictor, and both together are learned.
    latent_weight
        Of the distance between the codes in the third stage.
    loss_seg
        ``ce`` (cross-entropy), ``dice_c`` (soft Dice over the batch), or their sum ``dice_ce``.
    masks
        ``slice``: a mask for every slice. ``batch``: one for all of a batch.
    """

    preset: Literal["paper", "small", "tiny"] = "small"
    latent_source: Literal["image", "label"] = "image"
    stage_shares: tuple[float, float, float] = option((0.4, 0.3, 0.3), SHARE)
    latent_weight: float = option(0.1, NUMBER)
    loss_seg: SegmentationLoss = "ce"
    masks: Masks = "slice"
    shape: LINetShape = field(default_factory=lambda: PRESETS["small"])


@dataclass(frozen=True)
class LINetRecipe(TunedInLastStage):
    """Recipe of `linet`."""

    training: TrainingOptions
    options: LINetOptions
    needs_labels: bool = True
    structure: tuple[str, ...] = _STRUCTURE

    def network(self) -> nn.Module:
        """Network with fresh weights."""
        return LINet(self.options.shape)

    def source(self, subjects: Sequence[Subject]) -> Generator[Progress, None, BatchSource]:
        """Labelled slices with k-space."""
        return (yield from measured_source(self.training, subjects, self.options.masks))

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        """See `mrviewer.training.recipe.Tunable.parts`."""
        return {"predictor": ("predictor.",), "decoder": ("decoder.",), "segmentation-head": ("decoder.head.",)}

    def losses(self, network: nn.Module, batch: Batch, moment: Moment) -> Losses:
        """What the stage that this step lies in minimises.

        First the segmentation loss of encoder and decoder on the clean source; then the squared distance between
        predicted and true code, encoder and decoder at rest; then the segmentation loss of predictor and decoder plus
        `latent_weight` times that distance.
        """
        assert isinstance(network, LINet)
        batch, zero_filled = self._cropped(batch, moment)
        stage = stage_of(moment, self.options.stage_shares)
        parts = (network.encoder, network.decoder), (network.predictor,), (network.predictor, network.decoder)
        # Before anything is computed: what is computed while it rests has no gradient.
        train_only(network, *parts[stage])
        code = network.encode(batch.image, batch.label)
        if stage == 0:
            return self._segmentation(network, code, batch)
        predicted = network.predict(zero_filled)
        latent = (predicted.float() - code.float()).square().mean()
        if stage == 1:
            return Losses(latent, {"latent": float(latent.detach())})
        segmentation = self._segmentation(network, predicted, batch)
        total = segmentation.total + self.options.latent_weight * latent
        return Losses(total, {**segmentation.parts, "latent": float(latent.detach())})

    def _cropped(self, batch: Batch, moment: Moment) -> tuple[Batch, Tensor]:
        """Clean image and labels, and the zero-filled image, of ``crop`` pixels near lesions."""
        _, zero_filled = MeasuredData.from_kspace(batch.kspace, batch.pattern, batch.maps)
        rngs = example_rngs(self.training.seed, moment.step, batch.numbers.tolist())
        crops = LesionCrops.draw(batch.label, batch.image.abs(), self.training.crop, rngs)
        cut = replace(batch, image=crops.cut(batch.image), label=crops.cut(batch.label))
        return cut, crops.cut(zero_filled)

    def _segmentation(self, network: LINet, latent: Tensor, batch: Batch) -> Losses:
        logits = network.decode(latent, (batch.label.shape[1], batch.label.shape[2]))
        loss = segmentation_loss(logits, batch.label, batch.labelled, self.options.loss_seg)
        return Losses(loss, {"segmentation": float(loss.detach())})


def recipe(overrides: Mapping[str, str]) -> LINetRecipe:
    """Recipe with some options replaced."""
    training, options = overridden("linet", _USUAL, LINetOptions(), overrides)
    shape = shape_to_start_from(training.start_from, overrides, _STRUCTURE, LINetShape)
    shape = shape or replace(PRESETS[options.preset], latent_source=options.latent_source)
    return LINetRecipe(training, replace(options, shape=shape))
