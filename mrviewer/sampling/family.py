"""A mask family: how to draw a pattern, which settings that takes, and what to tell the user about it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mrviewer.mask import Mask
from mrviewer.sampling.request import MaskRequest

__all__ = ["MaskFamily", "MaskSetting"]


class MaskSetting(StrEnum):
    """What a mask can be asked for, by its field of `MaskRequest`."""

    ACCELERATION = "acceleration"
    CENTER_FRACTION = "center_fraction"
    SEED = "seed"


@dataclass(frozen=True)
class MaskFamily:
    """One way of choosing samples.

    Parameters
    ----------
    name, title
        Name on the command line, and in words.
    dimensions
        1 when whole lines are chosen along x, 2 when single samples are; `None` when a file decides.
    description
        What it acquires, in one sentence.
    citation
        Paper with DOI; empty where there is none.
    draw
        Gives the pattern ``(1, x)`` or ``(y, x)`` of a request, DC at index ``N // 2``; raises `MaskError` for a
        request that it cannot meet.
    settings
        Those that are read; the others have no effect.
    is_learned
        Whether a method learned it together with its network.
    is_exact
        Whether the samples are exactly as many as the acceleration asks for; otherwise as near as the shape allows.
    training_share
        How often a training on varied masks draws this family, in relation to the others; nothing if it is not drawn.
    argument
        What may follow the name after a colon, in capitals; empty for nothing.
    make
        In place of `draw`, gives the whole mask of a name and a request; for families whose pattern is not drawn.
    """

    name: str
    title: str
    dimensions: Literal[1, 2] | None
    description: str
    citation: str
    draw: Callable[[MaskRequest], NDArray[np.bool_]] | None = field(default=None, repr=False)
    settings: frozenset[MaskSetting] = frozenset(MaskSetting)
    is_learned: bool = False
    is_exact: bool = True
    training_share: float = 0.06
    argument: str = ""
    make: Callable[[str, MaskRequest], Mask] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuse a family that cannot make a mask, or in two ways."""
        if (self.draw is None) == (self.make is None):
            raise ValueError(f"mask family {self.name} gives draw and make, or neither; give one of them")

    @property
    def is_random(self) -> bool:
        """Whether another seed gives another mask."""
        return MaskSetting.SEED in self.settings

    @property
    def is_drawn(self) -> bool:
        """Whether a pattern is drawn for each request, and not given by a file, a method or full sampling."""
        return self.draw is not None

    def matches(self, name: str) -> bool:
        """Whether a mask of this name belongs to the family."""
        family, colon, _ = name.partition(":")
        return family == self.name and (not colon or bool(self.argument))

    def named(self, argument: str) -> str:
        """Name of the mask with an argument."""
        return f"{self.name}:{argument}"
