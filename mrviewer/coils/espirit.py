"""Sensitivities by ESPIRiT: the eigenvectors, pixel by pixel, of what k-space of all coils has in common.

The local neighbourhoods of k-space of several coils span a space of few dimensions. In the image, projecting onto it is
a small Hermitian matrix per pixel, which leaves the vector of sensitivities as it is: they are its eigenvector of
eigenvalue 1.

Source: Uecker M et al. (2014), ESPIRiT: an eigenvalue approach to autocalibrating parallel MRI, Magn Reson Med
71:990-1001, doi:10.1002/mrm.24751. Ours are the order of computation (the kernels are summed before they are
transformed, so that their number does not matter), the power iteration that starts at the low-resolution coil images,
and the coarse grid on which the smooth maps are computed before they are interpolated.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrviewer.coils.low_resolution import low_resolution_images
from mrviewer.errors import ShapeError

__all__ = ["DEFAULTS", "Espirit", "espirit_maps"]

ComplexArray = NDArray[np.complex64]
_CHUNK = 1 << 21
"""Elements of the matrices that are held at a time; 16 MB."""


@dataclass(frozen=True)
class Espirit:
    """Settings.

    Parameters
    ----------
    kernel
        Edge of the neighbourhoods in samples of k-space.
    threshold
        Singular values below this part of the largest are noise.
    crop
        Maps are 0 where the eigenvalue is smaller; 0 keeps them everywhere.
    iterations
        Steps of the power iteration.
    """

    kernel: int = 6
    threshold: float = 0.02
    crop: float = 0.0
    iterations: int = 30


DEFAULTS = Espirit()


def espirit_maps(
    calibration: NDArray[np.complexfloating], shape: tuple[int, int], settings: Espirit = DEFAULTS
) -> ComplexArray:
    """Estimate sensitivities from the fully sampled centre of k-space.

    Parameters
    ----------
    calibration : complex, (coil, y, x)
        Centre of k-space without gaps.
    shape : (y, x)
        Pixels of the maps.
    settings
        See `Espirit`.

    Returns
    -------
    complex64, (coil, y, x)
        ``sum_c |s_c|^2 = 1``, or 0 where cropped. The phase is that of a virtual coil, the strongest combination of
        coils.

    Raises
    ------
    ShapeError
        If the centre is smaller than the kernel.
    """
    if min(calibration.shape[1:]) < settings.kernel:
        raise ShapeError(
            f"the calibration region is {calibration.shape[1:]} (y, x), smaller than the kernel of {settings.kernel}; "
            "acquire more of the centre"
        )
    correlations = _kernel_correlations(calibration, settings)
    coarse = tuple(-(-size // _stride(size)) for size in shape)
    maps, eigenvalues = _dominant_eigenvectors(correlations, calibration, (coarse[0], coarse[1]), settings.iterations)
    maps *= _phase_of_virtual_coil(maps, calibration)
    for axis, size in enumerate(shape):
        maps = _refined(maps, axis - 2, size)
        eigenvalues = _refined(eigenvalues, axis - 2, size)
    norm = np.sqrt(np.sum(maps.real**2 + maps.imag**2, axis=0))
    inside = (eigenvalues.real >= settings.crop) & (norm > 0)
    return np.where(inside, maps / np.where(inside, norm, 1), 0).astype(np.complex64)


def _kernel_correlations(calibration: NDArray[np.complexfloating], settings: Espirit) -> ComplexArray:
    """Correlations between coils, summed over the kernels: ``(coil, coil, lag y, lag x)``, lag 0 in the middle."""
    n_coils, width = len(calibration), settings.kernel
    windows = np.lib.stride_tricks.sliding_window_view(calibration, (width, width), axis=(1, 2))
    patches = windows.transpose(1, 2, 0, 3, 4).reshape(-1, n_coils * width * width)
    # Singular vectors come from the smaller of the two matrices of inner products, which is much quicker than an SVD.
    if patches.shape[0] > patches.shape[1]:
        squares, vectors = np.linalg.eigh(patches.T @ patches.conj())
        kernels = vectors[:, squares > settings.threshold**2 * squares[-1]].T
    else:
        squares, vectors = np.linalg.eigh(patches @ patches.conj().T)
        kept = squares > settings.threshold**2 * squares[-1]
        kernels = (vectors[:, kept] / np.sqrt(squares[kept])).conj().T @ patches
    kernels = kernels.reshape(-1, n_coils, width, width)
    lags = 2 * width - 1
    spectra = np.fft.fft2(kernels, (lags, lags))
    products = np.einsum("ncyx,ndyx->cdyx", spectra, spectra.conj(), optimize=True)
    correlations = np.fft.fftshift(np.fft.ifft2(products), axes=(-2, -1)) / width**2
    return correlations.astype(np.complex64)


def _dominant_eigenvectors(
    correlations: ComplexArray, calibration: NDArray[np.complexfloating], grid: tuple[int, int], iterations: int
) -> tuple[ComplexArray, ComplexArray]:
    """Eigenvectors ``(coil, y, x)`` and eigenvalues ``(y, x)`` of the largest eigenvalue in every pixel of a grid."""
    n_coils, lags = len(calibration), correlations.shape[-1]
    by_lag = np.ascontiguousarray(correlations.transpose(2, 3, 0, 1))
    vectors = low_resolution_images(calibration, grid)
    vectors += np.abs(vectors).max() * np.float32(1e-6)
    eigenvalues = np.empty(grid, np.complex64)
    along_y, along_x = (_exponentials(size, lags) for size in grid)
    rows = max(1, _CHUNK // (n_coils * n_coils * grid[1]))
    for first in range(0, grid[0], rows):
        part = slice(first, first + rows)
        lines = (along_y[part] @ by_lag.reshape(lags, -1)).reshape(-1, lags, n_coils * n_coils)
        matrices = (along_x @ lines).reshape(-1, grid[1], n_coils, n_coils)
        vector = np.moveaxis(vectors[:, part], 0, -1)[..., None]
        for _ in range(iterations):
            vector = matrices @ (vector / _norm(vector))
        eigenvalues[part] = _norm(vector)[..., 0, 0]
        vectors[:, part] = np.moveaxis((vector / _norm(vector))[..., 0], -1, 0)
    return vectors, eigenvalues


def _phase_of_virtual_coil(maps: ComplexArray, calibration: NDArray[np.complexfloating]) -> ComplexArray:
    """Factor ``(y, x)`` of modulus 1 that takes the phase of the strongest virtual coil out of the maps."""
    samples = calibration.reshape(len(calibration), -1)
    _, directions = np.linalg.eigh(samples @ samples.conj().T)
    virtual = np.einsum("c,cyx->yx", directions[:, -1].conj(), maps)
    factor: ComplexArray = np.exp(-1j * np.angle(virtual)).astype(np.complex64)
    return factor


def _norm(vectors: ComplexArray) -> NDArray[np.float32]:
    """Length of column vectors ``(..., coil, 1)``."""
    power = np.sum(vectors.real**2 + vectors.imag**2, axis=-2, keepdims=True)
    norm: NDArray[np.float32] = np.maximum(np.sqrt(power), np.finfo(np.float32).tiny)
    return norm


def _exponentials(size: int, lags: int) -> ComplexArray:
    """``exp(2 pi i lag r / size)`` for centred pixels r of the image, ``(pixel, lag)``."""
    pixels = (np.arange(size) - size // 2) / size
    exponentials: ComplexArray = np.exp(2j * np.pi * pixels[:, None] * (np.arange(lags) - lags // 2)).astype(
        np.complex64
    )
    return exponentials


def _stride(size: int) -> int:
    """Pixels to a point of the coarse grid: sensitivities are smooth, and 96 points along an edge hold them."""
    return max(1, size // 96)


def _refined(coarse: ComplexArray, axis: int, size: int) -> ComplexArray:
    """Interpolate linearly along one axis to `size` pixels; DC at the centre of both grids."""
    count = coarse.shape[axis]
    if count == size:
        return coarse
    position = np.clip((np.arange(size) - size // 2) * (count / size) + count // 2, 0, count - 1)
    below = np.minimum(position.astype(int), count - 2)
    weight = (position - below).astype(np.float32).reshape((-1, *[1] * (-axis - 1)))
    left, right = coarse.take(below, axis), coarse.take(below + 1, axis)
    refined: ComplexArray = left * (1 - weight) + right * weight
    return refined
