"""Gaussian lines: the closer to the centre, the more likely."""

import numpy as np
from numpy.typing import NDArray

from mrviewer.sampling.center import central_lines
from mrviewer.sampling.family import MaskFamily
from mrviewer.sampling.request import MaskRequest
from mrviewer.sampling.weighted_draw import GAUSSIAN_DEVIATION, add_weighted_draws

__all__ = ["GAUSSIAN_1D"]


def draw_gaussian_lines(request: MaskRequest) -> NDArray[np.bool_]:
    """Keep the central lines and draw outer ones with Gaussian density, exactly ``round(W / R)`` in all.

    Returns
    -------
    bool, (1, x)
    """
    width = request.width
    x = (np.arange(width) - width // 2) / (width / 2)
    log_weight = -0.5 * (x / GAUSSIAN_DEVIATION) ** 2
    return add_weighted_draws(central_lines(request), log_weight, request.n_lines, request.generator())[None]


GAUSSIAN_1D = MaskFamily(
    name="gaussian-1d",
    title="Gaussian lines",
    dimensions=1,
    description="Whole lines: a full centre, and outer lines drawn with a Gaussian density of 35 % of the axis at half "
    "maximum.",
    citation="Schlemper J et al. (2018), A deep cascade of convolutional neural networks for dynamic MR image "
    "reconstruction, IEEE Trans Med Imaging 37:491-503, doi:10.1109/TMI.2017.2760978",
    draw=draw_gaussian_lines,
    training_share=0.08,
)
