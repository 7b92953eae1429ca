"""Poisson disc: the distance law, the density, and sigpy beside it."""

import numpy as np
import pytest
import sigpy.mri
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from mrviewer.sampling import make_mask
from mrviewer.sampling.center import central_ellipse, normalised_radius
from mrviewer.sampling.poisson import disc_radius, draw_poisson
from mrviewer.sampling.request import MaskRequest


def nearest_distance(pattern: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Distance of each sample to the next one."""
    points = np.argwhere(pattern)
    distance: NDArray[np.float64] = cKDTree(points).query(points, k=2)[0][:, 1]
    return distance


def grid_distance_below(distance: NDArray[np.float64]) -> NDArray[np.int64]:
    """Square of the largest distance between points of the grid that is not above `distance` (1 or more)."""
    steps = np.arange(int(distance.max()) + 2)
    squares = np.unique(steps[:, None] ** 2 + steps**2)
    below: NDArray[np.int64] = squares[np.searchsorted(squares, distance**2, side="right") - 1]
    return below


def slope_that_fits(pattern: NDArray[np.bool_], request: MaskRequest) -> float:
    """Steepest slope for which all pairs keep the distance, found from outside by trying."""
    points = np.argwhere(pattern & ~central_ellipse(request))
    pairs = cKDTree(points).query_pairs(30, output_type="ndarray")
    squares = ((points[pairs[:, 0]] - points[pairs[:, 1]]) ** 2).sum(axis=1)
    fits = 0.0
    for slope in np.arange(0.02, 12, 0.02):
        kept = grid_distance_below(disc_radius(request, float(slope)))[tuple(points.T)]
        if (squares < np.minimum(kept[pairs[:, 0]], kept[pairs[:, 1]])).any():
            break
        fits = float(slope)
    return fits


@pytest.mark.parametrize(("shape", "acceleration"), [((64, 48), 4), ((64, 48), 8), ((51, 67), 6), ((30, 90), 5)])
def test_no_two_samples_are_closer_than_the_smaller_disc(shape: tuple[int, int], acceleration: float) -> None:
    request = MaskRequest(*shape, acceleration, 0.1, seed=3)
    pattern = draw_poisson(request)
    slope = slope_that_fits(pattern, request)
    # The mean radius outside must reach what the rate allows: samples that keep a distance d fill the plane with a
    # density of 0.70 / d^2 when thrown at random, and 0.25 / d^2 would be thrown by chance long before they clash.
    outside = (normalised_radius(*shape) <= 1) & ~central_ellipse(request)
    by_distance = np.sum(1 / disc_radius(request, slope)[outside] ** 2)
    wanted = request.n_samples - np.count_nonzero(central_ellipse(request))
    assert 0.55 * by_distance < wanted < 1.0 * by_distance


@given(height=st.integers(4, 40), width=st.integers(4, 40), slope=st.floats(0, 20))
@settings(deadline=None, max_examples=30)
def test_radius_grows_linearly_and_is_one_in_the_centre(height: int, width: int, slope: float) -> None:
    request = MaskRequest(height, width, 4, 0.2)
    radius, disc = normalised_radius(height, width), disc_radius(request, slope)
    np.testing.assert_array_equal(disc[radius <= 0.2], 1)
    np.testing.assert_allclose(disc[radius > 0.2], 1 + slope * (radius[radius > 0.2] - 0.2))


def test_corners_are_left_out_unless_they_are_needed() -> None:
    corners = normalised_radius(60, 50) > 1
    assert not make_mask("poisson", (60, 50), 2).pattern[corners].any()
    assert make_mask("poisson", (60, 50), 1.1).pattern[corners].any()


@pytest.mark.parametrize("acceleration", [6, 10])
def test_samples_keep_as_much_distance_as_those_of_sigpy(acceleration: float) -> None:
    shape = (96, 96)
    ours = make_mask("poisson", shape, acceleration, 0.1, seed=1).pattern
    theirs = np.abs(sigpy.mri.poisson(shape, acceleration, calib=(8, 8), seed=1)) > 0
    outside = normalised_radius(*shape) > 0.3
    our_distance, their_distance = (nearest_distance(pattern & outside) for pattern in (ours, theirs))
    assert np.median(our_distance) >= 0.95 * np.median(their_distance)
    # Blue noise: the closest tenth of the samples is where a plain random mask fails.
    assert np.quantile(our_distance, 0.1) >= 0.95 * np.quantile(their_distance, 0.1)
    chance = np.zeros(shape, dtype=bool)
    chance.flat[np.random.default_rng(0).permutation(chance.size)[: ours.sum()]] = True
    assert np.quantile(our_distance, 0.1) > np.quantile(nearest_distance(chance & outside), 0.1)
