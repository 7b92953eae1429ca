"""What is asked of a mask family: a size, a rate, a centre, a seed; and what of it is possible."""

import math
from dataclasses import dataclass

import numpy as np

from mrviewer.errors import MaskError

__all__ = ["MaskRequest"]


@dataclass(frozen=True)
class MaskRequest:
    """A request that some mask can meet; one that none can is refused here.

    Parameters
    ----------
    height, width
        Size of k-space along y and x, 2 or more.
    acceleration
        All samples divided by those that may be acquired, 1 or more.
    center_fraction
        Part of each under-sampled axis around DC that is always acquired, 0 to 1.
    seed
        Seed of the random draw, 0 or more.

    Raises
    ------
    MaskError
        If one of these is out of its range.
    """

    height: int
    width: int
    acceleration: float = 4.0
    center_fraction: float = 0.08
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what no family can draw."""
        if min(self.height, self.width) < 2:
            raise MaskError(
                f"a mask of {self.height} x {self.width} was asked for; y and x need 2 samples or more each"
            )
        if not (math.isfinite(self.acceleration) and self.acceleration >= 1):
            raise MaskError(f"acceleration {self.acceleration:g} was asked for; it must be 1 (all samples) or more")
        if not 0 <= self.center_fraction <= 1:
            raise MaskError(f"centre fraction {self.center_fraction:g} was asked for; it must lie between 0 and 1")
        if self.seed < 0:
            raise MaskError(f"seed {self.seed} was asked for; it must be 0 or more")

    @property
    def n_lines(self) -> int:
        """Lines along y that may be acquired, the central ones included: ``round(W / R)``."""
        return self._at_least_one(round(self.width / self.acceleration), f"of {self.width} lines")

    @property
    def n_samples(self) -> int:
        """Samples that may be acquired, the central ones included: ``round(H W / R)``."""
        n_all = self.height * self.width
        return self._at_least_one(round(n_all / self.acceleration), f"of {n_all} samples")

    def generator(self) -> np.random.Generator:
        """Return a random generator that gives the same draw for the same seed."""
        return np.random.default_rng(self.seed)

    def _at_least_one(self, count: int, of_what: str) -> int:
        if count < 1:
            raise MaskError(f"acceleration {self.acceleration:g} leaves none {of_what}; lower the acceleration")
        return count
