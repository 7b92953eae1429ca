"""Slices of synthetic heads, a few heads at a time. Step `n` of a seed is always the same."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrviewer.training.examples import example_rngs, examples_of_piece
from mrviewer.training.options import TrainingOptions
from mrviewer_models.brain_mask.anatomies import Anatomy
from mrviewer_models.brain_mask.fields import Rng, chance
from mrviewer_models.brain_mask.network import BrainShape
from mrviewer_models.brain_mask.options import BrainMaskOptions
from mrviewer_models.brain_mask.synthesis import synthesise

__all__ = ["BrainBatch", "HeadSource"]

FloatArray = NDArray[np.float32]
_HEADS, _BRAIN_SHARE, _LYING_SHARE = 4, 0.8, 0.15


@dataclass(frozen=True)
class BrainBatch:
    """Slices with two neighbours each.

    Parameters
    ----------
    slices : float32, (batch, 3, y, x)
    brain : float32, (batch, y, x)
        Share of brain in every pixel.
    """

    slices: Tensor
    brain: Tensor

    def to(self, device: str) -> "BrainBatch":
        """Copy to a device."""
        return BrainBatch(self.slices.to(device), self.brain.to(device))


class HeadSource:
    """Every step draws from four synthetic heads, of which one is replaced every `steps_per_head` steps.

    Parameters
    ----------
    anatomies
        From `prepare_anatomies`.
    training, options, shape
        Of the recipe.
    """

    def __init__(
        self, anatomies: Sequence[Anatomy], training: TrainingOptions, options: BrainMaskOptions, shape: BrainShape
    ) -> None:
        self._anatomies, self._training, self._options, self._shape = anatomies, training, options, shape
        self._made: OrderedDict[int, tuple[FloatArray, FloatArray]] = OrderedDict()
        self._read: dict[int, tuple[NDArray[np.uint8], NDArray[np.uint8]]] = {}

    def __len__(self) -> int:
        """Heads; each stands for as many images as are asked for."""
        return len(self._anatomies)

    def batch(self, step: int, piece: int = 0, pieces: int = 1) -> BrainBatch:
        """Slices of one step, or a piece of them."""
        numbers = examples_of_piece(self._training.batch_size, piece, pieces)
        newest = step // self._options.steps_per_head + _HEADS - 1
        rngs = example_rngs(self._training.seed, step, numbers)
        drawn = [
            self._slice(*self._head(newest - number % _HEADS), rng) for number, rng in zip(numbers, rngs, strict=True)
        ]
        edge = self._options.edge
        slices = np.stack([each for each, _ in drawn]) if drawn else np.zeros((0, 3, edge, edge), np.float32)
        brain = np.stack([each for _, each in drawn]) if drawn else np.zeros((0, edge, edge), np.float32)
        return BrainBatch(torch.from_numpy(slices), torch.from_numpy(brain))

    def _head(self, number: int) -> tuple[FloatArray, FloatArray]:
        """One synthetic head; the last few are kept."""
        made = self._made.get(number)
        if made is None:
            rng = np.random.default_rng([self._training.seed, number, 0, 1])
            which = int(rng.integers(len(self._anatomies)))
            if which not in self._read:
                self._read[which] = self._anatomies[which].read()
            made = synthesise(rng, *self._read[which], self._options.edge, self._shape.voxel_mm)
            self._made[number] = made
            while len(self._made) > _HEADS:
                self._made.popitem(last=False)
        return made

    def _slice(self, image: FloatArray, brain: FloatArray, rng: Rng) -> tuple[FloatArray, FloatArray]:
        """A slice across any axis of a head that is upright, mirrored or not, and now and then lies in another way."""
        if chance(rng, 0.5):
            image, brain = image[..., ::-1], brain[..., ::-1]
        axis, apart = int(rng.integers(3)), self._shape.apart
        last = image.shape[axis] - 1
        stack, target = np.moveaxis(image, axis, 0), np.moveaxis(brain, axis, 0)
        filled = np.flatnonzero(target.any(axis=(1, 2)))
        among = filled if len(filled) and chance(rng, _BRAIN_SHARE) else np.arange(last + 1)
        place = int(rng.choice(among))
        chosen = [min(max(place + step, 0), last) for step in (-apart, 0, apart)]
        slices, share = stack[chosen], target[place]
        if chance(rng, _LYING_SHARE):
            slices, share = _turned(slices, share, rng)
        return np.ascontiguousarray(slices), np.ascontiguousarray(share)


def _turned(slices: FloatArray, share: FloatArray, rng: Rng) -> tuple[FloatArray, FloatArray]:
    """Turn by quarters and mirror in any way: not every file says how the head lies."""
    if chance(rng, 0.5):
        slices, share = slices.swapaxes(-1, -2), share.T
    neighbours, rows, columns = (slice(None, None, -1 if chance(rng, 0.5) else 1) for _ in range(3))
    return slices[neighbours, rows, columns], share[rows, columns]
