"""A scan as scanners store it: readout after readout, each with its place in k-space."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mrviewer.raw.readouts.placement import Placement

__all__ = ["IntArray", "Purpose", "ReadoutReader", "ReadoutTable"]

IntArray = NDArray[np.int64]


class Purpose(IntEnum):
    """What a readout was acquired for."""

    IMAGE = 0
    IMAGE_AND_CALIBRATION = 1
    CALIBRATION = 2
    NOISE = 3
    OTHER = 4


@dataclass(frozen=True, eq=False)
class ReadoutTable:
    """What is known of every readout before its samples are read; all arrays have one entry for each.

    Parameters
    ----------
    purpose
        See `Purpose`.
    step_1, step_2
        Phase and partition encoding step, counted from 0.
    slice_, contrast, phase, repetition, set_
        Which image it belongs to.
    n_samples, n_coils
        Sizes of its samples, after `before` and `behind` are dropped.
    before, behind
        Samples at either end that hold no signal.
    center
        Sample at which DC lies, counted after `before`.
    reverse
        Whether it was read from high to low.
    encoding
        Which encoding of the header it has.
    dwell_us
        Time of a sample; 0 where the file does not tell.
    placement
        Where it lies in the scanner.
    """

    purpose: IntArray
    step_1: IntArray
    step_2: IntArray
    slice_: IntArray
    contrast: IntArray
    phase: IntArray
    repetition: IntArray
    set_: IntArray
    n_samples: IntArray
    n_coils: IntArray
    before: IntArray
    behind: IntArray
    center: IntArray
    reverse: NDArray[np.bool_]
    encoding: IntArray
    dwell_us: NDArray[np.float64]
    placement: Placement

    def __len__(self) -> int:
        """Number of readouts."""
        return len(self.purpose)

    def rows(self, *purposes: Purpose) -> IntArray:
        """Numbers of the readouts of some purposes."""
        return np.flatnonzero(np.isin(self.purpose, purposes))

    def image_keys(self, rows: IntArray) -> IntArray:
        """``(readout, 4)``: contrast, phase, repetition and set of some readouts."""
        return np.stack([key[rows] for key in (self.contrast, self.phase, self.repetition, self.set_)], axis=1)


class ReadoutReader(Protocol):
    """Reads samples of readouts."""

    def read(self, rows: Sequence[int]) -> list[NDArray[np.complex64]]:
        """Samples ``(coil, sample)`` of some readouts as stored, in their order."""
        ...
