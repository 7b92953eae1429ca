"""How CIRIM trains: the weighted error of every estimate, Adam."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from torch import nn

from mrviewer.database import Subject
from mrviewer.progress import Progress
from mrviewer.training.data.batches import Batch, BatchMaker, slice_source
from mrviewer.training.options import TrainingOptions
from mrviewer.training.recipe import Losses, Moment
from mrviewer_models.blocks.rim import RecurrentUnit
from mrviewer_models.cirim.losses import Growth, Normalisation, weighted_l1
from mrviewer_models.cirim.network import CIRIM, PRESETS, CIRIMShape
from mrviewer_models.overrides import overridden
from mrviewer_models.starting import TunedAlike, cascade_parts, shape_to_start_from

__all__ = ["CIRIMOptions", "CIRIMRecipe", "recipe"]

_STRUCTURE = ("preset", "unit")
_USUAL = TrainingOptions(batch_size=1, learning_rate=1.5e-3, crop_rows=64)


@dataclass(frozen=True)
class CIRIMOptions:
    """Size of the network and weights of its estimates.

    Parameters
    ----------
    preset
        ``paper``, ``small`` (shipped) or ``tiny`` (for tests).
    unit
        What keeps the hidden states; see `RIMShape`.
    step_weights, cascade_weights, normalisation
        See `weighted_l1`.
    """

    preset: Literal["paper", "small", "tiny"] = "small"
    unit: RecurrentUnit = "indrnn"
    step_weights: Growth = "exponential"
    cascade_weights: Growth = "uniform"
    normalisation: Normalisation = "target"
    shape: CIRIMShape = field(default_factory=lambda: PRESETS["small"])


@dataclass(frozen=True)
class CIRIMRecipe(TunedAlike):
    """Recipe of `cirim`."""

    training: TrainingOptions
    options: CIRIMOptions
    needs_labels: bool = False
    structure: tuple[str, ...] = _STRUCTURE

    def network(self) -> nn.Module:
        """Network with fresh weights."""
        return CIRIM(self.options.shape)

    def source(self, subjects: Sequence[Subject]) -> Generator[Progress, None, BatchMaker]:
        """Slices with and without labels."""
        return slice_source(self.training, subjects, needs_labels=False)

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        """See `mrviewer.training.recipe.Tunable.parts`."""
        return cascade_parts(self.options.shape.cascades)

    def losses(self, network: nn.Module, batch: Batch, moment: Moment) -> Losses:
        """Weighted mean difference between the magnitudes of all estimates and of the fully sampled image."""
        del moment
        loss = weighted_l1(
            network(batch.kspace, batch.pattern, batch.maps),
            batch.image,
            cascades=self.options.shape.cascades,
            step_weights=self.options.step_weights,
            cascade_weights=self.options.cascade_weights,
            normalisation=self.options.normalisation,
        )
        return Losses(loss, {"reconstruction": float(loss.detach())})


def recipe(overrides: Mapping[str, str]) -> CIRIMRecipe:
    """Recipe with some options replaced."""
    training, options = overridden("cirim", _USUAL, CIRIMOptions(), overrides)
    shape = shape_to_start_from(training.start_from, overrides, _STRUCTURE, CIRIMShape)
    if shape is None:
        preset = PRESETS[options.preset]
        shape = replace(preset, rim=replace(preset.rim, unit=options.unit))
    return CIRIMRecipe(training, replace(options, shape=shape))
