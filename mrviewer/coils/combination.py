"""From coil images to one image."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["root_sum_of_squares"]


def root_sum_of_squares(coil_images: NDArray[np.complexfloating]) -> NDArray[np.floating]:
    """Magnitude without sensitivities: ``sqrt(sum_c |x_c|^2)``.

    Noise is folded to positive values, so that air is not dark; `mrviewer.physics.adjoint` knows better where
    maps are known.

    Parameters
    ----------
    coil_images : complex, (..., coil, y, x)

    Returns
    -------
    float, (..., y, x)
        In the units and the precision of `coil_images`.

    References
    ----------
    Roemer PB et al. (1990), The NMR phased array, Magn Reson Med 16:192-225, doi:10.1002/mrm.1910160203.
    """
    power = np.sum(coil_images.real**2 + coil_images.imag**2, axis=-3)
    root: NDArray[np.floating] = np.sqrt(power)
    return root
