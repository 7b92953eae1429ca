"""Fast iterative shrinkage-thresholding for l1-wavelet compressed sensing with coils."""

from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray
from scipy import fft as scipy_fft

from mrviewer.physics import adjoint
from mrviewer_models.cs_wavelet.options import Options
from mrviewer_models.cs_wavelet.wavelet import padded_shape, shrink_details, usable_levels

__all__ = ["data_gradient", "solve"]


def solve(
    kspace: NDArray[np.complex64], maps: NDArray[np.complex64], pattern: NDArray[np.bool_], options: Options
) -> Generator[int, None, NDArray[np.complex64]]:
    """Minimise ``1/2 ||M F S x - y||^2 + lambda ||W x||_1`` over one slice; yield the number of finished iterations.

    ``W`` takes the detail coefficients only. A step length of 1 is safe: the Fourier transform is orthonormal and the
    coil maps are normalised, so the gradient is 1-Lipschitz. Where a slice is no multiple of ``2**levels`` the unknown
    is the slice with a margin that the scan does not see, so that ``W`` stays orthonormal. Our addition to FISTA: with
    `Options.shift_seed` every iteration shifts the wavelet grid at random and averages the penalty's proximal map over
    two neighbouring shifts (cycle spinning). The shifts are drawn alike for every slice.

    Parameters
    ----------
    kspace : complex64, (coil, y, x)
        Zero where nothing was acquired, DC at the centre.
    maps : complex64, (coil, y, x)
        Normalised sensitivities.
    pattern : bool, (y | 1, x)
        Acquired samples, DC at the centre.
    options
        Penalty, wavelet and number of iterations.

    Returns
    -------
    complex64, (y, x)
        In the units of the zero-filled image.

    References
    ----------
    Lustig M, Donoho D, Pauly JM (2007), Sparse MRI, Magn Reson Med 58:1182-1195, doi:10.1002/mrm.21391.
    Beck A, Teboulle M (2009), A fast iterative shrinkage-thresholding algorithm for linear inverse problems, SIAM J
    Imaging Sci 2:183-202, doi:10.1137/080716542.
    """
    height, width = kspace.shape[-2:]
    inside = np.s_[:height, :width]
    zero_filled = adjoint(kspace, maps, pattern).astype(np.complex64, copy=False)
    threshold = options.relative_lambda * float(np.abs(zero_filled).max())
    levels = usable_levels((height, width), options.wavelet, options.levels)
    estimate = np.zeros(padded_shape((height, width), levels), np.complex64)
    estimate[inside] = zero_filled
    corner_pattern = scipy_fft.ifftshift(pattern.astype(np.float32))
    shifts = _shifts(options, 2**levels)
    extrapolated, momentum = estimate, 1.0
    for iteration in range(options.iterations):
        descended = extrapolated.copy()
        descended[inside] -= data_gradient(extrapolated[inside], zero_filled, maps, corner_pattern)
        shrunk = [shrink_details(descended, threshold, options.wavelet, levels, shift) for shift in shifts[iteration]]
        previous, estimate = estimate, np.mean(shrunk, axis=0) if len(shrunk) > 1 else shrunk[0]
        next_momentum = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        extrapolated = estimate + np.float32((momentum - 1) / next_momentum) * (estimate - previous)
        momentum = next_momentum
        yield iteration + 1
    return estimate[inside]


def data_gradient(
    image: NDArray[np.complex64],
    zero_filled: NDArray[np.complex64],
    maps: NDArray[np.complex64],
    corner_pattern: NDArray[np.float32],
) -> NDArray[np.complex64]:
    """Gradient of the data term, ``A^H A x - A^H y``.

    ``F^H M F`` is a cyclic convolution, so it needs no shifts when DC of the pattern is in the corner; and if whole
    lines are acquired the transform along y cancels.

    Parameters
    ----------
    image, zero_filled : complex64, (y, x)
        The estimate ``x``, and ``A^H y``.
    maps : complex64, (coil, y, x)
        Normalised sensitivities.
    corner_pattern : float32, (y | 1, x)
        Sampling pattern with DC at index 0.

    Returns
    -------
    complex64, (y, x)
    """
    axes = (-1,) if corner_pattern.shape[0] == 1 else (-2, -1)
    coil_kspace = scipy_fft.fftn(image * maps, axes=axes, norm="ortho", overwrite_x=True)
    coil_kspace *= corner_pattern
    coil_images = scipy_fft.ifftn(coil_kspace, axes=axes, norm="ortho", overwrite_x=True)
    gradient: NDArray[np.complex64] = np.einsum("cyx,cyx->yx", np.conj(maps), coil_images) - zero_filled
    return gradient


def _shifts(options: Options, period: int) -> list[list[tuple[int, int]]]:
    """Shifts of the wavelet grid that each iteration averages over."""
    if options.shift_seed is None:
        return [[(0, 0)]] * options.iterations
    drawn = np.random.default_rng(options.shift_seed).integers(0, period, (options.iterations, 2))
    return [[(int(down), int(right)), (int(down) + 1, int(right) + 1)] for down, right in drawn]
