"""Square crops of a batch, near lesions: segmenters learn more from them than from whole slices."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

__all__ = ["LesionCrops"]


@dataclass(frozen=True)
class LesionCrops:
    """Where each slice of a batch is cut.

    Parameters
    ----------
    rows, columns
        One range per slice, all of the same length.
    """

    rows: tuple[slice, ...]
    columns: tuple[slice, ...]

    @classmethod
    def draw(cls, label: Tensor, magnitude: Tensor, edge: int, rngs: Sequence[np.random.Generator]) -> "LesionCrops":
        """Draw squares near a lesion pixel, or near any pixel of the object where there is no lesion.

        Parameters
        ----------
        label : int, (batch, y, x)
            0 is background.
        magnitude : real, (batch, y, x)
            The object is where it exceeds a tenth of its maximum.
        edge
            Of the square in pixels; 0, or more than there are, keeps all.
        rngs
            Source of chance of each slice.
        """
        size = np.asarray(label.shape[1:])
        edges = np.minimum(edge or size.max(), size)
        corners = []
        for lesions, brightness, rng in zip(label.cpu().numpy(), magnitude.detach().cpu().numpy(), rngs, strict=True):
            inside = np.argwhere(lesions if lesions.any() else brightness > 0.1 * brightness.max())
            centre = inside[rng.integers(len(inside))] if len(inside) else size // 2
            shift = rng.integers(-(edges // 3), edges // 3 + 1)
            corners.append(np.clip(centre - edges // 2 + shift, 0, size - edges))
        return cls(
            tuple(slice(int(row), int(row + edges[0])) for row, _ in corners),
            tuple(slice(int(column), int(column + edges[1])) for _, column in corners),
        )

    def cut(self, stack: Tensor) -> Tensor:
        """Cut ``(batch, ..., y, x)`` to ``(batch, ..., edge, edge)``."""
        places = zip(stack, self.rows, self.columns, strict=True)
        return torch.stack([plane[..., rows, columns] for plane, rows, columns in places])
