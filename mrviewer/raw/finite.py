"""K-space without the samples that are NaN or infinite."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["finite_samples"]


def finite_samples(kspace: NDArray[np.complex64]) -> NDArray[np.complex64]:
    """K-space with 0 for what is not finite; the array itself if all is."""
    # The energy is not finite if a sample is not, and much quicker to compute than the flags of all samples.
    samples = kspace.ravel()
    with np.errstate(over="ignore", invalid="ignore"):
        energy = np.vdot(samples, samples).real
    if np.isfinite(energy) or np.isfinite(kspace).all():
        return kspace
    return np.where(np.isfinite(kspace), kspace, np.complex64(0))
