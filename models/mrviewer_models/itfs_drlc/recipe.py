"""How ITFS + DRLC trains: one step at a time, the segmenter's input alternating, the losses' weights moving."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from mrviewer.database import Subject
from mrviewer.options import SHARE, SIZE, option
from mrviewer.progress import Progress
from mrviewer.training.data.batches import Batch, BatchMaker, slice_source
from mrviewer.training.losses import SegmentationLoss, complex_l2, segmentation_loss
from mrviewer.training.options import TrainingOptions
from mrviewer.training.recipe import Losses, Moment
from mrviewer_models.blocks.inference import load_network
from mrviewer_models.itfs_drlc.alternation import Alternation, segmenter_inputs
from mrviewer_models.itfs_drlc.network import PRESETS, JointNetwork, JointShape
from mrviewer_models.itfs_drlc.weighting import Weighting, reconstruction_weight, uncertainty_weighted
from mrviewer_models.overrides import overridden
from mrviewer_models.starting import TunedAlike, shape_to_start_from, unet_parts
from mrviewer_models.unet_full.network import ImageUNet

__all__ = ["JointOptions", "JointRecipe", "recipe"]

_STRUCTURE = ("preset", "seg_input", "norm")


@dataclass(frozen=True)
class JointOptions:
    """Every switch of ITFS + DRLC; the defaults are those of the paper (arXiv:2011.13614) where it gives them.

    Parameters
    ----------
    preset
        ``paper``, ``paper_atlas`` (the same with its rate on ATLAS), ``small`` (shipped) or ``tiny`` (for tests).
    weighting, alpha, time_scale
        See `reconstruction_weight`; ``learned`` weighs by uncertainty.
    alternation, teacher_probability
        See `segmenter_inputs`.
    reconstruction_scale
        Factor of the reconstruction loss before it is weighted. The paper does not say the scale of its intensities, on
        which the meaning of its weights depends; at ours (largest magnitude 1) the squared error is about a thousandth
        of the Dice loss, and at a weight of 0.05 nothing would hold the reconstruction.
    loss_seg
        ``dice_c`` is the paper's equation 4, ``ce`` its text, ``dice_ce`` their sum.
    seg_input
        ``magnitude`` or ``complex``; see `JointShape`.
    norm
        Normalisation of the segmenter; ``preset`` leaves it to the preset.
    reconstruction_from, segmentation_from
        Weights of `d5c5` and of `unet-full` to begin with; empty for fresh ones.
    """

    preset: Literal["paper", "paper_atlas", "small", "tiny"] = "small"
    weighting: Weighting = "exp"
    alpha: float = option(0.5, SHARE)
    time_scale: float = option(1.0, SIZE)
    reconstruction_scale: float = option(1000.0, SIZE)
    alternation: Alternation = "iteration"
    teacher_probability: float = option(0.5, SHARE)
    loss_seg: SegmentationLoss = "dice_c"
    seg_input: Literal["magnitude", "complex"] = "magnitude"
    norm: Literal["preset", "batch", "instance", "batch_separate"] = "preset"
    reconstruction_from: str = option("", is_path=True, of_run=True)
    segmentation_from: str = option("", is_path=True, of_run=True)
    shape: JointShape = field(default_factory=lambda: PRESETS["small"])


@dataclass(frozen=True)
class JointRecipe(TunedAlike):
    """Recipe of `itfs-drlc`."""

    training: TrainingOptions
    options: JointOptions
    needs_labels: bool = True
    structure: tuple[str, ...] = _STRUCTURE

    def source(self, subjects: Sequence[Subject]) -> Generator[Progress, None, BatchMaker]:
        """Slices of the subjects."""
        return slice_source(self.training, subjects, needs_labels=self.needs_labels)

    def network(self) -> nn.Module:
        """Network with fresh weights, or with those of its parts."""
        network = JointNetwork(self.options.shape)
        if self.options.reconstruction_from:
            load_network(network.reconstruction, Path(self.options.reconstruction_from))
        if self.options.segmentation_from:
            part = ImageUNet(self.options.shape.segmentation)
            load_network(part, Path(self.options.segmentation_from))
            network.segmentation.load_state_dict(part.segmentation.state_dict())
        if self.options.weighting == "learned":
            network.register_parameter("task_log_variance", nn.Parameter(torch.zeros(2)))
        return network

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        """See `mrviewer.training.recipe.Tunable.parts`."""
        return {"reconstruction": ("reconstruction.",), **unet_parts("segmentation.", "segmentation")}

    def losses(self, network: nn.Module, batch: Batch, moment: Moment) -> Losses:
        """``alpha L_rec + (1 - alpha) L_seg``, the segmenter fed by the teacher or by the reconstruction.

        In teacher steps the segmentation loss reaches the segmenter alone; in free steps it reaches D5C5 too.
        """
        assert isinstance(network, JointNetwork)
        options = self.options
        estimate = network.reconstruct(batch.kspace, batch.pattern, batch.maps)[-1]
        reconstruction = options.reconstruction_scale * complex_l2(estimate, batch.image)
        inputs = segmenter_inputs(
            options.alternation, moment, probability=options.teacher_probability, seed=self.training.seed
        )
        segmentation = torch.stack(
            [
                segmentation_loss(
                    network.segment(batch.image if teacher else estimate, teacher=teacher),
                    batch.label,
                    batch.labelled,
                    options.loss_seg,
                )
                for teacher in inputs
            ]
        ).sum()
        parts = {"reconstruction": float(reconstruction.detach()), "segmentation": float(segmentation.detach())}
        if options.weighting == "learned":
            log_variance = network.get_parameter("task_log_variance")
            return Losses(uncertainty_weighted(reconstruction, segmentation, log_variance), parts)
        alpha = reconstruction_weight(options.weighting, moment, fixed=options.alpha, time_scale=options.time_scale)
        return Losses(alpha * reconstruction + (1 - alpha) * segmentation, {**parts, "alpha": alpha})


def recipe(overrides: Mapping[str, str]) -> JointRecipe:
    """Recipe with some options replaced."""
    training, options = overridden("itfs-drlc", TrainingOptions(), JointOptions(), overrides)
    shape = shape_to_start_from(training.start_from, overrides, _STRUCTURE, JointShape)
    return JointRecipe(training, replace(options, shape=shape or _shape(options)))


def _shape(options: JointOptions) -> JointShape:
    shape = PRESETS[options.preset]
    segmentation = shape.segmentation
    if options.norm != "preset":
        segmentation = replace(segmentation, norm=options.norm)
    segmentation = replace(segmentation, inputs=2 if options.seg_input == "complex" else 1)
    return replace(shape, segmentation=segmentation, seg_input=options.seg_input)
