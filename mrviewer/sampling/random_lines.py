"""Random lines: the centre, and any other line with the same chance."""

import numpy as np
from numpy.typing import NDArray

from mrviewer.sampling.center import central_lines
from mrviewer.sampling.family import MaskFamily
from mrviewer.sampling.request import MaskRequest

__all__ = ["RANDOM"]


def draw_random_lines(request: MaskRequest) -> NDArray[np.bool_]:
    """Keep the central lines and draw outer ones without replacement, exactly ``round(W / R)`` in all.

    The fastMRI mask draws each outer line by itself, so that its count varies; here the count is exact, and a higher
    acceleration with the same seed keeps a part of the same lines.

    Returns
    -------
    bool, (1, x)
    """
    lines = central_lines(request)
    outer = request.generator().permutation(np.flatnonzero(~lines))
    lines[outer[: request.n_lines - np.count_nonzero(lines)]] = True
    return lines[None]


RANDOM = MaskFamily(
    name="random",
    title="Random lines",
    dimensions=1,
    description="Whole lines: a full centre, and outer lines drawn with equal chance.",
    citation="Lustig M et al. (2007), Sparse MRI, Magn Reson Med 58:1182-1195, doi:10.1002/mrm.21391",
    draw=draw_random_lines,
    training_share=0.66,
)
