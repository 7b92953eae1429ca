"""Coil images from the centre of k-space alone."""

import numpy as np
from numpy.typing import NDArray

from mrviewer.physics import ifft2c

__all__ = ["low_resolution_images"]


def low_resolution_images(calibration: NDArray[np.complexfloating], shape: tuple[int, int]) -> NDArray[np.complex64]:
    """Coil images of the windowed centre of k-space.

    Parameters
    ----------
    calibration : complex, (coil, y, x)
        Centre of k-space, DC at index ``N // 2``. On a smaller grid than it has samples its edge is left out.
    shape : (y, x)
        Pixels of the images.

    Returns
    -------
    complex64, (coil, y, x)
        On the same field of view; a Hann window keeps them from ringing.
    """
    kept = tuple(min(has, wanted) for has, wanted in zip(calibration.shape[1:], shape, strict=True))
    inner = tuple(
        slice(has // 2 - size // 2, has // 2 - size // 2 + size)
        for has, size in zip(calibration.shape[1:], kept, strict=True)
    )
    window = np.hanning(kept[0] + 2)[1:-1, None] * np.hanning(kept[1] + 2)[1:-1]
    padded = np.zeros((len(calibration), *shape), np.complex64)
    outer = tuple(
        slice(size // 2 - width // 2, size // 2 - width // 2 + width) for size, width in zip(shape, kept, strict=True)
    )
    padded[:, outer[0], outer[1]] = calibration[:, inner[0], inner[1]] * window
    return ifft2c(padded).astype(np.complex64, copy=False)
