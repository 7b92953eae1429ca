"""Mask families by name, and the one function that makes a mask of any of them."""

from functools import lru_cache
from typing import Any

import numpy as np

from mrviewer.errors import UnknownNameError
from mrviewer.mask import Mask
from mrviewer.sampling.equispaced import EQUISPACED
from mrviewer.sampling.family import MaskFamily, MaskSetting
from mrviewer.sampling.full import FULL
from mrviewer.sampling.gaussian_1d import GAUSSIAN_1D
from mrviewer.sampling.gaussian_2d import GAUSSIAN_2D
from mrviewer.sampling.learned import LEARNED_LINES, LEARNED_SAMPLES
from mrviewer.sampling.mask_file import FILE
from mrviewer.sampling.poisson import POISSON
from mrviewer.sampling.radial import RADIAL
from mrviewer.sampling.random_lines import RANDOM
from mrviewer.sampling.request import MaskRequest
from mrviewer.sampling.spiral import SPIRAL

__all__ = ["family_of", "make_mask", "mask_families"]

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
    """All families but `FILE`, in the order in which the user should see them."""
    return tuple(_FAMILIES.values())


def family_of(name: str) -> MaskFamily:
    """Return the family that a mask of a name belongs to; see `make_mask`.

    Raises
    ------
    UnknownNameError
        If there is no such family.
    """
    for family in (*_FAMILIES.values(), FILE):
        if family.matches(name):
            return family
    raise UnknownNameError(
        f"there is no mask {name!r}; choose one of {', '.join(_FAMILIES)} or {FILE.named(FILE.argument)}"
    )


def make_mask(
    name: str, shape: tuple[int, int], acceleration: float = 4.0, center_fraction: float = 0.08, seed: int = 0
) -> Mask:
    """Make the mask of a name.

    Parameters
    ----------
    name
        Of a family (`mask_families`), or ``file:PATH`` (`load_mask`). A learned family may name its method,
        ``learned:METHOD``.
    shape : (y, x)
        Size of k-space; lines run along y.
    acceleration
        All samples divided by acquired samples, 1 or more. Line families acquire exactly ``round(x / R)`` lines and the
        others exactly ``round(y x / R)`` samples, but for `radial`, which acquires whole spokes.
    center_fraction
        What is always acquired around DC, 0 to 1: for line families ``round(f x)`` lines, else an ellipse with
        diameters ``f y`` and ``f x``, which is ``0.785 f^2`` of k-space.
    seed
        Seed of the random draw; the same seed gives the same mask. Of these three settings those that the family does
        not read (`MaskFamily.settings`) have no effect.

    Raises
    ------
    UnknownNameError
        If there is no such family.
    MaskError
        If no such mask exists: a size below 2, a rate below 1 or one that leaves nothing, a centre larger than the rate
        allows, or a file that holds no mask for this shape.
    """
    family = family_of(name)
    height, width = shape
    given: dict[MaskSetting, Any] = {
        MaskSetting.ACCELERATION: float(acceleration),
        MaskSetting.CENTER_FRACTION: float(center_fraction),
        MaskSetting.SEED: int(seed),
    }
    request = MaskRequest(int(height), int(width), **{one.value: given[one] for one in family.settings})
    return _draw(family, request) if family.make is None else family.make(name, request)


@lru_cache(maxsize=128)
def _draw(family: MaskFamily, request: MaskRequest) -> Mask:
    """Draw a mask once for each request; a slider that is dragged comes back to the same ones."""
    assert family.draw is not None
    if request.acceleration == 1:
        shape = (1 if family.dimensions == 1 else request.height, request.width)
        pattern = np.ones(shape, dtype=bool)
    else:
        pattern = family.draw(request)
    return Mask(
        pattern,
        family.name,
        request.acceleration if MaskSetting.ACCELERATION in family.settings else None,
        request.center_fraction if MaskSetting.CENTER_FRACTION in family.settings else None,
        request.seed if MaskSetting.SEED in family.settings else None,
    )
