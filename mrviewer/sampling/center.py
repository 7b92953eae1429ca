"""The fully sampled centre of k-space that every family keeps."""

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import MaskError
from mrviewer.sampling.request import MaskRequest

__all__ = ["central_ellipse", "central_lines", "normalised_radius"]


def central_lines(request: MaskRequest) -> NDArray[np.bool_]:
    """Mark the ``round(f W)`` lines around DC: as in fastMRI, n of them begin at ``(W - n + 1) // 2``.

    Returns
    -------
    bool, (x,)

    Raises
    ------
    MaskError
        If these lines alone are more than the acceleration allows.
    """
    n_center = round(request.center_fraction * request.width)
    if n_center > request.n_lines:
        raise MaskError(
            f"the centre takes {n_center} lines but acceleration {request.acceleration:g} allows {request.n_lines} of "
            f"{request.width}; lower the centre fraction or the acceleration"
        )
    start = (request.width - n_center + 1) // 2
    lines = np.zeros(request.width, dtype=bool)
    lines[start : start + n_center] = True
    return lines


def normalised_radius(height: int, width: int) -> NDArray[np.float64]:
    """Distance from DC as a part of the largest frequency of each axis: 1 is the ellipse that touches the edges.

    Returns
    -------
    float64, (y, x)
    """
    y = (np.arange(height) - height // 2) / (height / 2)
    x = (np.arange(width) - width // 2) / (width / 2)
    radius: NDArray[np.float64] = np.hypot(y[:, None], x[None, :])
    return radius


def central_ellipse(request: MaskRequest) -> NDArray[np.bool_]:
    """Mark the ellipse around DC whose diameters are ``f H`` and ``f W``; nothing for ``f = 0``.

    Returns
    -------
    bool, (y, x)

    Raises
    ------
    MaskError
        If the ellipse alone is more than the acceleration allows.
    """
    shape = (request.height, request.width)
    if request.center_fraction == 0:
        return np.zeros(shape, dtype=bool)
    ellipse = normalised_radius(*shape) <= request.center_fraction
    n_center = int(np.count_nonzero(ellipse))
    if n_center > request.n_samples:
        raise MaskError(
            f"the centre takes {n_center} samples but acceleration {request.acceleration:g} allows "
            f"{request.n_samples}; lower the centre fraction or the acceleration"
        )
    return ellipse
