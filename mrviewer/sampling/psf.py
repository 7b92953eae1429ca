"""The point spread function of a mask: how one bright pixel looks in the zero-filled image."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mrviewer.errors import MaskError, ShapeError
from mrviewer.mask import Mask
from mrviewer.physics import ifft2c

__all__ = ["peak_side_lobe", "point_spread_function"]


def point_spread_function(mask: Mask, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Magnitude of the inverse Fourier transform of the pattern.

    Parameters
    ----------
    mask
        Must fit `shape`.
    shape : (y, x)
        Size of the image.

    Returns
    -------
    float32, (y, x)
        1 at the centre ``(y // 2, x // 2)`` and nowhere larger.

    Raises
    ------
    ShapeError
        If mask and shape differ in size.
    MaskError
        If the mask acquires nothing.

    References
    ----------
    Lustig M et al. (2007), Sparse MRI, Magn Reson Med 58:1182-1195, doi:10.1002/mrm.21391.
    """
    height, width = shape
    pattern = mask.pattern
    if pattern.shape not in ((1, width), (height, width)):
        raise ShapeError(f"the mask is {pattern.shape} but the image is {(height, width)} (y, x); make a mask to fit")
    if not pattern.any():
        raise MaskError(
            "the mask acquires nothing, so that it has no point spread function; acquire one sample or more"
        )
    spread = np.abs(ifft2c(pattern.astype(np.complex64)))
    spread /= spread[pattern.shape[0] // 2, width // 2]
    if not mask.is_line_mask:
        return np.asarray(spread, dtype=np.float32)
    # Whole lines along y blur nothing along y: their transform is a single row.
    image = np.zeros((height, width), np.float32)
    image[height // 2] = spread[0]
    return image


def peak_side_lobe(spread: NDArray[np.float32]) -> float:
    """Height of the highest peak of a point spread function besides the central one, 0 to 1.

    A peak is a pixel as high as its eight neighbours or higher, opposite edges being neighbours. The slopes of the
    central peak do not count, whatever its width; high side lobes are ghosts, and many low ones look like noise.

    Parameters
    ----------
    spread : float32, (y, x)
        From `point_spread_function`.
    """
    peaks = spread >= ndimage.maximum_filter(spread, size=3, mode="wrap")
    peaks[spread.shape[0] // 2, spread.shape[1] // 2] = False
    return float(spread[peaks].max(initial=0.0))
