"""The Fourier transform of MR imaging, and the coil operator with its adjoint. Nothing else.

Axis order is ``(..., coil, y, x)``; the DC term of k-space lies at index ``N // 2``.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import fft as scipy_fft

from mrviewer.errors import ShapeError

__all__ = ["adjoint", "combine_coils", "fft2c", "forward", "ifft2c", "normalise_maps"]

ComplexArray = NDArray[np.complex64]
_IMAGE_AXES = (-2, -1)


def fft2c(image: NDArray[np.complexfloating]) -> NDArray[np.complexfloating]:
    """Centred orthonormal Fourier transform over the last two axes, image to k-space."""
    shifted = scipy_fft.ifftshift(image, axes=_IMAGE_AXES)
    transformed = scipy_fft.fft2(shifted, axes=_IMAGE_AXES, norm="ortho", overwrite_x=True)
    centred: NDArray[np.complexfloating] = scipy_fft.fftshift(transformed, axes=_IMAGE_AXES)
    return centred


def ifft2c(kspace: NDArray[np.complexfloating]) -> NDArray[np.complexfloating]:
    """Centred orthonormal inverse Fourier transform over the last two axes, k-space to image."""
    shifted = scipy_fft.ifftshift(kspace, axes=_IMAGE_AXES)
    transformed = scipy_fft.ifft2(shifted, axes=_IMAGE_AXES, norm="ortho", overwrite_x=True)
    centred: NDArray[np.complexfloating] = scipy_fft.fftshift(transformed, axes=_IMAGE_AXES)
    return centred


def combine_coils(
    coil_images: NDArray[np.complexfloating], maps: NDArray[np.complexfloating]
) -> NDArray[np.complexfloating]:
    """Merge coil images into one complex image, weighted by the coil maps: ``R(x) = sum_c conj(s_c) x_c``.

    Parameters
    ----------
    coil_images : complex, (..., coil, y, x)
        One image per coil, arbitrary units.
    maps : complex, (..., coil, y, x)
        Coil sensitivities, normalised so that ``sum_c |s_c|^2`` is 1 inside the object (`normalise_maps`).

    Returns
    -------
    complex, (..., y, x)
        The combined image, in the units of `coil_images`.

    Raises
    ------
    ShapeError
        If the coil, y and x sizes of the two arrays differ.

    References
    ----------
    Roemer PB et al. (1990), The NMR phased array, Magn Reson Med 16:192-225, doi:10.1002/mrm.1910160203.
    """
    _require_same_coils(coil_images, maps)
    combined: NDArray[np.complexfloating] = np.sum(np.conj(maps) * coil_images, axis=-3)
    return combined


def forward(
    image: NDArray[np.complexfloating],
    maps: NDArray[np.complexfloating],
    pattern: NDArray[np.bool_ | np.floating] | float = 1.0,
) -> NDArray[np.complexfloating]:
    """What the coils would measure on the mask: ``A(x) = M F(S x)``.

    Parameters
    ----------
    image : complex, (..., y, x)
    maps : complex, (..., coil, y, x)
    pattern : (y | 1, x)
        Sampling pattern with DC at the centre.

    Returns
    -------
    complex, (..., coil, y, x)
    """
    measured: NDArray[np.complexfloating] = fft2c(image[..., None, :, :] * maps) * pattern
    return measured


def adjoint(
    kspace: NDArray[np.complexfloating],
    maps: NDArray[np.complexfloating],
    pattern: NDArray[np.bool_ | np.floating] | float = 1.0,
) -> NDArray[np.complexfloating]:
    """Adjoint of `forward`: ``A^H(y) = R(F^-1(M y))``; the zero-filled image of measured k-space."""
    _require_same_coils(kspace, maps)
    return combine_coils(ifft2c(kspace * pattern), maps)


def normalise_maps(maps: NDArray[np.complexfloating], threshold: float = 1e-6) -> NDArray[np.complexfloating]:
    """Scale coil maps so that ``sum_c |s_c|^2`` is 1 where any coil is sensitive, and 0 elsewhere.

    Parameters
    ----------
    maps : complex, (..., coil, y, x)
    threshold
        Root-sum-of-squares, as a fraction of its maximum, below which no coil counts as sensitive.
    """
    rss = np.sqrt(np.sum(np.abs(maps) ** 2, axis=-3, keepdims=True))
    inside = rss > threshold * max(float(rss.max()), float(np.finfo(np.float32).tiny))
    scaled: NDArray[np.complexfloating] = np.where(inside, maps / np.where(inside, rss, 1), 0).astype(maps.dtype)
    return scaled


def _require_same_coils(data: NDArray[np.generic], maps: NDArray[np.generic]) -> None:
    if data.shape[-3:] != maps.shape[-3:]:
        raise ShapeError(
            f"coil data are {data.shape[-3:]} but maps are {maps.shape[-3:]} (coil, y, x); give maps of the same coils"
        )
