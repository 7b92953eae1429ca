"""How MTI-Net trains: generator and discriminator in one step, each by its own loss."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from torch import Tensor, nn

from mrviewer.database import Subject
from mrviewer.errors import InputError
from mrviewer.options import NUMBER, SHARE, option
from mrviewer.phantom.liver_tissues import MALIGNANT, TUMOUR_KINDS
from mrviewer.progress import Progress
from mrviewer.study import Study
from mrviewer.training.options import TrainingOptions
from mrviewer.training.recipe import Losses, Moment
from mrviewer_models.mtinet.batches import LiverBatch, LiverBatches
from mrviewer_models.mtinet.losses import (
    LossWeights,
    consistency_loss,
    discriminator_loss,
    fooling_loss,
    task_losses,
    true_tasks,
    weighted_sum,
)
from mrviewer_models.mtinet.network import MTINet, Prediction
from mrviewer_models.mtinet.shape import PRESETS, Classes, MTIShape, Spectrum, Target
from mrviewer_models.mtinet.slices import prepare_subjects, read_diagnoses
from mrviewer_models.overrides import overridden
from mrviewer_models.starting import shape_to_start_from

__all__ = ["CLASSES", "MTINetOptions", "MTINetRecipe", "recipe"]

_USUAL = TrainingOptions(batch_size=4, learning_rate=2e-3, steps=600, lesion_share=0.8)
_STRUCTURE = (
    "preset", "target", "quant", "classes", "with_mdief", "with_phase_transformer", "with_tim", "with_tdd", "spectrum",
    "norm", "pooling", "region", "sharpness",
)  # fmt: skip

CLASSES: dict[str, tuple[tuple[str, ...], ...]] = {
    "types": tuple((name,) for name in TUMOUR_KINDS),
    "binary": (
        ("malignant", *MALIGNANT),
        ("benign", *(name for name in TUMOUR_KINDS if name not in MALIGNANT)),
    ),
}
"""Which diagnoses belong to each class."""


@dataclass(frozen=True)
class MTINetOptions:
    """Every switch of the reconstruction of MTI-Net.

    Parameters
    ----------
    preset
        ``paper``, ``small`` (shipped) or ``tiny`` (for tests).
    target, quant
        What is regressed; see `mrviewer_models.mtinet.targets`.
    classes
        ``types``: six kinds of tumour. ``binary``: malignant or benign.
    with_mdief, with_phase_transformer, with_tim, with_tdd
        The modules; without one something plain stands in its place, see `MTIShape`.
    spectrum
        High frequencies by a box in ``fourier`` space, or of the ``haar`` sub-bands.
    norm, pooling, region
        See `MTIShape`; ``preset`` leaves them to the preset.
    sharpness
        See `MTIShape`; 0 leaves it to the preset.
    segmentation_weight, coarse_weight, regression_weight, classification_weight
        Factors of the losses of the tasks; 0 leaves a task out.
    consistency_weight, adversarial_weight
        Factors of the terms that join the tasks.
    late_share
        Part of the run after which those two are switched on.
    guided_share
        Part of the run in which the region that regression and classes read is the label's, and not the coarse mask's.
    real_class
        Probability of the true class among what the discriminator is shown as real.
    diagnoses
        CSV file ``subject,diagnosis`` for real subjects; without it they do not teach the class.
    """

    preset: Literal["paper", "small", "tiny"] = "small"
    target: Target = "relative"
    quant: bool = False
    classes: Classes = "types"
    with_mdief: bool = True
    with_phase_transformer: bool = True
    with_tim: bool = True
    with_tdd: bool = True
    spectrum: Spectrum = "fourier"
    norm: Literal["preset", "instance", "study"] = "preset"
    pooling: Literal["preset", "mean", "region"] = "preset"
    region: Literal["preset", "decoder", "phases"] = "preset"
    sharpness: float = option(0.0, NUMBER)
    segmentation_weight: float = option(2.0, NUMBER)
    coarse_weight: float = option(1.0, NUMBER)
    regression_weight: float = option(1.0, NUMBER)
    classification_weight: float = option(1.0, NUMBER)
    consistency_weight: float = option(0.1, NUMBER)
    adversarial_weight: float = option(0.01, NUMBER)
    late_share: float = option(0.5, SHARE)
    guided_share: float = option(0.5, SHARE)
    real_class: float = option(0.9, SHARE)
    diagnoses: str = option("", is_path=True, of_run=True)
    shape: MTIShape = field(default_factory=lambda: PRESETS["small"])

    @property
    def weights(self) -> LossWeights:
        """Factors of all parts of the generator's loss."""
        return LossWeights(
            self.segmentation_weight,
            self.coarse_weight * self.segmentation_weight,
            self.regression_weight,
            self.classification_weight,
            self.consistency_weight,
            self.adversarial_weight,
        )


@dataclass(frozen=True)
class MTINetRecipe:
    """Recipe of `mtinet`."""

    training: TrainingOptions
    options: MTINetOptions
    needs_labels: bool = True
    structure: tuple[str, ...] = _STRUCTURE

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        """See `mrviewer.training.recipe.Tunable.parts`."""
        shape = self.options.shape
        parts = {
            "encoder": ("generator.encoder.", "generator.phases."),
            "decoder": ("generator.decoder.",),
            "segmentation-head": ("generator.coarse.",),
            "regression-head": ("generator.regression.",),
            "classification-head": ("generator.classifier.",),
        }
        if shape.with_tim:
            parts["interaction"] = ("generator.interaction.",)
            parts["segmentation-head"] += ("generator.interaction.head.", "generator.interaction.modulation.")
        return parts

    def finetuning(self, study: Study | None = None, parts: Sequence[str] = ()) -> Mapping[str, str]:
        """The masks are good from the beginning, and all terms count from there."""
        del study, parts
        return {"guided_share": "0", "late_share": "0"}

    def network(self) -> nn.Module:
        """Network with fresh weights."""
        return MTINet(self.options.shape)

    def source(self, subjects: Sequence[Subject]) -> Generator[Progress, None, LiverBatches]:
        """Slices of the subjects that have labels."""
        options = self.options
        prepared = yield from prepare_subjects(subjects, options.shape.pixel_mm, read_diagnoses(options.diagnoses))
        if options.target == "liver_relative" and not all(subject.has_liver for subject in prepared):
            raise InputError(
                "target liver_relative needs the outline of the liver, which only simulated subjects have; "
                "train on simulated-liver subjects alone, or choose target relative"
            )
        return LiverBatches(prepared, self.training, CLASSES[options.classes])

    def losses(self, network: nn.Module, batch: LiverBatch, moment: Moment) -> Losses:
        """Losses of generator and discriminator, added: neither has a gradient for the other's parameters."""
        assert isinstance(network, MTINet)
        shape, weights = self.options.shape, self.options.weights
        is_guided = moment.epoch < self.options.guided_share * moment.n_epochs
        prediction = network(batch.phases, batch.label if is_guided else None)
        parts = task_losses(prediction, batch, shape)
        is_late = moment.epoch >= self.options.late_share * moment.n_epochs
        if is_late and weights.consistency and weights.segmentation and weights.regression:
            parts["consistency"] = consistency_loss(prediction, batch, shape)
        if is_late and network.discriminator is not None:
            parts |= self._adversarial(network, prediction, batch)
        factors = {**vars(weights), "discriminator": 1.0}
        total = weighted_sum([(factors[name], loss) for name, loss in parts.items()])
        return Losses(total, {name: float(loss.detach()) for name, loss in parts.items()})

    def _adversarial(self, network: MTINet, prediction: Prediction, batch: LiverBatch) -> dict[str, Tensor]:
        """Both sides of the game, on slices where all answers are known."""
        known = batch.has_tumour & (batch.diagnosis >= 0)
        if network.discriminator is None or not bool(known.any()):
            return {}
        shape, chosen = self.options.shape, batch.chosen(known)
        fake = Prediction(
            prediction.coarse[known],
            prediction.logits[known],
            prediction.regression[known],
            prediction.class_logits[known],
        ).tasks()
        real = true_tasks(chosen, shape, self.options.real_class)
        return {
            "adversarial": fooling_loss(network.discriminator, chosen.phases, fake),
            "discriminator": discriminator_loss(network.discriminator, chosen.phases, real, fake),
        }


def recipe(overrides: Mapping[str, str]) -> MTINetRecipe:
    """Recipe with some options replaced."""
    training, options = overridden("mtinet", _USUAL, MTINetOptions(), overrides)
    shape = shape_to_start_from(training.start_from, overrides, _STRUCTURE, MTIShape)
    if shape is not None:
        return MTINetRecipe(training, _as_weights_say(options, shape))
    return MTINetRecipe(training, replace(options, shape=_shape(training, options)))


def _as_weights_say(options: MTINetOptions, shape: MTIShape) -> MTINetOptions:
    classes: Classes = "types" if shape.n_classes == len(CLASSES["types"]) else "binary"
    return replace(options, shape=shape, classes=classes, target=shape.target, quant=shape.quant)


def _shape(training: TrainingOptions, options: MTINetOptions) -> MTIShape:
    shape = PRESETS[options.preset]
    return replace(
        shape,
        n_classes=len(CLASSES[options.classes]),
        target=options.target,
        quant=options.quant,
        with_mdief=options.with_mdief,
        with_phase_transformer=options.with_phase_transformer,
        with_tim=options.with_tim,
        with_tdd=options.with_tdd,
        spectrum=options.spectrum,
        norm=shape.norm if options.norm == "preset" else options.norm,
        pooling=shape.pooling if options.pooling == "preset" else options.pooling,
        sharpness=options.sharpness or shape.sharpness,
        region=shape.region if options.region == "preset" else options.region,
        pixel_mm=shape.pixel_mm * training.coarsen,
    )
