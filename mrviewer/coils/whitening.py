"""Noise alike in all coils: whitening by a noise scan."""

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import ShapeError

__all__ = ["noise_covariance", "whiten", "whitening_matrix"]


def noise_covariance(noise: NDArray[np.complexfloating]) -> NDArray[np.complex128]:
    """Covariance of the noise of the coils, ``Psi = N N^H / (n - 1)``.

    Parameters
    ----------
    noise : complex, (coil, sample)
        A scan without excitation.

    Returns
    -------
    complex128, (coil, coil)

    Raises
    ------
    ShapeError
        If there are fewer samples than coils, which leaves the covariance undetermined.
    """
    n_coils, n_samples = noise.shape
    if n_samples <= n_coils:
        raise ShapeError(
            f"the noise scan has {n_samples} samples of {n_coils} coils; more samples than coils are needed"
        )
    centred = noise.astype(np.complex128)
    centred -= centred.mean(axis=1, keepdims=True)
    covariance: NDArray[np.complex128] = centred @ centred.conj().T / (n_samples - 1)
    return covariance


def whitening_matrix(
    covariance: NDArray[np.complexfloating], bandwidth_ratio: float = 1.0
) -> NDArray[np.complex64] | None:
    """Matrix that turns the noise of an image scan into independent noise of variance 1 in every coil.

    ``W = L^-1 / sqrt(bandwidth_ratio)`` with the Cholesky factor ``Psi = L L^H``.

    Parameters
    ----------
    covariance : complex, (coil, coil)
        Hermitian, from `noise_covariance`.
    bandwidth_ratio
        Variance of the noise of the image scan over that of the noise scan. It grows with the bandwidth: dwell time of
        the noise scan, divided by that of the image scan and by the relative noise bandwidth of the receiver.

    Returns
    -------
    complex64, (coil, coil)
        `None` if the covariance is singular, as with a coil that is switched off.

    References
    ----------
    Kellman P, McVeigh ER (2005), Image reconstruction in SNR units, Magn Reson Med 54:1439-1447, doi:10.1002/mrm.20713.
    """
    scale = float(np.trace(covariance).real) / len(covariance)
    if not np.isfinite(covariance).all() or scale <= 0 or np.linalg.cond(covariance) > 1e12:
        return None
    factor = np.linalg.cholesky(covariance * bandwidth_ratio)
    return np.linalg.inv(factor).astype(np.complex64)


def whiten(samples: NDArray[np.complexfloating], matrix: NDArray[np.complexfloating]) -> NDArray[np.complexfloating]:
    """Apply a whitening matrix to ``(coil, ...)`` samples."""
    if samples.shape[0] != matrix.shape[1]:
        raise ShapeError(f"the data have {samples.shape[0]} coils but the noise scan had {matrix.shape[1]}; do not mix")
    mixed = matrix @ samples.reshape(samples.shape[0], -1)
    white: NDArray[np.complexfloating] = mixed.reshape(samples.shape)
    return white
