"""How D5C5 trains: squared error of the last estimate, Adam."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from torch import nn

from mrviewer.database import Subject
from mrviewer.progress import Progress
from mrviewer.training.data.batches import Batch, BatchMaker, slice_source
from mrviewer.training.losses import complex_l2
from mrviewer.training.options import TrainingOptions
from mrviewer.training.recipe import Losses, Moment
from mrviewer_models.d5c5.network import D5C5, PRESETS, D5C5Shape
from mrviewer_models.overrides import overridden
from mrviewer_models.starting import TunedAlike, cascade_parts, shape_to_start_from

__all__ = ["D5C5Options", "D5C5Recipe", "recipe"]

_STRUCTURE = ("preset",)


@dataclass(frozen=True)
class D5C5Options:
    """Size of the network.

    Parameters
    ----------
    preset
        ``paper``, ``small`` (shipped) or ``tiny`` (for tests).
    """

    preset: Literal["paper", "small", "tiny"] = "small"
    shape: D5C5Shape = field(default_factory=lambda: PRESETS["small"])


@dataclass(frozen=True)
class D5C5Recipe(TunedAlike):
    """Recipe of `d5c5`."""

    training: TrainingOptions
    options: D5C5Options
    needs_labels: bool = False
    structure: tuple[str, ...] = _STRUCTURE

    def source(self, subjects: Sequence[Subject]) -> Generator[Progress, None, BatchMaker]:
        """Slices of the subjects."""
        return slice_source(self.training, subjects, needs_labels=self.needs_labels)

    def network(self) -> nn.Module:
        """Network with fresh weights."""
        return D5C5(self.options.shape)

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        """See `mrviewer.training.recipe.Tunable.parts`."""
        return cascade_parts(self.options.shape.cascades)

    def losses(self, network: nn.Module, batch: Batch, moment: Moment) -> Losses:
        """Mean squared error between the reconstruction and the fully sampled image."""
        del moment
        loss = complex_l2(network(batch.kspace, batch.pattern, batch.maps)[-1], batch.image)
        return Losses(loss, {"reconstruction": float(loss.detach())})


def recipe(overrides: Mapping[str, str]) -> D5C5Recipe:
    """Recipe with some options replaced."""
    training, options = overridden("d5c5", TrainingOptions(crop_rows=128), D5C5Options(), overrides)
    shape = shape_to_start_from(training.start_from, overrides, _STRUCTURE, D5C5Shape)
    return D5C5Recipe(training, D5C5Options(options.preset, shape or PRESETS[options.preset]))
