"""How Multi-Unet and its comparisons train: jointly over databases, with modalities dropped at random."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mrviewer.database import Subject
from mrviewer.methods.weights import load_weights
from mrviewer.progress import Progress
from mrviewer.study import Study
from mrviewer.training.losses import soft_dice_loss
from mrviewer.training.options import TrainingOptions, override
from mrviewer.training.recipe import BatchSource, Losses, Moment
from mrviewer_models.multiunet.adapting import adapt_weights, fitting_options, parts_of_network
from mrviewer_models.multiunet.batches import VolumeBatch, VolumeSource
from mrviewer_models.multiunet.network import MultiUNet
from mrviewer_models.multiunet.options import TRAINING, MultiUNetOptions, names_in
from mrviewer_models.multiunet.prepared import prepare_volumes
from mrviewer_models.multiunet.shape import PRESETS, MultiUNetShape
from mrviewer_models.overrides import overridden
from mrviewer_models.shapes import shape_of_weights

__all__ = ["MultiUNetRecipe", "recipe"]

_DICE_SMOOTH = 1e-5


@dataclass(frozen=True)
class MultiUNetRecipe:
    """Recipe of `multiunet`."""

    training: TrainingOptions
    options: MultiUNetOptions
    needs_labels: bool = True
    structure: tuple[str, ...] = ("preset", "kind", "mask_absent", "background_zero", "modalities", "free_channels")

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        """See `mrviewer.training.recipe.Tunable.parts`."""
        return parts_of_network(self.options.shape)

    def finetuning(self, study: Study | None = None, parts: Sequence[str] = ()) -> Mapping[str, str]:
        """Voxels, crops and channels that suit the database; see `fitting_options`."""
        return fitting_options(self.options.shape, study, parts)

    def source(self, subjects: Sequence[Subject]) -> Generator[Progress, None, BatchSource]:
        """Crops of the subjects' volumes."""
        masks = Path(self.training.lesion_masks) if self.training.lesion_masks else None
        volumes = yield from prepare_volumes(subjects, self.options.shape, masks)
        return VolumeSource(volumes, self.training, self.options)

    def network(self) -> nn.Module:
        """Network with fresh weights, or with those that it starts from."""
        network = MultiUNet(self.options.shape)
        if self.options.adapt_from:
            adapt_weights(network, load_weights(Path(self.options.adapt_from)).tensors)
        return network

    def losses(self, network: nn.Module, batch: VolumeBatch, moment: Moment) -> Losses:
        """Dice, cross-entropy, or both, of the lesions of all databases together."""
        del moment
        logits = network(batch.volume, batch.present).float()
        parts = {}
        if self.options.loss_seg != "bce":
            parts["dice"] = _dice_of_each(torch.sigmoid(logits), batch.label)
        if self.options.loss_seg != "dice":
            parts["bce"] = F.binary_cross_entropy_with_logits(logits, batch.label)
        total = torch.stack(list(parts.values())).sum()
        return Losses(total, {name: float(loss.detach()) for name, loss in parts.items()})


def recipe(overrides: Mapping[str, str]) -> MultiUNetRecipe:
    """Recipe with some options replaced."""
    # Looked at first, because it decides the defaults of the others.
    preset = override(MultiUNetOptions(), {"preset": overrides.get("preset", "small")})[0].preset
    training, options = overridden("multiunet", TRAINING[preset], _defaults(preset), overrides)
    if training.start_from:
        # The loop would fill a network of the same size; here it may have grown.
        options = replace(options, adapt_from=training.start_from)
        training = replace(training, start_from="")
    return MultiUNetRecipe(training, replace(options, shape=_shape(options)))


def _defaults(preset: str) -> MultiUNetOptions:
    if preset == "paper":
        return MultiUNetOptions(preset="paper", shape=PRESETS["paper"])
    return MultiUNetOptions(loss_seg="dice_bce", flip_share=0.5)


def _shape(options: MultiUNetOptions) -> MultiUNetShape:
    """Size of the network: that of the weights to start from, else that of the options."""
    if options.adapt_from:
        shape = shape_of_weights(Path(options.adapt_from), MultiUNetShape)
    else:
        shape = replace(
            PRESETS[options.preset],
            kind=options.kind,
            channels=(*names_in(options.modalities), *[""] * options.free_channels),
            mask_absent=options.mask_absent,
            background_zero=options.background_zero,
        )
    shape = replace(shape, voxel_mm=options.voxel_mm or shape.voxel_mm, window=options.window or shape.window)
    shape = shape.extended(names_in(options.extend_modalities))
    return replace(shape, progressive=shape.progressive or options.column == "progressive")


def _dice_of_each(probability: Tensor, label: Tensor) -> Tensor:
    """Soft Dice of every crop by itself, and their mean."""
    losses = [
        soft_dice_loss(*pair, smooth_numerator=_DICE_SMOOTH, smooth_denominator=_DICE_SMOOTH)
        for pair in zip(probability, label, strict=True)
    ]
    return torch.stack(losses).mean()
