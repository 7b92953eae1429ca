"""The sampling mask: which samples of k-space are acquired."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Mask"]


@dataclass(frozen=True, eq=False)
class Mask:
    """A pattern of acquired k-space samples, and the request that made it.

    Two masks with the same fields are equal and interchangeable.

    Parameters
    ----------
    pattern : bool, (y, x) or (1, x)
        True where a sample is acquired; DC at index ``N // 2``. ``(1, x)`` acquires whole lines along y, so that phase
        encoding runs along x.
    name
        Family, as in the command line (``random``, ``poisson``, ``file:PATH``, ...).
    acceleration
        The factor that was asked for; `None` when nobody asked (a mask from a file).
    center_fraction
        Part of k-space around DC that is always acquired, as asked for.
    seed
        Seed of the random draw.
    note
        What a person should know, e.g. which DC convention a file was found to have.
    """

    pattern: NDArray[np.bool_]
    name: str
    acceleration: float | None = None
    center_fraction: float | None = None
    seed: int | None = None
    note: str = ""

    def __post_init__(self) -> None:
        """Make the pattern read-only."""
        pattern = np.array(self.pattern, dtype=bool, copy=True)
        pattern.setflags(write=False)
        object.__setattr__(self, "pattern", pattern)

    @property
    def achieved_acceleration(self) -> float:
        """All samples divided by acquired samples."""
        return self.pattern.size / int(np.count_nonzero(self.pattern))

    @property
    def is_line_mask(self) -> bool:
        """Whether whole lines are acquired, so that only x is undersampled."""
        return bool(self.pattern.shape[0] == 1)

    def __eq__(self, other: object) -> bool:
        """Compare all fields, the pattern included."""
        if not isinstance(other, Mask):
            return NotImplemented
        return self._request == other._request and np.array_equal(self.pattern, other.pattern)

    def __hash__(self) -> int:
        """Hash of the request and of the pattern."""
        return hash((self._request, self.pattern.shape, self.pattern.tobytes()))

    @property
    def _request(self) -> tuple[object, ...]:
        return (self.name, self.acceleration, self.center_fraction, self.seed, self.note)
