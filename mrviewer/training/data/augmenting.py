"""Slices changed a little, so that the few that there are teach more; lesions and tissues are changed alike."""

import numpy as np
from numpy.typing import NDArray

from mrviewer.phantom.scan import smooth_phase

__all__ = ["augmented", "cropped_rows", "cropped_square"]

_REACH, _REACH_SHARE = 8, 24
"""Pixels that a slice is shifted by at most, and how many times longer it must be."""


def augmented(
    image: NDArray[np.float32], label: NDArray[np.uint8], contrast_spread: float, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Mirror left and right, shift, bend the grey scale a little, shade.

    Parameters
    ----------
    image, label : (y, x)
        A slice, and what moves with it.
    contrast_spread
        Standard deviation of the logarithm of the exponent that bends the grey scale.
    rng
        Source of chance.
    """
    if rng.uniform() < 0.5:
        image, label = image[:, ::-1], label[:, ::-1]
    reach = np.minimum(_REACH, np.asarray(image.shape) // _REACH_SHARE)
    shift = tuple(int(value) for value in rng.integers(-reach, reach + 1))
    image, label = np.roll(image, shift, (0, 1)), np.roll(label, shift, (0, 1))
    gamma = float(np.exp(rng.normal(0, contrast_spread)))
    image = np.maximum(image, 0) ** np.float32(gamma)
    if rng.uniform() < 0.5:
        shading = smooth_phase((image.shape[0], image.shape[1]), rng, degree=2)
        image = image * (1 + np.float32(0.12 / np.pi) * shading)
    return np.ascontiguousarray(image, np.float32), np.ascontiguousarray(label)


def cropped_rows(
    image: NDArray[np.float32], label: NDArray[np.uint8], rows: int, rng: np.random.Generator, *, around_lesion: bool
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Cut a band of rows out of the object, near a lesion if there is one and it is asked for."""
    rows = min(rows, image.shape[0])
    lesion = np.flatnonzero((label & 1).any(axis=1))
    if around_lesion and lesion.size:
        near = rng.choice(lesion) - rows // 2 + rng.integers(-rows // 3, rows // 3 + 1)
        first = int(np.clip(near, 0, image.shape[0] - rows))
        return image[first : first + rows], label[first : first + rows]
    filled = np.flatnonzero((image > 0.1).any(axis=1))
    low, high = (int(filled[0]), int(filled[-1]) + 1) if filled.size else (0, image.shape[0])
    first = int(np.clip(rng.integers(low, max(high - rows, low) + 1), 0, image.shape[0] - rows))
    return image[first : first + rows], label[first : first + rows]


def cropped_square(
    image: NDArray[np.float32], label: NDArray[np.uint8], edge: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Cut a square near a lesion, or anywhere in the object if there is none."""
    lesion = label & 1
    edge = min(edge, *image.shape)
    inside = np.argwhere(lesion if lesion.any() else image > 0.1)
    centre = inside[rng.integers(len(inside))] if len(inside) else np.asarray(image.shape) // 2
    first = centre - edge // 2 + rng.integers(-edge // 3, edge // 3 + 1, 2)
    y, x = np.clip(first, 0, np.asarray(image.shape) - edge)
    return image[y : y + edge, x : x + edge], label[y : y + edge, x : x + edge]
