"""Laws of the point spread function."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrviewer.errors import MaskError, ShapeError
from mrviewer.physics import fft2c, ifft2c
from mrviewer.sampling import Mask, make_mask, mask_families, peak_side_lobe, point_spread_function

SHAPE = (40, 35)
NAMES = [family.name for family in mask_families() if not family.is_learned]


@pytest.mark.parametrize("shape", [(40, 35), (35, 40), (2, 3)])
def test_full_sampling_spreads_nothing(shape: tuple[int, int]) -> None:
    expected = np.zeros(shape)
    expected[shape[0] // 2, shape[1] // 2] = 1
    for mask in (make_mask("full", shape), Mask(np.ones(shape, dtype=bool), "points")):
        spread = point_spread_function(mask, shape)
        np.testing.assert_allclose(spread, expected, atol=1e-6)
        assert peak_side_lobe(spread) < 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_peak_of_one_at_the_centre(name: str) -> None:
    spread = point_spread_function(make_mask(name, SHAPE, 3), SHAPE)
    assert spread.dtype == np.float32
    assert spread.shape == SHAPE
    assert spread[20, 17] == 1
    assert spread.max() == pytest.approx(1, abs=1e-5)
    assert 0 <= peak_side_lobe(spread) <= 1 + 1e-5


@pytest.mark.parametrize("name", NAMES)
def test_energy_is_that_of_the_pattern(name: str) -> None:
    mask = make_mask(name, SHAPE, 3)
    energy = float(np.sum(point_spread_function(mask, SHAPE).astype(float) ** 2))
    # Parseval: with the peak at 1, the energy is all samples divided by the acquired ones.
    assert energy == pytest.approx(mask.achieved_acceleration, rel=1e-5)


@pytest.mark.parametrize("name", ["random", "poisson"])
def test_is_what_happens_to_one_bright_pixel(name: str) -> None:
    mask = make_mask(name, SHAPE, 3)
    pixel = np.zeros(SHAPE, complex)
    pixel[20, 17] = 1
    image = np.abs(ifft2c(fft2c(pixel) * mask.pattern))
    np.testing.assert_allclose(point_spread_function(mask, SHAPE), image / image.max(), atol=1e-5)


@given(height=st.integers(2, 20), width=st.integers(2, 20), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=40)
def test_parseval_for_any_pattern(height: int, width: int, seed: int) -> None:
    pattern = np.random.default_rng(seed).random((height, width)) < 0.4
    pattern[0, 0] = True
    mask = Mask(pattern, "points")
    energy = np.sum(point_spread_function(mask, (height, width)).astype(float) ** 2)
    assert energy == pytest.approx(mask.achieved_acceleration, rel=1e-4)


def test_every_fourth_line_makes_ghosts_as_bright_as_the_object() -> None:
    pattern = np.zeros((1, 64), dtype=bool)
    pattern[0, ::4] = True
    spread = point_spread_function(Mask(pattern, "fourth"), (20, 64))
    assert peak_side_lobe(spread) == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(spread[10, [0, 16, 32, 48]], 1, atol=1e-5)


def test_the_slope_of_the_central_peak_is_no_side_lobe() -> None:
    y, x = np.mgrid[-16:16, -16:16]
    spread = np.exp(-(y**2 + x**2) / 40).astype(np.float32)
    spread[16, 28] = 0.25
    assert peak_side_lobe(spread) == pytest.approx(0.25)


def test_random_samples_have_lower_side_lobes_than_random_lines() -> None:
    shape = (96, 90)
    lines, points = (
        peak_side_lobe(point_spread_function(make_mask(name, shape), shape)) for name in ("random", "poisson")
    )
    assert points < lines


def test_bad_input_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"mask is \(1, 35\) but the image is \(35, 40\)"):
        point_spread_function(make_mask("random", SHAPE), (35, 40))
    with pytest.raises(MaskError, match="acquires nothing"):
        point_spread_function(Mask(np.zeros((1, 8), dtype=bool), "none"), (8, 8))
