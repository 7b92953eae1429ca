"""From probabilities to one brain: a piece without holes, and all of a brain that somebody cut out before."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mrviewer.metrics.components import find_components

__all__ = ["is_cut_out", "one_piece"]

BoolArray = NDArray[np.bool_]
_CUT_OUT_SHARE = 0.7
_ZERO_SHARE = 0.2
_BRIDGE = ndimage.generate_binary_structure(3, 1)


def one_piece(mask: BoolArray) -> BoolArray:
    """Largest piece of a mask ``(z, y, x)`` without holes; what hangs on it by a thread is let go."""
    if not mask.any():
        return mask
    core = _largest(ndimage.binary_erosion(mask, _BRIDGE, border_value=1))
    if not core.any():
        core = _largest(mask)
    # Twice, because a voxel that touches the core by a corner alone is two steps of this neighbourhood away.
    grown = ndimage.binary_dilation(core, _BRIDGE, iterations=2, mask=mask)
    return _filled(grown)


def is_cut_out(volume: NDArray[np.generic], inside: BoolArray) -> BoolArray | None:
    """Where a volume is not 0, if that is little more than the brain in it: a brain that was cut out before.

    Parameters
    ----------
    volume : (z, y, x)
        As it was given.
    inside
        The brain as the network sees it.

    Returns
    -------
    (z, y, x)
        Without holes; `None` for a whole head, or where hardly anything is exactly 0.
    """
    there = np.isfinite(volume) & (volume != 0)
    if there.all() or 1 - there.mean() < _ZERO_SHARE or not inside.any():
        return None
    piece = _filled(_largest(there))
    is_brain = np.count_nonzero(piece & inside) > _CUT_OUT_SHARE * np.count_nonzero(piece)
    return piece if is_brain else None


def _largest(mask: BoolArray) -> BoolArray:
    components = find_components(mask)
    if components.n_components < 2:
        return mask
    largest = np.zeros(mask.shape, bool)
    largest[tuple(components.voxels[:, components.ids == 1])] = True
    return largest


def _filled(mask: BoolArray) -> BoolArray:
    filled: BoolArray = ndimage.binary_fill_holes(mask)
    return filled
