"""A variable-density spiral, on the Cartesian grid."""

import numpy as np
from numpy.typing import NDArray

from mrviewer.sampling.center import central_ellipse
from mrviewer.sampling.family import MaskFamily
from mrviewer.sampling.request import MaskRequest

__all__ = ["SPIRAL"]

DENSITY_EXPONENT = 2.0
"""Exponent of the radius; at 1 turns are equally far apart, above it they are closer at the centre."""


def draw_spiral(request: MaskRequest) -> NDArray[np.bool_]:
    """Keep the central ellipse and follow a spiral ``k(t) = t^2 exp(2 pi i n t)``, exactly ``round(H W / R)`` samples.

    The number of turns `n` is the smallest found by bisection that visits enough samples; the spiral then stops once
    the budget is spent. It reaches into the corners, and the seed draws its first angle. Unlike in the paper, gradient
    limits play no part.

    Returns
    -------
    bool, (y, x)
    """
    center = central_ellipse(request)
    n_rest = request.n_samples - int(np.count_nonzero(center))
    angle = 2 * np.pi * float(request.generator().random())
    too_few, enough = 0.0, 1.0
    while (visited := _visited(center, enough, angle)).size < n_rest:
        too_few, enough = enough, 2 * enough
    while enough - too_few > 0.02:
        middle = (too_few + enough) / 2
        samples = _visited(center, middle, angle)
        if samples.size < n_rest:
            too_few = middle
        else:
            enough, visited = middle, samples
    pattern = center.copy()
    pattern.flat[visited[:n_rest]] = True
    return pattern


def _visited(center: NDArray[np.bool_], n_turns: float, angle: float) -> NDArray[np.intp]:
    """Flat indices of the samples outside the centre that a spiral visits, in its order."""
    height, width = center.shape
    # Spokes of the last turn are half a sample apart, those of the first turns closer.
    n_points = int(np.ceil(np.pi * n_turns * np.hypot(height, width))) + height + width
    time = np.sqrt(np.linspace(0, 1, n_points))
    radius = np.sqrt(0.5) * time**DENSITY_EXPONENT
    phase = angle + 2 * np.pi * n_turns * time
    y = np.rint(radius * np.sin(phase) * height).astype(int) + height // 2
    x = np.rint(radius * np.cos(phase) * width).astype(int) + width // 2
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    flat = (y * width + x)[inside]
    flat = flat[~center.ravel()[flat]]
    first_visit = np.full(center.size, flat.size)
    first_visit[flat[::-1]] = np.arange(flat.size)[::-1]
    samples = np.flatnonzero(first_visit < flat.size)
    ordered: NDArray[np.intp] = samples[np.argsort(first_visit[samples])]
    return ordered


SPIRAL = MaskFamily(
    name="spiral",
    title="Variable-density spiral",
    dimensions=2,
    description="One spiral from the centre outwards with turns ever wider apart, moved to the Cartesian grid.",
    citation="Kim DH et al. (2003), Simple analytic variable density spiral design, Magn Reson Med 50:214-219, "
    "doi:10.1002/mrm.10493",
    draw=draw_spiral,
    training_share=0.0,
)
