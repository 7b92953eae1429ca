"""Equispaced lines: the centre, and every r-th line outside it."""

import numpy as np
from numpy.typing import NDArray

from mrviewer.sampling.center import central_lines
from mrviewer.sampling.family import MaskFamily
from mrviewer.sampling.request import MaskRequest

__all__ = ["EQUISPACED"]


def draw_equispaced_lines(request: MaskRequest) -> NDArray[np.bool_]:
    """Keep the central lines and spread the rest evenly, exactly ``round(W / R)`` in all.

    K-space is periodic, so that the lines outside the centre form one run from just above the centre, over the edge, to
    just below it. Along this run the spacing is constant up to rounding; the seed draws where it starts. The spacing is
    wider than R because the centre has used up a part of the budget.

    Returns
    -------
    bool, (1, x)
    """
    lines = central_lines(request)
    width = request.width
    n_rest = request.n_lines - int(np.count_nonzero(lines))
    start = width // 2 if not lines.any() else int(np.flatnonzero(lines)[-1]) + 1
    run = (start + np.arange(width - np.count_nonzero(lines))) % width
    steps = (np.arange(n_rest) + request.generator().random()) * (run.size / max(n_rest, 1))
    lines[run[steps.astype(int)]] = True
    return lines[None]


EQUISPACED = MaskFamily(
    name="equispaced",
    title="Equispaced lines",
    dimensions=1,
    description="Whole lines: a full centre, and outer lines at a constant distance, as in parallel imaging.",
    citation="Griswold MA et al. (2002), GRAPPA, Magn Reson Med 47:1202-1210, doi:10.1002/mrm.10171",
    draw=draw_equispaced_lines,
    training_share=0.08,
)
