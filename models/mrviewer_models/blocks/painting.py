"""Lesions of other patients painted into a real scan, as bright as real ones are."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["paint_lesions_into"]

_GAINS = (0.15, 0.6)
"""Of a lesion against the tissue around it. Real lesions gain a third in the median, faint ones an eighth."""
_BRIGHT = 1.3
"""Where a scan is brighter than so many times its white matter already (its own lesions), nothing is added."""
_FLUID = 0.6
_EDGE_VOXELS = (0.3, 1.0)
_UNEVEN, _PATCH_VOXELS = 0.35, 4.0
"""Share by which the gain goes up and down inside a lesion, and over what distance: confluent ones are not even."""


def paint_lesions_into(
    volume: NDArray[np.float32], lesions: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Brighten the components of a mask in a FLAIR image, each by a gain of its own, with soft edges.

    Parameters
    ----------
    volume : float32, (z, y, x)
        White matter at 1, see `white_matter_level`.
    lesions : bool, (z, y, x)
        Where to paint; fluid and air are left alone.
    rng
        Draws the gains and the softness of the edges.

    Returns
    -------
    volume, lesions : (z, y, x)
        The painted image, and where lesions were painted.
    """
    lesions = lesions & (volume > _FLUID)
    components, count = ndimage.label(lesions, np.ones((3, 3, 3)))
    if not count:
        return volume, lesions
    gains = np.concatenate([[0.0], rng.uniform(*_GAINS, count)]).astype(np.float32)
    gain = ndimage.maximum_filter(gains[components], 3) * (1 + _UNEVEN * _patches(volume.shape, rng))
    part = ndimage.gaussian_filter(lesions.astype(np.float32), rng.uniform(*_EDGE_VOXELS))
    tissue = np.clip(ndimage.gaussian_filter(volume, 1.5), 0.7, 1.2)
    return volume + part * gain * tissue * (volume < _BRIGHT), lesions


def _patches(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    """Smooth field between about -1 and 1."""
    points = [max(int(np.ceil(size / _PATCH_VOXELS)), 1) for size in shape]
    field = rng.uniform(-1, 1, points).astype(np.float32)
    even: NDArray[np.float32] = ndimage.zoom(
        field, np.divide(shape, points), order=1, output=np.float32, grid_mode=True, mode="nearest"
    )
    return even
