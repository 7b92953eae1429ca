"""From coil images to one image."""

import numpy as np
from numpy.typing import NDArray

from mrviewer.physics import combine_coils

__all__ = ["root_sum_of_squares", "sense_combine"]


def root_sum_of_squares(coil_images: NDArray[np.complexfloating]) -> NDArray[np.floating]:
    """Magnitude without sensitivities: ``sqrt(sum_c |x_c|^2)``.

    Noise is folded to positive values, so that air is not dark; `sense_combine` knows better where maps are known.

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


def sense_combine(
    coil_images: NDArray[np.complexfloating], maps: NDArray[np.complexfloating], noise: float = 0.0
) -> NDArray[np.complexfloating]:
    """Least-squares image of whitened coil images: ``sum_c conj(s_c) x_c / (sum_c |s_c|^2 + noise)``.

    Parameters
    ----------
    coil_images, maps : complex, (..., coil, y, x)
        The maps need not be normalised.
    noise
        Added to the denominator, relative to its maximum, against the amplification of noise where no coil sees much.

    Returns
    -------
    complex, (..., y, x)
        0 where no coil is sensitive.

    Raises
    ------
    ShapeError
        If the coil, y and x sizes of the two arrays differ.

    References
    ----------
    Pruessmann KP et al. (1999), SENSE: sensitivity encoding for fast MRI, Magn Reson Med 42:952-962,
    doi:10.1002/(SICI)1522-2594(199911)42:5<952::AID-MRM16>3.0.CO;2-S; here without acceleration.
    """
    combined = combine_coils(coil_images, maps)
    power = np.sum(maps.real**2 + maps.imag**2, axis=-3)
    denominator = power + noise * power.max(initial=0.0)
    image: NDArray[np.complexfloating] = np.divide(
        combined, denominator, out=np.zeros_like(combined), where=denominator > 0
    )
    return image
