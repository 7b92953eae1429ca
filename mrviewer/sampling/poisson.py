"""Variable-density Poisson disc: random samples that keep a distance, which grows away from the centre."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mrviewer.sampling.center import central_ellipse, normalised_radius
from mrviewer.sampling.family import MaskFamily
from mrviewer.sampling.request import MaskRequest

__all__ = ["POISSON", "disc_radius", "draw_poisson"]

SURPLUS = 0.01
"""A slope is near enough when it gives this part of the budget too much; the surplus is dropped at random."""

TYPICAL_GROWTH = 0.75
"""Growth of the mean distance with the slope, measured on usual sizes; only where the search starts."""

MAX_THROWS = 14


def disc_radius(request: MaskRequest, slope: float) -> NDArray[np.float64]:
    """Distance in samples that a sample keeps from others: ``1 + slope * r`` outside the central ellipse, 1 inside.

    ``r`` is the normalised distance from the central ellipse (see `normalised_radius`).

    Returns
    -------
    float64, (y, x)
    """
    radius = normalised_radius(request.height, request.width)
    distance: NDArray[np.float64] = 1 + slope * np.maximum(radius - request.center_fraction, 0)
    return distance


def draw_poisson(request: MaskRequest) -> NDArray[np.bool_]:
    """Keep the central ellipse and throw darts outside it, exactly ``round(H W / R)`` samples.

    Points of the grid are visited in random order; each is taken unless it lies in the disc of one that was taken
    before. Two samples outside the centre are therefore never closer than the smaller of their two discs, where a
    radius between two distances of the grid is drawn to either of them, so that the density falls smoothly. The slope
    of the radius is found by bisection. Corners outside the ellipse that touches the edges are left out unless the
    budget needs them.

    The papers use a growing front of samples and continuous positions; visiting the grid in random order fills it as
    densely, at a cost that suits dragging a slider.

    Returns
    -------
    bool, (y, x)

    References
    ----------
    Bridson R (2007), Fast Poisson disk sampling in arbitrary dimensions, SIGGRAPH sketches,
    doi:10.1145/1278780.1278807.
    """
    center = central_ellipse(request)
    generator = request.generator()
    radius = normalised_radius(request.height, request.width)
    n_inside = max(request.n_samples, int(np.count_nonzero(radius <= 1)))
    candidates = np.argsort(radius, axis=None, kind="stable")[:n_inside]
    order = generator.permutation(candidates[~center.ravel()[candidates]])
    dither = generator.random(center.shape)
    taken = _bracket(request, center, order, dither)
    # The order of the darts is random, so the last ones are a random choice.
    pattern = center.copy()
    pattern.flat[taken[: request.n_samples - np.count_nonzero(center)]] = True
    return pattern


def _bracket(
    request: MaskRequest, center: NDArray[np.bool_], order: NDArray[np.intp], dither: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Samples outside the centre, in the order of their darts, for the steepest slope found to give enough of them.

    Bisection by false position: the mean distance of samples, as the square root of their inverse density, grows nearly
    linearly with the slope, so that a few throws are enough.
    """
    n_wanted = request.n_samples - int(np.count_nonzero(center))
    if n_wanted == 0:
        return order[:0]
    wanted = np.sqrt(order.size / (n_wanted * (1 + SURPLUS / 2))) - 1
    best, gentle, steep = order, (0.0, 0.0), (np.inf, np.inf)
    slope = wanted / TYPICAL_GROWTH
    for _ in range(MAX_THROWS):
        if best.size <= n_wanted * (1 + SURPLUS):
            break
        taken = _throw_darts(order, _disc_squares(request, slope, dither))
        growth = (slope, float(np.sqrt(order.size / taken.size)) - 1)
        if taken.size >= n_wanted:
            best, gentle = taken, growth
        else:
            steep = growth
        slope = _next_slope(gentle, steep, wanted)
    return best


def _next_slope(gentle: tuple[float, float], steep: tuple[float, float], wanted: float) -> float:
    """Slope between two pairs (slope, growth of the mean distance) where the growth should be `wanted`."""
    if not np.isfinite(steep[0]):
        return 2 * gentle[0]
    part = (wanted - gentle[1]) / (steep[1] - gentle[1])
    return gentle[0] + min(max(part, 0.1), 0.9) * (steep[0] - gentle[0])


def _disc_squares(request: MaskRequest, slope: float, dither: NDArray[np.float64]) -> NDArray[np.int64]:
    """Squared disc radius of each point: one of the two grid distances next to `disc_radius`, drawn by `dither`."""
    distance = np.minimum(disc_radius(request, slope), np.hypot(request.height, request.width))
    squares = _grid_squares(int(distance.max()) + 2)
    above = np.searchsorted(squares, distance**2, side="right")
    lower, upper = np.sqrt(squares[above - 1]), np.sqrt(squares[above])
    chance = (distance - lower) / (upper - lower)
    drawn: NDArray[np.int64] = squares[above - (dither >= chance)]
    return drawn


def _throw_darts(order: NDArray[np.intp], disc_squares: NDArray[np.int64]) -> NDArray[np.intp]:
    """Visit points in `order` and take each that no disc of a point taken before covers."""
    width = disc_squares.shape[1]
    reach = int(np.sqrt(disc_squares.max())) + 1
    stride = width + 2 * reach
    padded = (order // width + reach) * stride + order % width + reach
    covered = bytearray((disc_squares.shape[0] + 2 * reach) * stride)
    taken = []
    # Plain bytes are the quickest here: a disc is a few runs, and a run is one slice assignment of about 50 ns.
    for index, (point, square) in enumerate(zip(padded.tolist(), disc_squares.ravel()[order].tolist(), strict=True)):
        if covered[point]:
            continue
        taken.append(index)
        for start, run in _disc_runs(square, stride):
            first = point + start
            covered[first : first + len(run)] = run
    return order[taken]


@lru_cache(maxsize=4096)
def _disc_runs(square: int, stride: int) -> tuple[tuple[int, bytes], ...]:
    """Rows of the disc of points closer than ``sqrt(square)``: start relative to its centre, and bytes to put there."""
    reach = int(np.ceil(np.sqrt(square))) - 1
    runs = []
    for row in range(-reach, reach + 1):
        half = int(np.ceil(np.sqrt(square - row**2))) - 1
        runs.append((row * stride - half, b"\x01" * (2 * half + 1)))
    return tuple(runs)


@lru_cache(maxsize=16)
def _grid_squares(reach: int) -> NDArray[np.int64]:
    """All squared distances between points of the grid from 1 to ``reach**2``, ascending."""
    steps = np.arange(reach + 1) ** 2
    squares = np.unique(steps[:, None] + steps[None, :])
    return squares[(squares > 0) & (squares <= reach**2)]


POISSON = MaskFamily(
    name="poisson",
    title="Poisson disc",
    dimensions=2,
    description="Single samples: a full central ellipse, and outer random samples that keep a distance, which grows "
    "away from the centre.",
    citation="Dwork N et al. (2021), Fast variable density Poisson-disc sample generation with directional variation "
    "for compressed sensing in MRI, Magn Reson Imaging 77:186-193, doi:10.1016/j.mri.2020.11.012",
    draw=draw_poisson,
)
