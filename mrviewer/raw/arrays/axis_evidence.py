"""What the values of an array tell of its axes: which are k-space, and along which ones coils or slices are counted.

Two facts are used. The energy of k-space lies in its middle, and that of an image does not. And coils see one object
through sensitivities that change slowly: within a small patch the images of all coils are multiples of one another,
over the whole image they are not. Slices differ in both; repetitions in neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrviewer.physics import fft2c, ifft2c

__all__ = ["Likeness", "axes_of_kspace", "likeness", "planes_differ_in_sampling", "spread"]

Complex = NDArray[np.complexfloating]

SMALLEST_KSPACE_EDGE = 4
MOST_CONCENTRATED = 0.3
"""Part of an axis over which the energy of k-space is spread at most; measured are 0.02 to 0.14, coils 0.85 to 1."""
LOW_RESOLUTION = 64
PATCH = 4
_ALIKE = 0.985
_FLOOR = 0.02


@dataclass(frozen=True)
class Likeness:
    """How far images are multiples of one another.

    Parameters
    ----------
    local
        Part of the energy of edges that one image explains, within patches.
    whole
        Part of the energy that one image explains over the whole field of view.
    """

    local: float
    whole: float

    @property
    def coil_score(self) -> float:
        """Above 1 for coils (2 to 20 measured), below for slices (0.2 to 0.9) and repetitions (0)."""
        if self.whole > _ALIKE:
            return 0.0
        return (1 - self.whole) / (1 - self.local + _FLOOR)


def axes_of_kspace(block: Complex) -> tuple[int, ...]:
    """Axes of a block of values, around the middle of an array, along which it is k-space with DC in the middle."""
    power = np.abs(block).astype(np.float64) ** 2
    return tuple(axis for axis in range(block.ndim) if _is_kspace(block, power, axis))


def _is_kspace(block: Complex, power: NDArray[np.float64], axis: int) -> bool:
    size = block.shape[axis]
    if size < SMALLEST_KSPACE_EDGE:
        return False
    others = tuple(other for other in range(block.ndim) if other != axis)
    profile = power.sum(axis=others)
    transformed = (np.abs(np.fft.fft(block, axis=axis)).astype(np.float64) ** 2).sum(axis=others)
    stored = spread(profile)
    is_central = abs(int(profile.argmax()) - size // 2) <= max(1, size // 8)
    return is_central and stored < MOST_CONCENTRATED and 2 * stored < spread(transformed)


def spread(power: NDArray[np.floating]) -> float:
    """Part of the values over which energy is spread, by its participation ratio; 1 if there is none."""
    scaled = power.astype(np.float64) / max(float(power.max(initial=0)), np.finfo(np.float64).tiny)
    squares = float((scaled**2).sum())
    return float(scaled.sum()) ** 2 / (scaled.size * squares) if squares > 0 else 1.0


def likeness(planes: Complex, *, is_kspace: bool) -> Likeness | None:
    """Compare the images of some entries along an axis.

    Parameters
    ----------
    planes : (entry, y, x)
        K-space with DC in the middle, or images.
    is_kspace
        Which of the two.

    Returns
    -------
    `None` if there is nothing to compare, or values are so small or large that their images cannot be computed.
    """
    images = _low_resolution(planes if is_kspace else fft2c(planes.astype(np.complex64)))
    if len(images) < 2 or min(images.shape[1:]) <= PATCH or not images.any() or not np.isfinite(images).all():
        return None
    edges = np.stack([np.diff(images, axis=1)[:, :, :-1], np.diff(images, axis=2)[:, :-1]], axis=1)
    rows, columns = edges.shape[2] // PATCH, edges.shape[3] // PATCH
    cut = edges[:, :, : rows * PATCH, : columns * PATCH].reshape(len(images), 2, rows, PATCH, columns, PATCH)
    patches = cut.transpose(2, 4, 0, 1, 3, 5).reshape(rows * columns, len(images), -1)
    return Likeness(_explained(patches), _explained(images.reshape(1, len(images), -1)))


def _explained(groups: Complex) -> float:
    """Part of the energy of ``(group, entry, value)`` that is left if all entries of a group are multiples of one."""
    energies = np.linalg.eigvalsh(groups @ groups.conj().transpose(0, 2, 1))
    total = float(energies.sum())
    return float(energies[:, -1].sum()) / total if total > 0 else 1.0


def _low_resolution(kspace: Complex) -> Complex:
    """Images of the middle of k-space, where even undersampled scans have most of their lines; scaled to 1."""
    height, width = (min(size, LOW_RESOLUTION) for size in kspace.shape[1:])
    top, left = kspace.shape[1] // 2 - height // 2, kspace.shape[2] // 2 - width // 2
    middle = kspace[:, top : top + height, left : left + width]
    largest = float(np.abs(middle).max(initial=0))
    window = np.hanning(height + 2)[1:-1, None] * np.hanning(width + 2)[1:-1]
    # Below the smallest normal number a quotient may overflow.
    is_usable = np.isfinite(largest) and largest >= np.finfo(np.float32).tiny
    scaled = middle / largest if is_usable else np.zeros_like(middle)
    images: Complex = ifft2c((scaled * window).astype(np.complex64))
    return images


def planes_differ_in_sampling(planes: Complex) -> bool:
    """Whether k-space was sampled at other places from one entry to the next, as it is over time and never by coils."""
    sampled: Sequence[NDArray[np.bool_]] = [plane != 0 for plane in planes]
    union, common = np.logical_or.reduce(sampled), np.logical_and.reduce(sampled)
    return bool(np.count_nonzero(common) < 0.9 * np.count_nonzero(union))
