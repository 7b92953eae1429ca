"""What the training of the brain mask can be told."""

from dataclasses import dataclass, field
from typing import Literal

from mrviewer.options import COUNT, option
from mrviewer_models.brain_mask.network import PRESETS, BrainShape

__all__ = ["BrainMaskOptions"]


@dataclass(frozen=True)
class BrainMaskOptions:
    """Size, and how many images are made.

    Parameters
    ----------
    preset
        ``small`` (shipped) or ``tiny`` (for tests).
    edge
        Voxels along each edge of a synthetic image.
    steps_per_head
        Steps after which one of the four heads that slices are drawn from is replaced by a new one.
    """

    preset: Literal["small", "tiny"] = "small"
    edge: int = option(96, COUNT)
    steps_per_head: int = option(4, COUNT)
    shape: BrainShape = field(default_factory=lambda: PRESETS["small"])
