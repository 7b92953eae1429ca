"""How SemuNet trains: the segmenter, then everything on drawn masks, then on the mask that will be acquired."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from mrviewer.database import Subject
from mrviewer.errors import InputError
from mrviewer.options import NUMBER, SIZE, option
from mrviewer.progress import Progress
from mrviewer.sampling import MaskSetting, make_mask, mask_families
from mrviewer.study import Study
from mrviewer.training.data.batches import Batch, BatchMaker, slice_source
from mrviewer.training.data.slice_stacks import SLICE_SHAPE
from mrviewer.training.options import TrainingOptions
from mrviewer.training.recipe import Losses, Moment
from mrviewer.training.stages import stage_of, train_only
from mrviewer_models.overrides import overridden
from mrviewer_models.semunet.arms import MASKS_OF_ARM, STAGES_OF_ARM, Arm, Stage
from mrviewer_models.semunet.network import PRESETS, Estimate, SemuNet, SemuNetShape
from mrviewer_models.semunet.sampler import FixedSampler, Gradient
from mrviewer_models.semunet.sampling_shape import SamplingShape
from mrviewer_models.semunet.truth import ClassLoss, class_loss, known_classes, region_loss
from mrviewer_models.starting import shape_to_start_from, unet_parts

__all__ = ["SemuNetOptions", "SemuNetRecipe", "recipe"]

_STRUCTURE = ("preset", "samplers", "slope", "always_lines", "steepness", "recon", "dc", "norm")
_USUAL = TrainingOptions(batch_size=2, weight_decay=0.0, main_share=1.0, main_acceleration=1.0)
_DRAWS = 17
"""Tells the random numbers of the masks from those of the batches."""


def _families(dimensions: int) -> tuple[str, ...]:
    """Names of the masks that a fixed sampler can have: those that reach a rate exactly."""
    return tuple(
        family.name
        for family in mask_families()
        if family.is_drawn
        and family.is_exact
        and family.dimensions == dimensions
        and MaskSetting.ACCELERATION in family.settings
    )


@dataclass(frozen=True)
class SemuNetOptions:
    """Every switch of SemuNet (doi:10.1007/978-3-030-88552-6_8).

    Where the authors' later reference code has a value it is the default; ``docs/methods/semunet.md`` says which.

    Parameters
    ----------
    preset
        ``paper``, ``small`` (shipped) or ``tiny`` (for tests).
    arm
        ``semunet``, or what it is compared with; see `STAGES_OF_ARM`.
    samplers, slope, always_lines
        See `SamplingShape`. Adam moves a parameter by about the learning rate at each step, so that the slope is how
        fast probabilities can move; in a short run it must be steeper than the 5 of LOUPE.
    gradient, steepness
        See `LearnedSampler`.
    fixed_lines, fixed_points
        Mask families of the arms with fixed masks.
    recon, dc
        See `SemuNetShape`.
    reconstruction_weight, segmentation_weight, region_weight
        Of the losses.
    loss_seg
        ``bce``, or ``bce_dice`` (ours), which small lesions need.
    stages
        Shares of the run: pre-training of the segmenter, combined training, fine-tuning on the final mask.
    norm
        Normalisation of the U-Nets; ``preset`` leaves it to the preset.
    """

    preset: Literal["paper", "small", "tiny"] = "small"
    arm: Arm = "semunet"
    samplers: str = "lines@4,lines@8,points@4,points@8"
    slope: float = option(5.0, SIZE)
    always_lines: int = option(4, NUMBER)
    gradient: Gradient = "relaxed"
    steepness: float = option(10.0, SIZE)
    fixed_lines: str = option("random", choices=_families(1))
    fixed_points: str = option("gaussian-2d", choices=_families(2))
    recon: Literal["unet", "mdrecon", "d5c5"] = "unet"
    dc: Literal["none", "soft"] = "none"
    reconstruction_weight: float = option(1.0, NUMBER)
    segmentation_weight: float = option(0.1, NUMBER)
    region_weight: float = option(0.0, NUMBER)
    loss_seg: ClassLoss = "bce"
    stages: tuple[float, float, float] = option((0.2, 0.6, 0.2), NUMBER)
    norm: Literal["preset", "batch", "instance"] = "preset"
    shape: SemuNetShape = field(default_factory=lambda: PRESETS["small"])


@dataclass(frozen=True)
class SemuNetRecipe:
    """Recipe of `semunet`."""

    training: TrainingOptions
    options: SemuNetOptions
    needs_labels: bool = True
    structure: tuple[str, ...] = _STRUCTURE

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        """See `mrviewer.training.recipe.Tunable.parts`."""
        shape = self.options.shape
        parts = unet_parts("segmentation.", "segmentation")
        if shape.recon != "none":
            parts["reconstruction"] = ("reconstruction.", *(["log_noise_weight"] if shape.dc == "soft" else []))
        return {**parts, "mask": ("samplers.",)} if shape.masks == "learned" else parts

    def finetuning(self, study: Study | None = None, parts: Sequence[str] = ()) -> Mapping[str, str]:
        """No pre-training of a segmenter that is trained already; a mask alone learns while masks are drawn."""
        del study
        return {"stages": "0,1,0" if set(parts) == {"mask"} else "0,0.7,0.3"}

    def source(self, subjects: Sequence[Subject]) -> Generator[Progress, None, BatchMaker]:
        """Slices of the subjects, fully sampled, on the grid of the samplers."""
        sampling = self.options.shape.sampling
        training = replace(self.training, slice_size=(sampling.height, sampling.width))
        return slice_source(training, subjects, needs_labels=self.needs_labels)

    def network(self) -> nn.Module:
        """Network with fresh weights, and with the masks of an arm whose masks are fixed."""
        network = SemuNet(self.options.shape)
        for name in network.samplers:
            sampler = network.sampler(name)
            if isinstance(sampler, FixedSampler) and self.options.shape.masks == "fixed":
                part = sampler.shape
                family = self.options.fixed_lines if part.dimensions == 1 else self.options.fixed_points
                center = min(self.training.center_fraction, 0.5 / part.acceleration)
                shape = (part.height, part.width)
                sampler.fill(make_mask(family, shape, part.acceleration, center, self.training.seed).pattern)
        return network

    def losses(self, network: nn.Module, batch: Batch, moment: Moment) -> Losses:
        """``w_r SmoothL1(x, target) + w_s BCE(s) + w_l region``, of what is there in this stage."""
        assert isinstance(network, SemuNet)
        stage = self._prepare(network, moment)
        truth, known = known_classes(batch)
        target = batch.image.abs()
        scale = target.amax(dim=(1, 2), keepdim=True).clamp(min=1e-12)
        total, parts = batch.image.real.new_zeros(()), {}
        seen = target
        if stage.reconstructs:
            estimate = self._reconstruct(network, batch, stage, moment)
            reconstructed = estimate.magnitude
            seen = reconstructed if stage.segments == "estimate" else target
            reconstruction = F.smooth_l1_loss(reconstructed / scale, target / scale)
            total = total + self.options.reconstruction_weight * reconstruction
            parts["reconstruction"] = float(reconstruction.detach())
            if self.options.region_weight:
                region = region_loss(reconstructed / scale, target / scale, truth, known)
                total = total + self.options.region_weight * region
                parts["region"] = float(region.detach())
        segmentation = class_loss(network.segment(seen), truth, known, self.options.loss_seg)
        parts["segmentation"] = float(segmentation.detach())
        return Losses(total + self.options.segmentation_weight * segmentation, parts)

    def _prepare(self, network: SemuNet, moment: Moment) -> Stage:
        """Let learn what learns in this stage."""
        stage = STAGES_OF_ARM[self.options.arm][stage_of(moment, self.options.stages)]
        train_only(network, *[network.get_submodule(name) for name in stage.learns])
        if network.shape.dc == "soft":
            network.get_parameter("log_noise_weight").requires_grad_("reconstruction" in stage.learns)
        return stage

    def _reconstruct(self, network: SemuNet, batch: Batch, stage: Stage, moment: Moment) -> Estimate:
        """Sample by the next sampler in turn, and reconstruct."""
        names = list(network.samplers)
        sampler = network.sampler(names[moment.step % len(names)])
        _require_grid(batch, sampler.shape.grid)
        if stage.mask == "drawn":
            uniform = np.stack(
                [self._draw(moment.step, number, sampler.shape.grid) for number in batch.numbers.tolist()]
            )
            pattern: Tensor = sampler(torch.from_numpy(uniform).to(batch.image.device), self.options.gradient)
        else:
            pattern = sampler.binary()
        return network.reconstruct(batch.kspace * pattern, pattern, batch.maps)

    def _draw(self, step: int, number: int, grid: tuple[int, int]) -> NDArray[np.float32]:
        """Uniform numbers ``(1, y | 1, x)`` of one example, the same in whatever piece of a batch it is."""
        rng = np.random.default_rng([self.training.seed, step, number + 1, _DRAWS])
        return rng.random((1, *grid), dtype=np.float32)


def _require_grid(batch: Batch, grid: tuple[int, int]) -> None:
    height, width = batch.kspace.shape[-2:]
    if grid[1] != width or grid[0] not in (1, height):
        raise InputError(
            f"the slices are {height} x {width} and the sampler was made for {grid[0]} x {grid[1]}; leave crop_rows at "
            "0 for points, and start from weights of the same grid"
        )


def recipe(overrides: Mapping[str, str]) -> SemuNetRecipe:
    """Recipe with some options replaced.

    Raises
    ------
    InputError
        If a mask is asked of the batches, which are sampled by the network; or soft data consistency of a
        reconstruction that has its own.
    """
    training, options = overridden("semunet", _USUAL, SemuNetOptions(), overrides)
    if training.start_from:
        # Weights are measured on the mask that is asked for, which the batches do not need.
        training = replace(training, main_share=1.0, main_acceleration=1.0)
    if (training.main_share, training.main_acceleration) != (1, 1):
        raise InputError("semunet samples its batches itself; leave main_share and main_acceleration, choose samplers")
    if options.dc == "soft" and options.recon != "unet":
        raise InputError(f"dc=soft follows a U-Net and {options.recon} is consistent by itself; leave one of them away")
    shape = shape_to_start_from(training.start_from, overrides, _STRUCTURE, SemuNetShape) or _shape(training, options)
    return SemuNetRecipe(training, replace(options, shape=shape))


def _shape(training: TrainingOptions, options: SemuNetOptions) -> SemuNetShape:
    shape = replace(
        PRESETS[options.preset],
        sampling=SamplingShape(
            options.samplers,
            SLICE_SHAPE[0] // training.coarsen,
            SLICE_SHAPE[1] // training.coarsen,
            options.slope,
            options.always_lines,
        ),
        masks=MASKS_OF_ARM[options.arm],
        steepness=options.steepness,
        recon="none" if options.arm == "full" else options.recon,
        dc=options.dc,
    )
    shape.sampling.parts()  # refuses what cannot be
    if options.norm != "preset":
        shape = replace(
            shape,
            reconstruction=replace(shape.reconstruction, norm=options.norm),
            segmentation=replace(shape.segmentation, norm=options.norm),
        )
    return shape
