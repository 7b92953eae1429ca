"""Samples of k-space that are NaN or infinite: they count as not acquired, and somebody has to know."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrviewer.raw.cartesian import KspaceSource

__all__ = ["LostSamples", "count_lost", "lost_among"]

MOST_COUNTED = 1 << 25
"""Samples up to which a whole scan is looked through when it is opened: 256 MiB."""


@dataclass(frozen=True)
class LostSamples:
    """What was found.

    Parameters
    ----------
    n_lost, n_samples
        Samples that are not finite, and those that were looked at.
    is_whole
        Whether the whole scan was looked at, or its middle slice alone.
    """

    n_lost: int
    n_samples: int
    is_whole: bool

    @property
    def sentence(self) -> str:
        """What the user should know."""
        where = "" if self.is_whole else " of the middle slice, the only one looked through,"
        return (
            f"{self.n_lost:,} of {self.n_samples:,} samples of k-space{where} are NaN or infinite and count as not "
            "acquired (0)"
        )


def count_lost(source: KspaceSource) -> LostSamples:
    """Count the samples of a scan that are not finite."""
    n_slices = source.shape[0]
    is_whole = math.prod(source.shape) <= MOST_COUNTED
    wanted = range(n_slices) if is_whole else (n_slices // 2,)
    n_lost = n_samples = 0
    for index in wanted:
        kspace = source.read(index)
        n_samples += kspace.size
        n_lost += lost_among(kspace).n_lost
    return LostSamples(n_lost, n_samples, is_whole)


def lost_among(kspace: NDArray[np.complex64]) -> LostSamples:
    """Count those of k-space in memory."""
    return LostSamples(kspace.size - int(np.count_nonzero(np.isfinite(kspace))), kspace.size, is_whole=True)
