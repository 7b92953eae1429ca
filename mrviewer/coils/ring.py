"""Simulated sensitivities: a receive array around the head."""

import numpy as np
from numpy.typing import NDArray

from mrviewer.physics import normalise_maps

__all__ = ["ring_coil_maps"]


def ring_coil_maps(shape: tuple[int, int], n_coils: int, *, radius: float = 1.25) -> NDArray[np.complex64]:
    """Sensitivities of coils evenly spaced on a ring around the image, like an idealised birdcage array.

    Each falls off with the distance from its coil and turns in phase around it:
    ``s_c(r) = exp(i arg(r - r_c)) / |r - r_c|``, then normalised so that ``sum_c |s_c|^2 = 1``.

    Parameters
    ----------
    shape : (y, x)
        Pixels.
    n_coils
        Number of coils.
    radius
        Of the ring, in units of half the longer image edge.

    Returns
    -------
    complex64, (coil, y, x)

    References
    ----------
    Roemer PB et al. (1990), The NMR phased array, Magn Reson Med 16:192-225, doi:10.1002/mrm.1910160203.
    """
    half = max(shape) / 2
    y = ((np.arange(shape[0]) - shape[0] / 2) / half)[:, None]
    x = ((np.arange(shape[1]) - shape[1] / 2) / half)[None, :]
    angles = 2 * np.pi * np.arange(n_coils) / n_coils
    offset = np.stack([(x - radius * np.cos(a)) + 1j * (y - radius * np.sin(a)) for a in angles])
    # The coil's own direction is taken out of the phase, so that coils do not cancel in the middle.
    phase = np.exp(1j * (np.angle(offset) - angles[:, None, None]))
    return normalise_maps((phase / np.abs(offset)).astype(np.complex64))
