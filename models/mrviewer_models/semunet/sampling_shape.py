"""Which samplers a network holds, and the probabilities that their parameters mean. Needs no torch."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mrviewer.errors import InputError
from mrviewer.sampling.probability_map import at_rate, most_probable

__all__ = ["SamplerShape", "SamplingShape"]

_KINDS: dict[str, Literal[1, 2]] = {"lines": 1, "points": 2}


@dataclass(frozen=True)
class SamplerShape:
    """One sampling pattern: lines or points of one grid, at one rate.

    Parameters
    ----------
    dimensions
        1 when whole lines along y are chosen, 2 when single samples are.
    acceleration
        R; the rate is ``1 / R``.
    height, width
        Grid.
    slope
        t of ``P = sigmoid(t O)``.
    always
        Central lines that are always acquired; they count in the rate, and are not learned.

    Raises
    ------
    InputError
        If the rate leaves nothing to learn.
    """

    dimensions: Literal[1, 2]
    acceleration: float
    height: int
    width: int
    slope: float
    always: int

    def __post_init__(self) -> None:
        """Refuse what leaves nothing to learn."""
        if self.acceleration <= 1 or self.count <= self.always:
            raise InputError(
                f"a sampler of acceleration {self.acceleration:g} has {self.count} of {self.size} samples, of which "
                f"{self.always} are always taken; raise the one or lower the other"
            )

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the pattern; one row for lines."""
        return (1 if self.dimensions == 1 else self.height, self.width)

    @property
    def size(self) -> int:
        """All lines, or all points."""
        return self.grid[0] * self.grid[1]

    @property
    def count(self) -> int:
        """Lines or points that are acquired, ``round(N / R)``."""
        return round(self.size / self.acceleration)

    @property
    def free_rate(self) -> float:
        """Rate that is left for what is not always acquired."""
        return (self.size / self.acceleration - self.always) / (self.size - self.always)

    @property
    def fixed(self) -> NDArray[np.bool_]:
        """What is always acquired, in the shape of `grid`."""
        fixed = np.zeros(self.grid, dtype=bool)
        start = (self.width - self.always + 1) // 2
        fixed[:, start : start + self.always] = True
        return fixed

    def probability(self, parameters: NDArray[np.floating]) -> NDArray[np.float64]:
        """Probabilities P' of parameters O ``(N,)``, in the shape of `grid`; their mean is the rate.

        References
        ----------
        Bahadir CD et al. (2020), Deep-learning-based optimization of the under-sampling pattern in MRI, IEEE Trans
        Comput Imaging 6:1139-1152, doi:10.1109/TCI.2020.3006727.
        """
        probability: NDArray[np.float64] = expit(self.slope * parameters.astype(np.float64)).reshape(self.grid)
        free = ~self.fixed
        probability[free] = at_rate(probability[free], self.free_rate)
        probability[~free] = 1
        return probability

    def most_probable(self, parameters: NDArray[np.floating]) -> NDArray[np.bool_]:
        """The pattern for deployment: the `count` most probable of `probability`."""
        # As it is stored and shown, so that training ends with the very mask that is acquired later.
        return most_probable(self.probability(parameters).astype(np.float32), self.count)


@dataclass(frozen=True)
class SamplingShape:
    """All samplers of a network.

    Parameters
    ----------
    samplers
        Names such as ``lines@4`` and ``points@8``, kind and acceleration, separated by commas.
    height, width
        Grid of the training slices.
    slope
        See `SamplerShape`.
    always_lines
        See `SamplerShape.always`; for lines alone.
    """

    samplers: str = "lines@4,lines@8,points@4,points@8"
    height: int = 224
    width: int = 192
    slope: float = 5.0
    always_lines: int = 4

    def parts(self) -> dict[str, SamplerShape]:
        """Every sampler by a name that may be the name of a module.

        Raises
        ------
        InputError
            If a name cannot be read, or a rate leaves nothing to learn.
        """
        parts = {}
        for name in (name.strip() for name in self.samplers.split(",")):
            kind, _, rate = name.partition("@")
            try:
                dimensions, acceleration = _KINDS[kind], float(rate)
            except (KeyError, ValueError):
                raise InputError(
                    f"{name!r} is no sampler; write lines@R or points@R, several separated by commas"
                ) from None
            always = self.always_lines if dimensions == 1 else 0
            shape = SamplerShape(dimensions, acceleration, self.height, self.width, self.slope, always)
            parts[f"{kind}@{acceleration:g}".replace(".", "_")] = shape
        return parts
