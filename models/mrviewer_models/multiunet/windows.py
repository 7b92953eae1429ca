"""A network run over a volume that is larger than it can see at once, window by window.

Like MONAI's `sliding_window_inference` with constant weights, against which it is tested; ours tells its progress after
each window and can be stopped there.
"""

from collections.abc import Callable, Generator
from itertools import product

import torch
from torch import Tensor
from torch.nn import functional as F

from mrviewer.progress import Progress

__all__ = ["sliding_windows", "window_starts"]


def sliding_windows(
    predict: Callable[[Tensor], Tensor], volume: Tensor, air: Tensor, window: int, overlap: float = 0.25
) -> Generator[Progress, None, Tensor]:
    """Logits of a whole volume: the mean of all windows that see a voxel.

    Parameters
    ----------
    predict
        Gives logits ``(1, 1, z, y, x)`` of a window ``(1, channel, z, y, x)``.
    volume : (channel, z, y, x)
        A volume smaller than the window is padded at its far faces.
    air : (channel,)
        What it is padded with.
    window
        Edge of a window in voxels.
    overlap
        Part of a window that the next one sees too.

    Returns
    -------
    (z, y, x)
    """
    depth, height, width = volume.shape[1:]
    padded = _padded(volume, air, window)
    total = torch.zeros(padded.shape[1:], device=volume.device)
    count = torch.zeros_like(total)
    places = list(product(*(window_starts(size, window, overlap) for size in padded.shape[1:])))
    for number, place in enumerate(places):
        box = tuple(slice(start, start + window) for start in place)
        total[box] += predict(padded[(slice(None), *box)][None])[0, 0].float()
        count[box] += 1
        yield Progress(number + 1, len(places), f"window {number + 1} of {len(places)}")
    mean = total / count
    return mean[:depth, :height, :width]


def window_starts(size: int, window: int, overlap: float) -> list[int]:
    """Where windows begin along an axis that is at least as long as a window; the last one ends where the axis does."""
    step = max(int(window * (1 - overlap)), 1)
    last = size - window
    return [min(start, last) for start in range(0, last + step, step)] if last > 0 else [0]


def _padded(volume: Tensor, air: Tensor, window: int) -> Tensor:
    widths = [part for size in reversed(volume.shape[1:]) for part in (0, max(window - size, 0))]
    if not any(widths):
        return volume
    level = air[:, None, None, None]
    return F.pad(volume - level, widths) + level
