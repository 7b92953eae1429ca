"""The contract of every mask family."""

import math
import re
import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mrviewer.errors import MaskError, UnknownNameError
from mrviewer.sampling import Mask, MaskSetting, family_of, make_mask, mask_families
from mrviewer.sampling.registry import _draw

# What methods learned has tests of its own, in test_sampling_learned.
FAMILIES = [family for family in mask_families() if not family.is_learned]
NAMES = [family.name for family in FAMILIES]
LINES = [family.name for family in FAMILIES if family.dimensions == 1 and family.is_drawn]
POINTS = [family.name for family in FAMILIES if family.dimensions == 2]
DRAWN = LINES + POINTS
CENTERED = [name for name in DRAWN if MaskSetting.CENTER_FRACTION in family_of(name).settings]
RATED = [name for name in DRAWN if MaskSetting.ACCELERATION in family_of(name).settings]
SHAPE = (60, 50)

every_family = pytest.mark.parametrize("name", NAMES)
sizes = st.integers(2, 40)


def n_acquired(mask: Mask, shape: tuple[int, int]) -> int:
    return int(np.count_nonzero(np.broadcast_to(mask.pattern, shape)))


def center_of(shape: tuple[int, int], name: str, fraction: float) -> NDArray[np.bool_]:
    """The centre as the documentation words it, written again: lines as in fastMRI, else an ellipse."""
    height, width = shape
    center = np.zeros((1, width) if name in LINES else shape, dtype=bool)
    if name in LINES:
        count = round(fraction * width)
        start = (width - count + 1) // 2
        center[:, start : start + count] = True
        return center
    for row in range(height):
        for column in range(width):
            y, x = (row - height // 2) / (fraction * height / 2), (column - width // 2) / (fraction * width / 2)
            center[row, column] = y**2 + x**2 <= 1 + 1e-12
    return center


def make_or_reject(
    message: str, name: str, shape: tuple[int, int], acceleration: float, center_fraction: float, seed: int
) -> Mask:
    """Make a mask; leave this example out if none exists, provided that the refusal says why."""
    try:
        return make_mask(name, shape, acceleration, center_fraction, seed)
    except MaskError as error:
        refusal = str(error)
    assert re.search(message, refusal)
    return reject()


def test_the_names_are_those_of_the_command_line() -> None:
    shipped = {"random", "equispaced", "gaussian-1d", "gaussian-2d", "poisson", "radial", "spiral", "full"}
    assert {*shipped, "learned", "learned-2d"} <= {family.name for family in mask_families()}


def test_every_family_says_what_it_is() -> None:
    for family in mask_families():
        assert family.title
        assert family.description.endswith(".")
        assert re.search(r"doi:10\.\d{4,}/\S+$", family.citation)
    assert len({family.title for family in mask_families()}) == len(mask_families())


@every_family
def test_shape_type_and_request(name: str) -> None:
    mask = make_mask(name, SHAPE, 3, 0.1, seed=5)
    family = next(family for family in mask_families() if family.name == name)
    assert mask.pattern.shape == ((1, 50) if family.dimensions == 1 else SHAPE)
    assert mask.is_line_mask == (family.dimensions == 1)
    assert mask.pattern.dtype == bool
    assert not mask.pattern.flags.writeable
    assert mask.name == name
    if family.is_drawn:
        asked = {MaskSetting.ACCELERATION: 3.0, MaskSetting.CENTER_FRACTION: 0.1, MaskSetting.SEED: 5}
        expected = tuple(asked[setting] if setting in family.settings else None for setting in MaskSetting)
        assert (mask.acceleration, mask.center_fraction, mask.seed) == expected


@every_family
def test_same_request_gives_an_equal_mask(name: str) -> None:
    first = make_mask(name, SHAPE, 3, 0.1, seed=5)
    _draw.cache_clear()
    second = make_mask(name, SHAPE, 3, 0.1, seed=5)
    assert first is not second
    assert first == second
    assert hash(first) == hash(second)


@pytest.mark.parametrize("name", [family.name for family in FAMILIES if family.is_random])
def test_another_seed_gives_another_pattern(name: str) -> None:
    first, second = (make_mask(name, SHAPE, 3, 0.1, seed) for seed in (0, 1))
    assert first != second
    assert not np.array_equal(first.pattern, second.pattern)


@given(name=st.sampled_from([name for name in RATED if family_of(name).is_exact]), height=sizes, width=sizes,
       acceleration=st.floats(1, 12), center_fraction=st.floats(0, 0.4), seed=st.integers(0, 9))  # fmt: skip
@settings(deadline=None, max_examples=120)
def test_the_achieved_count_is_exact(
    name: str, height: int, width: int, acceleration: float, center_fraction: float, seed: int
) -> None:
    shape = (height, width)
    mask = make_or_reject(r"lower the (centre fraction|acceleration)", name, shape, acceleration, center_fraction, seed)
    expected = round(width / acceleration) * height if name in LINES else round(height * width / acceleration)
    assert n_acquired(mask, shape) == expected
    assert math.isclose(mask.achieved_acceleration, height * width / expected)


@given(height=sizes, width=sizes, acceleration=st.floats(1, 12), seed=st.integers(0, 9))
@settings(deadline=None, max_examples=40)
def test_radial_comes_within_half_a_spoke(height: int, width: int, acceleration: float, seed: int) -> None:
    mask = make_or_reject("one spoke|leaves none", "radial", (height, width), acceleration, 0, seed)
    # The longest spoke is the diagonal of the grid, at most one sample for each step along y and x.
    assert abs(np.count_nonzero(mask.pattern) - height * width / acceleration) <= (height + width) / 2 + 0.5


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [SHAPE, (2, 2), (3, 31)])
def test_acceleration_one_acquires_everything(name: str, shape: tuple[int, int]) -> None:
    mask = make_mask(name, shape, 1)
    assert mask.pattern.all()
    assert mask.achieved_acceleration == 1


@pytest.mark.parametrize("name", CENTERED)
@pytest.mark.parametrize("shape", [(60, 50), (61, 50), (60, 51), (33, 47)])
@pytest.mark.parametrize("fraction", [0.08, 0.15, 0.2])
def test_the_centre_is_kept(name: str, shape: tuple[int, int], fraction: float) -> None:
    mask = make_mask(name, shape, 4, fraction, seed=2)
    center = center_of(shape, name, fraction)
    assert center.any()
    assert mask.pattern[center].all()
    assert mask.pattern[mask.pattern.shape[0] // 2, shape[1] // 2]


def test_the_centre_lies_where_published_masks_have_it() -> None:
    lines = np.flatnonzero(make_mask("random", (256, 256), 12.8, 20 / 256).pattern)
    np.testing.assert_array_equal(lines, np.arange(118, 138))


@pytest.mark.parametrize("name", RATED)
def test_a_higher_acceleration_never_acquires_more(name: str) -> None:
    counts = [n_acquired(make_mask(name, SHAPE, rate, 0.08, 1), SHAPE) for rate in np.linspace(1, 10, 28)]
    assert all(more >= fewer for more, fewer in pairwise(counts))
    assert counts[-1] < counts[0]


@pytest.mark.parametrize("name", ["random", "gaussian-1d", "gaussian-2d", "radial"])
def test_a_higher_acceleration_keeps_a_part_of_the_same_samples(name: str) -> None:
    many, few = (make_mask(name, SHAPE, rate, 0.08, 1).pattern for rate in (3, 5))
    assert not (few & ~many).any()


def test_equispaced_lines_are_equally_spaced() -> None:
    lines = np.flatnonzero(make_mask("equispaced", (8, 96), 4, 0, 3).pattern)
    np.testing.assert_array_equal(np.diff(lines), 4)
    with_center = make_mask("equispaced", (8, 101), 4, 0.08, 3).pattern[0]
    outer = np.flatnonzero(with_center & ~center_of((8, 101), "random", 0.08)[0])
    # One spacing, rounded to whole lines, on each side and around the edge of k-space.
    gaps = np.diff(np.concatenate([outer[outer > 50], outer[outer < 50] + 101]))
    assert gaps.max() - gaps.min() <= 1


@pytest.mark.parametrize("name", ["gaussian-1d", "gaussian-2d", "poisson", "spiral"])
def test_density_falls_away_from_the_centre(name: str) -> None:
    shape = (90, 84)
    mean = np.mean([np.broadcast_to(make_mask(name, shape, 5, 0.08, seed).pattern, shape) for seed in range(8)], axis=0)
    distance = np.abs(np.arange(84) - 42) / 42
    profile = mean[40:50] if name != "gaussian-1d" else mean
    rings = [profile[:, (distance >= low) & (distance < low + 0.25)].mean() for low in (0.1, 0.35, 0.6)]
    assert rings[0] > rings[1] > rings[2]


def test_full_needs_no_request() -> None:
    assert make_mask("full", SHAPE, 4, 0.2, 9) == make_mask("full", SHAPE)
    assert make_mask("full", SHAPE, 4).acceleration == 1


def test_dragging_back_costs_nothing() -> None:
    assert make_mask("poisson", SHAPE, 4) is make_mask("poisson", SHAPE, 4.0)


@pytest.mark.parametrize("name", DRAWN)
def test_a_mask_is_made_while_a_slider_moves(name: str) -> None:
    make_mask(name, (218, 182), 4.5)
    times = []
    for rate in (3.9, 4.1, 7.9):
        start = time.process_time()
        make_mask(name, (218, 182), rate)
        times.append(time.process_time() - start)
    assert min(times) < 0.3


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("random", {"acceleration": 0.5}, r"acceleration 0.5 was asked for; it must be 1 .* or more"),
        ("random", {"acceleration": math.nan}, r"acceleration nan was asked for"),
        ("poisson", {"acceleration": math.inf}, r"acceleration inf was asked for"),
        ("random", {"center_fraction": -0.1}, r"centre fraction -0.1 was asked for; it must lie between 0 and 1"),
        ("radial", {"center_fraction": 1.1}, r"centre fraction 1.1 was asked for"),
        ("radial", {"center_fraction": math.nan}, r"centre fraction nan was asked for"),
        ("random", {"seed": -1}, r"seed -1 was asked for; it must be 0 or more"),
        (
            "random",
            {"acceleration": 8, "center_fraction": 0.3},
            r"centre takes 15 lines but acceleration 8 allows 6 of 50",
        ),
        (
            "spiral",
            {"acceleration": 8, "center_fraction": 0.9},
            r"centre takes \d+ samples but acceleration 8 allows 375",
        ),
        ("equispaced", {"acceleration": 200}, r"acceleration 200 leaves none of 50 lines; lower the acceleration"),
        ("gaussian-2d", {"acceleration": 1e5}, r"acceleration 100000 leaves none of 3000 samples"),
        ("radial", {"acceleration": 100, "center_fraction": 0}, r"allows 30 samples but one spoke and the centre take"),
    ],
)
def test_what_cannot_be_is_refused_with_a_way_out(name: str, options: dict[str, float], message: str) -> None:
    with pytest.raises(MaskError, match=message):
        make_mask(name, SHAPE, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(1, 20), (20, 1), (0, 4)])
def test_a_grid_without_two_samples_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(MaskError, match="need 2 samples or more each"):
        make_mask("random", shape)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"no mask 'sparkle'; choose one of random, .* or file:PATH"):
        make_mask("sparkle", SHAPE)
