"""Sensitivities of one slice from its own k-space."""

import numpy as np
from numpy.typing import NDArray

from mrviewer.coils.calibration import calibration_region
from mrviewer.coils.espirit import DEFAULTS, Espirit, espirit_maps
from mrviewer.coils.low_resolution import low_resolution_images
from mrviewer.physics import combine_coils, normalise_maps

__all__ = ["estimate_maps"]

SMALLEST_EDGE = 8
"""A centre with fewer samples than this along an edge has too few neighbourhoods for the kernels of ESPIRiT."""


def estimate_maps(
    kspace: NDArray[np.complexfloating],
    acquired: NDArray[np.bool_] | None = None,
    calibration: NDArray[np.complexfloating] | None = None,
    settings: Espirit = DEFAULTS,
) -> NDArray[np.complex64]:
    """Sensitivities by ESPIRiT from the centre of k-space, or by low-resolution images where that is too small.

    A sensitivity is known up to a phase that all coils share in a pixel. It is chosen so that the low-resolution image
    is real and positive: what methods then see is nearly real, as the images are that networks were trained on.

    Parameters
    ----------
    kspace : complex, (coil, y, x)
        DC at the centre.
    acquired : bool, (y | 1, x)
        Acquired samples; `None` for all.
    calibration : complex, (coil, y, x)
        Centre of k-space from a scan of its own; by default that of `kspace`.
    settings
        Of ESPIRiT.

    Returns
    -------
    complex64, (coil, y, x)
        ``sum_c |s_c|^2 = 1`` in every pixel, also in air, so that nothing of the image is lost.
    """
    n_coils, height, width = kspace.shape
    if calibration is None:
        rows, columns = calibration_region(acquired, (height, width))
        calibration = kspace[:, rows, columns]
    calibration = np.where(np.isfinite(calibration), calibration, 0)
    if calibration.size == 0 or not np.any(calibration):
        return np.full(kspace.shape, 1 / np.sqrt(n_coils), np.complex64)
    # Kernels of data that are all very small would fall below the precision of single floats when squared,
    # those that are very large above its range; what is not finite counts as 0.
    scaled = (calibration / np.abs(calibration.astype(np.complex128)).max()).astype(np.complex64)
    images = low_resolution_images(scaled, (height, width))
    if n_coils == 1:
        maps = np.ones((1, height, width), np.complex64)
    elif min(scaled.shape[1:]) < max(SMALLEST_EDGE, settings.kernel):
        maps = normalise_maps(images)
    else:
        maps = espirit_maps(scaled, (height, width), settings)
    phase = np.exp(1j * np.angle(combine_coils(images, maps))).astype(np.complex64)
    aligned: NDArray[np.complex64] = maps * phase
    return aligned
