"""Gaussian samples: the closer to the centre, the more likely."""

import numpy as np
from numpy.typing import NDArray

from mrviewer.sampling.center import central_ellipse, normalised_radius
from mrviewer.sampling.family import MaskFamily
from mrviewer.sampling.request import MaskRequest
from mrviewer.sampling.weighted_draw import GAUSSIAN_DEVIATION, add_weighted_draws

__all__ = ["GAUSSIAN_2D"]


def draw_gaussian_samples(request: MaskRequest) -> NDArray[np.bool_]:
    """Keep the central ellipse and draw outer samples with Gaussian density, exactly ``round(H W / R)`` in all.

    Returns
    -------
    bool, (y, x)
    """
    log_weight = -0.5 * (normalised_radius(request.height, request.width) / GAUSSIAN_DEVIATION) ** 2
    return add_weighted_draws(central_ellipse(request), log_weight, request.n_samples, request.generator())


GAUSSIAN_2D = MaskFamily(
    name="gaussian-2d",
    title="Gaussian samples",
    dimensions=2,
    description="Single samples: a full central ellipse, and outer samples drawn with a Gaussian density of 35 % of "
    "each axis at half maximum.",
    citation="Knoll F et al. (2011), Adapted random sampling patterns for accelerated MRI, MAGMA 24:43-50, "
    "doi:10.1007/s10334-010-0234-7",
    draw=draw_gaussian_samples,
)
