"""Everything: no acceleration."""

import numpy as np
from numpy.typing import NDArray

from mrviewer.sampling.family import MaskFamily
from mrviewer.sampling.request import MaskRequest

__all__ = ["FULL"]


def draw_full(request: MaskRequest) -> NDArray[np.bool_]:
    """Keep every line, whatever rate was asked for.

    Returns
    -------
    bool, (1, x)
    """
    return np.ones((1, request.width), dtype=bool)


FULL = MaskFamily(
    name="full",
    title="Fully sampled",
    dimensions=1,
    description="Every sample; acceleration, centre fraction and seed have no effect.",
    citation="Kumar A et al. (1975), NMR Fourier zeugmatography, J Magn Reson 18:69-83, "
    "doi:10.1016/0022-2364(75)90224-3",
    draw=draw_full,
)
