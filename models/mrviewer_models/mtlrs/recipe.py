"""How MTLRS and the four arms that it is compared with train."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from mrviewer.database import Subject
from mrviewer.errors import InputError
from mrviewer.options import COUNT, SHARE, SIZE, option
from mrviewer.progress import Progress
from mrviewer.study import Study
from mrviewer.training.data.batches import Batch, BatchMaker, slice_source
from mrviewer.training.options import TrainingOptions
from mrviewer.training.recipe import Losses, Moment
from mrviewer_models.blocks.inference import load_network
from mrviewer_models.blocks.rim import RecurrentUnit
from mrviewer_models.cirim.losses import Growth, Normalisation, weighted_l1
from mrviewer_models.mtlrs.arms import Arm, estimates_and_logits
from mrviewer_models.mtlrs.coupling import Coupling, SegActivation
from mrviewer_models.mtlrs.losses import CLASSES, multi_label_loss, truth_of
from mrviewer_models.mtlrs.network import MTLRS, PRESETS, MTLRSShape
from mrviewer_models.overrides import overridden
from mrviewer_models.starting import shape_to_start_from

__all__ = ["MTLRSOptions", "MTLRSRecipe", "recipe"]

_STRUCTURE = ("preset", "coupling", "seg_activation", "detach_seg_input", "n_cls", "unit")

_USUAL = TrainingOptions(batch_size=2, learning_rate=2e-3, crop_rows=96)


@dataclass(frozen=True)
class MTLRSOptions:
    """Every switch of the method; the defaults are the paper's where it says.

    Parameters
    ----------
    preset
        ``paper``, ``small`` (shipped) or ``tiny`` (for tests).
    arm, fine_tuning_share
        See `estimates_and_logits`. ``end_to_end`` minimises the segmentation loss alone.
    coupling, seg_activation, detach_seg_input
        See `MTLRSShape`; only the arm ``mtlrs`` is coupled.
    n_cls
        Classes that are learned, the first ones of lesion, brain tissue, cerebrospinal fluid and background.
    unit
        What keeps the hidden states; see `RIMShape`.
    alpha
        Weight of the segmentation loss; the reconstruction loss has ``1 - alpha``.
    reconstruction_scale
        Factor of the reconstruction loss before it is weighted (ours).
    beta, squared
        See `multi_label_loss`.
    step_weights, cascade_weights, normalisation
        See `weighted_l1`.
    reconstruction_from
        Weights of `cirim` to begin with; empty for fresh ones.
    """

    preset: Literal["paper", "small", "tiny"] = "small"
    arm: Arm = "mtlrs"
    fine_tuning_share: float = option(0.3, SHARE)
    coupling: Coupling = "add"
    seg_activation: SegActivation = "sigmoid"
    detach_seg_input: bool = False
    n_cls: int = option(2, COUNT)
    unit: RecurrentUnit = "indrnn"
    alpha: float = option(0.9, SHARE)
    reconstruction_scale: float = option(1.0, SIZE)
    beta: float = option(0.5, SHARE)
    squared: bool = True
    step_weights: Growth = "exponential"
    cascade_weights: Growth = "exponential"
    normalisation: Normalisation = "target"
    reconstruction_from: str = option("", is_path=True, of_run=True)
    shape: MTLRSShape = field(default_factory=lambda: PRESETS["small"])


@dataclass(frozen=True)
class MTLRSRecipe:
    """Recipe of `mtlrs`."""

    training: TrainingOptions
    options: MTLRSOptions
    needs_labels: bool = True
    structure: tuple[str, ...] = _STRUCTURE

    def network(self) -> nn.Module:
        """Network with fresh weights, or with a reconstruction that was trained before."""
        network = MTLRS(self.options.shape)
        if self.options.reconstruction_from:
            load_network(network.reconstruction, Path(self.options.reconstruction_from))
        return network

    def source(self, subjects: Sequence[Subject]) -> Generator[Progress, None, BatchMaker]:
        """Slices with labels."""
        return slice_source(self.training, subjects)

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        """See `mrviewer.training.recipe.Tunable.parts`."""
        shape = self.options.shape
        n_segmenters = 1 if shape.coupling == "none" else shape.reconstruction.cascades
        segmenters = [f"segmentation.{number}." for number in range(n_segmenters)]
        own = {"coupling": ("coupling.",)} if shape.coupling == "concat_1x1" else {}
        return {
            "reconstruction": ("reconstruction.",),
            "segmentation": tuple(segmenters),
            "segmentation-head": tuple(f"{segmenter}decoder.head." for segmenter in segmenters),
            **own,
        }

    def finetuning(self, study: Study | None = None, parts: Sequence[str] = ()) -> Mapping[str, str]:
        """The second stage of the arm that has one."""
        del study, parts
        return {"fine_tuning_share": "1"}

    def losses(self, network: nn.Module, batch: Batch, moment: Moment) -> Losses:
        """``(1 - alpha) L_rec + alpha L_seg``, or what of it the arm minimises."""
        assert isinstance(network, MTLRS)
        options = self.options
        steps, logits = estimates_and_logits(options.arm, network, batch, moment, fine_tuning=options.fine_tuning_share)
        truth, known = truth_of(batch, options.shape.segmentation.outputs)
        segmentation = multi_label_loss(logits, truth, known, beta=options.beta, squared=options.squared)
        total, parts = options.alpha * segmentation, {"segmentation": float(segmentation.detach())}
        if steps:
            with torch.set_grad_enabled(options.arm != "end_to_end"):
                reconstruction = weighted_l1(
                    steps,
                    batch.image,
                    cascades=options.shape.reconstruction.cascades,
                    step_weights=options.step_weights,
                    cascade_weights=options.cascade_weights,
                    normalisation=options.normalisation,
                )
            parts["reconstruction"] = float(reconstruction.detach())
            if options.arm != "end_to_end":
                total = total + (1 - options.alpha) * options.reconstruction_scale * reconstruction
        return Losses(total, parts)


def recipe(overrides: Mapping[str, str]) -> MTLRSRecipe:
    """Recipe with some options replaced."""
    training, options = overridden("mtlrs", _USUAL, MTLRSOptions(), overrides)
    if not 1 <= options.n_cls <= len(CLASSES):
        raise InputError(f"option n_cls is {options.n_cls}; choose 1 to {len(CLASSES)}: {', '.join(CLASSES)}")
    shape = shape_to_start_from(training.start_from, overrides, _STRUCTURE, MTLRSShape)
    return MTLRSRecipe(training, replace(options, shape=shape or _shape(options)))


def _shape(options: MTLRSOptions) -> MTLRSShape:
    shape = PRESETS[options.preset]
    reconstruction = replace(shape.reconstruction, rim=replace(shape.reconstruction.rim, unit=options.unit))
    return MTLRSShape(
        reconstruction,
        replace(shape.segmentation, outputs=options.n_cls),
        options.coupling if options.arm == "mtlrs" else "none",
        options.seg_activation,
        options.detach_seg_input,
    )
