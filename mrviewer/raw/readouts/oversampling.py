"""Readout oversampling, and how it is removed."""

import numpy as np
from numpy.typing import NDArray
from scipy import fft as scipy_fft

__all__ = ["crop_field_of_view", "kept_samples"]


def kept_samples(n_samples: int, encoded_mm: float, wanted_mm: float) -> int:
    """Samples that are left of a readout when its field of view is cut to the one that was wanted.

    Scanners sample readouts twice as densely as needed; only factors near a whole number or above 1.2 count as that.
    """
    if not (np.isfinite(encoded_mm) and np.isfinite(wanted_mm)) or not 0 < wanted_mm < encoded_mm:
        return n_samples
    ratio = encoded_mm / wanted_mm
    return max(1, round(n_samples / ratio)) if 1.2 < ratio <= 8 else n_samples


def crop_field_of_view(kspace: NDArray[np.complexfloating], axis: int, n_kept: int) -> NDArray[np.complexfloating]:
    """Cut the field of view along one axis to its middle: fewer samples of k-space, farther apart.

    The energy of what is left is kept: transforms are orthonormal.

    Parameters
    ----------
    kspace : complex
        DC at index ``N // 2`` of `axis`.
    axis
        Readout.
    n_kept
        Samples after it.
    """
    size = kspace.shape[axis]
    if n_kept >= size:
        return kspace
    image = scipy_fft.ifft(scipy_fft.ifftshift(kspace, axes=axis), axis=axis, norm="ortho", overwrite_x=True)
    image = scipy_fft.fftshift(image, axes=axis)
    start = size // 2 - n_kept // 2
    middle = np.take(image, np.arange(start, start + n_kept), axis=axis)
    cropped = scipy_fft.fft(scipy_fft.ifftshift(middle, axes=axis), axis=axis, norm="ortho", overwrite_x=True)
    shifted: NDArray[np.complexfloating] = scipy_fft.fftshift(cropped, axes=axis)
    return shifted
