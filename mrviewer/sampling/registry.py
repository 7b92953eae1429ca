"""Mask families by name, and the one function that makes a mask of any of them."""

from functools import lru_cache

import numpy as np

from mrviewer.errors import UnknownNameError
from mrviewer.sampling.equispaced import EQUISPACED
from mrviewer.sampling.family import MaskFamily
from mrviewer.sampling.full import FULL
from mrviewer.sampling.gaussian_1d import GAUSSIAN_1D
from mrviewer.sampling.gaussian_2d import GAUSSIAN_2D
from mrviewer.sampling.learned import LEARNED_LINES, LEARNED_SAMPLES, is_learned, learned_mask
from mrviewer.sampling.mask import Mask
from mrviewer.sampling.mask_file import load_mask
from mrviewer.sampling.poisson import POISSON
from mrviewer.sampling.radial import RADIAL
from mrviewer.sampling.random_lines import RANDOM
from mrviewer.sampling.request import MaskRequest
from mrviewer.sampling.spiral import SPIRAL

__all__ = ["make_mask", "mask_families"]

FILE_PREFIX = "file:"

_FAMILIES = {
    family.name: family
    for family in (
        RANDOM,
        EQUISPACED,
        GAUSSIAN_1D,
        GAUSSIAN_2D,
        POISSON,
        RADIAL,
        SPIRAL,
        LEARNED_LINES,
        LEARNED_SAMPLES,
        FULL,
    )
}


def mask_families() -> tuple[MaskFamily, ...]:
    """All families, in the order in which a person should see them."""
    return tuple(_FAMILIES.values())


def make_mask(
    name: str, shape: tuple[int, int], acceleration: float = 4.0, center_fraction: float = 0.08, seed: int = 0
) -> Mask:
    """Make the mask of a name.

    Parameters
    ----------
    name
        Of a family (`mask_families`), or ``file:PATH`` (`load_mask`); a file ignores all but the shape. A learned
        family may name its method, ``learned:METHOD``.
    shape : (y, x)
        Size of k-space; lines run along y.
    acceleration
        All samples divided by acquired samples, 1 or more. Line families acquire exactly ``round(x / R)`` lines and the
        others exactly ``round(y x / R)`` samples, but for `radial`, which acquires whole spokes.
    center_fraction
        What is always acquired around DC, 0 to 1: for line families ``round(f x)`` lines, else an ellipse with
        diameters ``f y`` and ``f x``, which is ``0.785 f^2`` of k-space. Learned families ignore it and the seed,
        `full` the rate, too.
    seed
        Seed of the random draw; the same seed gives the same mask.

    Raises
    ------
    UnknownNameError
        If there is no such family.
    MaskError
        If no such mask exists: a size below 2, a rate below 1 or one that leaves nothing, a centre larger than the rate
        allows, or a file that holds no mask for this shape.
    """
    if name.startswith(FILE_PREFIX):
        return load_mask(name.removeprefix(FILE_PREFIX), shape)
    if name not in _FAMILIES and not is_learned(name):
        raise UnknownNameError(f"there is no mask {name!r}; choose one of {', '.join(_FAMILIES)} or file:PATH")
    height, width = shape
    request = MaskRequest(int(height), int(width), float(acceleration), float(center_fraction), int(seed))
    return learned_mask(name, request) if is_learned(name) else _draw(name, request)


@lru_cache(maxsize=128)
def _draw(name: str, request: MaskRequest) -> Mask:
    """Draw a mask once for each request; a slider that is dragged comes back to the same ones."""
    if name == FULL.name:
        return Mask(FULL.draw(request), name, acceleration=1.0)
    if request.acceleration == 1:
        shape = (1 if _FAMILIES[name].dimensions == 1 else request.height, request.width)
        pattern = np.ones(shape, dtype=bool)
    else:
        pattern = _FAMILIES[name].draw(request)
    return Mask(pattern, name, request.acceleration, request.center_fraction, request.seed)
