"""Radial spokes at the golden angle, on the Cartesian grid."""

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import MaskError
from mrviewer.sampling.center import central_ellipse
from mrviewer.sampling.family import MaskFamily
from mrviewer.sampling.request import MaskRequest

__all__ = ["RADIAL"]

GOLDEN_ANGLE = np.pi * (np.sqrt(5) - 1) / 2
"""111.246 degrees."""


def draw_radial(request: MaskRequest) -> NDArray[np.bool_]:
    """Keep the central ellipse and add whole spokes while they bring the count nearer to ``H W / R``.

    Spokes pass through DC and end at the edges of k-space, corners included; each sample on a spoke is moved to the
    nearest point of the grid. The seed draws the angle of the first.

    Returns
    -------
    bool, (y, x)

    Raises
    ------
    MaskError
        If not even one spoke fits.
    """
    center = central_ellipse(request)
    n_spokes = 32
    while True:
        first_spoke = _first_spoke(request, n_spokes)
        first_spoke[center] = -1
        counts = np.cumsum(np.bincount(first_spoke.ravel() + 1, minlength=n_spokes + 2)[: n_spokes + 1])
        if counts[-1] >= request.n_samples or n_spokes > 16 * sum(first_spoke.shape):
            break
        n_spokes *= 2
    if counts[1] > request.n_samples and center.sum() < request.n_samples:
        raise MaskError(
            f"acceleration {request.acceleration:g} allows {request.n_samples} samples but one spoke and the centre "
            f"take {counts[1]}; lower the acceleration"
        )
    nearest = int(np.argmin(np.abs(counts - request.n_samples)))
    pattern: NDArray[np.bool_] = first_spoke < nearest
    return pattern


def _first_spoke(request: MaskRequest, n_spokes: int) -> NDArray[np.intp]:
    """Number of the spoke ``(y, x)`` that reaches each sample first; `n_spokes` where none does."""
    height, width = request.height, request.width
    angles = np.pi * request.generator().random() + GOLDEN_ANGLE * np.arange(n_spokes)
    radius = np.linspace(-np.sqrt(0.5), np.sqrt(0.5), 2 * (height + width) + 1)
    y = np.rint(np.sin(angles)[:, None] * radius * height).astype(int) + height // 2
    x = np.rint(np.cos(angles)[:, None] * radius * width).astype(int) + width // 2
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    spoke = np.broadcast_to(np.arange(n_spokes)[:, None], inside.shape)[inside]
    first = np.full(height * width, n_spokes)
    # The last write wins, so the first spoke is written last.
    first[(y[inside] * width + x[inside])[::-1]] = spoke[::-1]
    return first.reshape(height, width)


RADIAL = MaskFamily(
    name="radial",
    title="Golden-angle radial",
    dimensions=2,
    description="Spokes through the centre, each turned by 111.25 degrees from the last, moved to the Cartesian grid.",
    citation="Winkelmann S et al. (2007), An optimal radial profile order based on the golden ratio for time-resolved "
    "MRI, IEEE Trans Med Imaging 26:68-76, doi:10.1109/TMI.2006.885337",
    draw=draw_radial,
    is_exact=False,
)
