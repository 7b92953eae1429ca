"""Everything: no acceleration."""

import numpy as np

from mrviewer.mask import Mask
from mrviewer.sampling.family import MaskFamily
from mrviewer.sampling.request import MaskRequest

__all__ = ["FULL"]


def full_mask(name: str, request: MaskRequest) -> Mask:
    """Keep every line; of the request the width is read alone."""
    return Mask(np.ones((1, request.width), dtype=bool), name, acceleration=1.0)


FULL = MaskFamily(
    name="full",
    title="Fully sampled",
    dimensions=1,
    description="Every sample; acceleration, centre fraction and seed have no effect.",
    citation="Kumar A et al. (1975), NMR Fourier zeugmatography, J Magn Reson 18:69-83, "
    "doi:10.1016/0022-2364(75)90224-3",
    settings=frozenset(),
    make=full_mask,
)
