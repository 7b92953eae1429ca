"""What the coils see, to look at."""

import numpy as np
from numpy.typing import NDArray

from mrviewer.physics import ifft2c
from mrviewer.study import RawData

__all__ = ["coil_images", "coil_maps"]


def coil_images(raw: RawData, index: int) -> NDArray[np.complex64]:
    """Image of every coil ``(coil, y, x)``, in the units of k-space; zero-filled where the scan was undersampled."""
    return ifft2c(raw.kspace(index)).astype(np.complex64, copy=False)


def coil_maps(raw: RawData, index: int) -> NDArray[np.complex64]:
    """Sensitivities ``(coil, y, x)``, 0 in air: where the combined image is below a hundredth of its maximum."""
    maps = raw.coil_maps(index)
    power = np.sum(np.abs(coil_images(raw, index)) ** 2, axis=0)
    seen = power >= 1e-4 * power.max(initial=0.0)
    return np.where(seen, maps, 0).astype(np.complex64)
