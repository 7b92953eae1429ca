"""Batches in which every slice has a mask of its own."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from mrviewer.database import Subject
from mrviewer.progress import Progress
from mrviewer.training.data.batches import Batch, slice_source
from mrviewer.training.examples import examples_of_piece
from mrviewer.training.options import TrainingOptions
from mrviewer.training.recipe import BatchSource

__all__ = ["MaskPerSlice", "Masks", "measured_source"]

Masks = Literal["batch", "slice"]
"""Whether one mask is drawn for a batch, or one for every slice of it."""


@dataclass(frozen=True)
class MaskPerSlice:
    """Put batches of one slice together.

    Parameters
    ----------
    singles
        Source of batches of one slice, all of the same size.
    batch_size
        How many make one batch.
    """

    singles: BatchSource
    batch_size: int

    def __len__(self) -> int:
        """Number of slices that can be drawn."""
        return len(self.singles)

    def batch(self, step: int, piece: int = 0, pieces: int = 1) -> Batch:
        """Batch whose `pattern` is ``(batch, 1, y, x)``; slices of fewer coils get some that see nothing."""
        numbers = examples_of_piece(self.batch_size, piece, pieces)
        made = _together([self.singles.batch(step * self.batch_size + number) for number in numbers or range(1)])
        whole = replace(made, numbers=torch.tensor(numbers or range(1)))
        return whole if numbers else replace(whole.emptied(), pattern=whole.pattern[:0])


def measured_source(
    options: TrainingOptions, subjects: Sequence[Subject], masks: Masks
) -> Generator[Progress, None, BatchSource]:
    """Labelled slices with k-space, and masks that are drawn as said.

    With masks of their own, slices are not cut to ``crop_rows``: a batch has one size, and only some masks allow a cut.
    """
    if masks == "batch":
        return (yield from slice_source(options, subjects))
    singles = yield from slice_source(replace(options, batch_size=1, crop_rows=0), subjects)
    return MaskPerSlice(singles, options.batch_size)


def _together(singles: Sequence[Batch]) -> Batch:
    n_coils = max(single.maps.shape[1] for single in singles)

    def joined(name: str) -> Tensor:
        parts: list[Tensor] = [getattr(single, name) for single in singles]
        if name in ("kspace", "maps"):
            parts = [F.pad(part, (0, 0, 0, 0, 0, n_coils - part.shape[1])) for part in parts]
        if name == "pattern":
            parts = [part.expand(1, 1, *single.image.shape[1:]) for part, single in zip(parts, singles, strict=True)]
        return torch.cat(parts)

    return Batch(**{item.name: joined(item.name) for item in fields(Batch)})
