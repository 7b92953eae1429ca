"""Learned masks: exact rates on any grid, from whichever method offers a pattern."""

import json
import subprocess
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from mrviewer.errors import MaskError, ShapeError, UnknownNameError, WeightsError
from mrviewer.evaluation.conditions import SamplingCondition
from mrviewer.method import Card, Fit, Measurement, Needs, Result, Task
from mrviewer.methods import installed
from mrviewer.progress import Progress
from mrviewer.sampling import LearnedPattern, learned_probability, make_mask, mask_of_patterns
from mrviewer.sampling.learned import LEARNED_LINES, LEARNED_SAMPLES
from mrviewer.sampling.probability_map import at_rate, most_probable, resampled
from mrviewer.sampling.request import MaskRequest
from mrviewer.study import Study

SHAPE = (60, 50)
sizes = st.integers(2, 60)
rates = st.floats(1, 12)


def hill(shape: tuple[int, int], width: float = 0.3) -> NDArray[np.float32]:
    """Probabilities that fall away from DC, every sample another one."""
    y, x = ((np.arange(size) - size // 2 + 0.01) / size for size in shape)
    return np.exp(-((y[:, None] if shape[0] > 1 else 0) ** 2 + x**2) / width**2).astype(np.float32).reshape(shape)


LINES_4 = LearnedPattern("sampler", 1, 4.0, hill((1, 50)))
LINES_8 = LearnedPattern("sampler", 1, 8.0, hill((1, 50))[:, ::-1])
POINTS_4 = LearnedPattern("sampler", 2, 4.0, hill(SHAPE))


@dataclass(frozen=True)
class Sampler:
    """A method that has learned where to sample, or is still to be trained."""

    name: str
    patterns: tuple[LearnedPattern, ...] = ()
    trained: bool = True
    tasks: tuple[Task, ...] = (Task.SAMPLE,)

    @property
    def card(self) -> Card:
        return Card(self.name, self.name, self.tasks, Needs(), "doi:10.1000/none")

    def fits(self, study: Study, modality: str) -> Fit:
        del study, modality
        return Fit(True)

    def run(self, measurement: Measurement, device: str = "cpu") -> Generator[Progress, None, Result]:
        del measurement, device
        yield Progress(0, 1, "nothing")
        return Result()

    def learned_patterns(self) -> tuple[LearnedPattern, ...]:
        if not self.trained:
            raise WeightsError("the weights are not there")
        return self.patterns


class Installed:
    """Entry points of the methods that a test installs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def __call__(self, *methods: Sampler | str) -> None:
        """Install these; a name alone is a package that cannot be imported."""
        points = {one if isinstance(one, str) else one.name: _Point(one) for one in methods}
        self._monkeypatch.setattr(installed, "_entry_points", lambda: points)


@dataclass(frozen=True)
class _Point:
    found: Sampler | str

    def load(self) -> Sampler:
        if isinstance(self.found, str):
            raise ImportError(self.found)
        return self.found


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Installed:
    return Installed(monkeypatch)


@pytest.fixture
def sampler(install: Installed) -> None:
    install(Sampler("sampler", (LINES_4, LINES_8, POINTS_4)))


# Probability maps ----------------------------------------------------------------------------------------------------


@given(arrays(np.float64, st.tuples(st.integers(1, 9), st.integers(1, 30)), elements=st.floats(0, 1)), st.floats(0, 1))
@settings(deadline=None)
def test_the_mean_is_the_rate_and_probabilities_stay_probabilities(
    probability: NDArray[np.float64], rate: float
) -> None:
    scaled = at_rate(probability, rate)
    assert scaled.mean() == pytest.approx(rate, abs=1e-12)
    assert scaled.min() >= -1e-12
    assert scaled.max() <= 1 + 1e-12


@pytest.mark.parametrize("rate", [0.05, 0.125, 0.25, 0.5, 0.9])
def test_scaling_to_a_rate_keeps_the_order_and_is_done_once(rate: float) -> None:
    probability = np.random.default_rng(0).random((1, 200))
    scaled = at_rate(probability, rate)
    assert (np.argsort(scaled) == np.argsort(probability)).all()
    np.testing.assert_allclose(at_rate(scaled, rate), scaled)


@given(st.integers(1, 12), st.integers(1, 20), st.data())
@settings(deadline=None)
def test_the_most_probable_are_taken(height: int, width: int, data: st.DataObject) -> None:
    # Few values, so that there are many equals.
    probability = data.draw(arrays(np.float64, (height, width), elements=st.sampled_from([0.0, 0.5, 1.0])))
    count = data.draw(st.integers(0, height * width))
    chosen = most_probable(probability, count)
    assert np.count_nonzero(chosen) == count
    if 0 < count < height * width:
        assert probability[chosen].min() >= probability[~chosen].max()


def test_of_equals_the_nearest_to_dc_are_taken() -> None:
    np.testing.assert_array_equal(np.flatnonzero(most_probable(np.ones((1, 10)), 3)), [4, 5, 6])
    assert most_probable(np.ones((5, 5)), 5)[[2, 1, 3, 2, 2], [2, 2, 2, 1, 3]].all()


@pytest.mark.parametrize("shape", [(1, 50), (60, 50)])
def test_a_map_on_its_own_grid_stays(shape: tuple[int, int]) -> None:
    np.testing.assert_array_equal(resampled(hill(shape), SHAPE), hill(shape))


@given(sizes, sizes, sizes, sizes)
@settings(deadline=None)
def test_dc_stays_dc_on_any_grid(height: int, width: int, rows: int, columns: int) -> None:
    peak = np.zeros((height, width))
    peak[height // 2, width // 2] = 1
    moved = resampled(peak, (rows, columns))
    assert moved.shape == (rows, columns)
    assert moved[rows // 2, columns // 2] == pytest.approx(1)
    assert moved.max() <= 1 + 1e-12


def test_a_smooth_map_keeps_its_shape_on_a_finer_grid() -> None:
    np.testing.assert_allclose(resampled(hill(SHAPE, 0.4), (120, 100)), hill((120, 100), 0.4), atol=0.02)


# Masks ---------------------------------------------------------------------------------------------------------------


@given(sizes, sizes, rates, st.sampled_from([LINES_4, POINTS_4]))
@settings(deadline=None, max_examples=150)
def test_the_count_is_exact(height: int, width: int, acceleration: float, pattern: LearnedPattern) -> None:
    expected = round(width / acceleration) if pattern.dimensions == 1 else round(height * width / acceleration)
    request = MaskRequest(height, width, acceleration)
    if expected < 1:
        with pytest.raises(MaskError, match="lower the acceleration"):
            mask_of_patterns((pattern,), "learned", request)
        return
    mask = mask_of_patterns((pattern,), "learned", request)
    assert mask.pattern.shape == ((1, width) if pattern.dimensions == 1 else (height, width))
    assert np.count_nonzero(mask.pattern) == expected


@pytest.mark.usefixtures("sampler")
@pytest.mark.parametrize("name", ["learned", "learned-2d", "learned:sampler", "learned-2d:sampler"])
def test_masks_by_name(name: str) -> None:
    mask = make_mask(name, SHAPE, 4)
    assert mask.is_line_mask == ("2d" not in name)
    assert (mask.name, mask.acceleration, mask.center_fraction, mask.seed) == (name, 4.0, None, None)
    assert mask.note == "learned by sampler for acceleration 4"
    assert make_mask(name, SHAPE, 1).pattern.all()


@pytest.mark.usefixtures("sampler")
def test_a_mask_is_the_same_whatever_the_centre_and_the_seed_and_is_kept() -> None:
    assert make_mask("learned", SHAPE, 4, 0.3, 7) is make_mask("learned", SHAPE, 4)


@pytest.mark.usefixtures("sampler")
@pytest.mark.parametrize(
    ("name", "shape", "acceleration", "note"),
    [
        ("learned", SHAPE, 5, "for acceleration 4, cut at 5"),
        ("learned", SHAPE, 6, "for acceleration 8, cut at 6"),
        ("learned", (44, 70), 4, "for acceleration 4, resampled from 50 to 70 lines"),
        ("learned", (44, 50), 4, "for acceleration 4"),
        ("learned-2d", (44, 70), 8, "for acceleration 4, cut at 8, resampled from 60 x 50 to 44 x 70 samples"),
    ],
)
def test_the_note_says_what_was_learned_and_what_was_changed(
    name: str, shape: tuple[int, int], acceleration: float, note: str
) -> None:
    assert make_mask(name, shape, acceleration).note == f"learned by sampler {note}"


@pytest.mark.usefixtures("sampler")
@pytest.mark.parametrize("name", ["learned", "learned-2d"])
def test_the_probabilities_behind_a_mask(name: str) -> None:
    probability = learned_probability(name, (44, 40), 4)
    mask = make_mask(name, (44, 40), 4)
    assert probability.shape == mask.pattern.shape
    assert probability.dtype == np.float32
    assert not probability.flags.writeable
    assert probability.mean() == pytest.approx(0.25, abs=1e-6)
    assert probability[mask.pattern].min() >= probability[~mask.pattern].max()
    assert learned_probability(name, (44, 40), 4) is probability


@pytest.mark.usefixtures("sampler")
def test_the_families_draw_them_too() -> None:
    request = MaskRequest(*SHAPE, 4)
    for family in (LEARNED_LINES, LEARNED_SAMPLES):
        np.testing.assert_array_equal(
            family.make(family.name, request).pattern, make_mask(family.name, SHAPE, 4).pattern
        )


@pytest.mark.usefixtures("sampler")
def test_a_mask_is_made_while_a_slider_moves() -> None:
    make_mask("learned-2d", (218, 182), 4.5)
    start = time.process_time()
    make_mask("learned-2d", (218, 182), 4.7)
    assert time.process_time() - start < 0.3


def test_new_weights_give_new_masks(install: Installed) -> None:
    install(Sampler("sampler", (LINES_4,)))
    before = make_mask("learned", SHAPE, 4)
    install(Sampler("sampler", (LearnedPattern("sampler", 1, 4.0, np.roll(hill((1, 50)), 5)),)))
    np.testing.assert_array_equal(np.roll(before.pattern, 5), make_mask("learned", SHAPE, 4).pattern)


def test_the_first_method_that_offers_any_is_taken_unless_one_is_named(install: Installed) -> None:
    others = (LearnedPattern("second", 1, 4.0, hill((1, 50))), LearnedPattern("second", 2, 4.0, hill(SHAPE)))
    install("broken", Sampler("other", tasks=(Task.SEGMENT,)), Sampler("first", (LINES_4,)), Sampler("second", others))
    assert "by sampler" in make_mask("learned", SHAPE, 4).note
    assert "by second" in make_mask("learned:second", SHAPE, 4).note
    assert "by second" in make_mask("learned-2d", SHAPE, 4).note


def test_what_is_not_there_is_refused_with_a_way_out(install: Installed) -> None:
    install(Sampler("other", tasks=(Task.SEGMENT,)))
    with pytest.raises(
        MaskError, match=r"belongs to a method and none of the installed ones offers it; choose another"
    ):
        make_mask("learned", SHAPE)
    with pytest.raises(MaskError, match=r"and other offers none; choose another mask"):
        make_mask("learned:other", SHAPE)
    with pytest.raises(UnknownNameError, match=r"there is no method 'nobody'; installed are other"):
        make_mask("learned-2d:nobody", SHAPE)
    install(Sampler("sampler", trained=False))
    with pytest.raises(MaskError, match=r"'learned-2d' is learned by sampler, whose weights are not there; train it"):
        make_mask("learned-2d", SHAPE)
    with pytest.raises(MaskError, match="weights are not there"):
        learned_probability("learned:sampler", SHAPE, 4)


@pytest.mark.usefixtures("sampler")
def test_impossible_requests_are_refused() -> None:
    with pytest.raises(MaskError, match=r"it must be 1 \(all samples\) or more"):
        make_mask("learned", SHAPE, 0.5)
    with pytest.raises(MaskError, match=r"leaves none of 50 lines; lower the acceleration"):
        make_mask("learned", SHAPE, 200)
    with pytest.raises(MaskError, match="2 samples or more each"):
        learned_probability("learned", (1, 20), 2)


def test_a_pattern_has_the_axes_that_it_needs_and_is_read_only() -> None:
    assert not LINES_4.probability.flags.writeable
    with pytest.raises(ShapeError, match=r"probability map of sampler is \(60, 50\); give \(1, x\) for lines"):
        replace(POINTS_4, dimensions=1)
    with pytest.raises(ShapeError, match=r"is \(1, 50\)"):
        replace(LINES_4, dimensions=2)


def test_listing_masks_and_making_a_learned_one_imports_no_torch() -> None:
    script = (
        "import json, sys\n"
        "from mrviewer.errors import MaskError\n"
        "from mrviewer.sampling import make_mask, mask_families\n"
        "names = [family.name for family in mask_families()]\n"
        "try: make_mask('learned', (40, 40))\n"
        "except MaskError: pass\n"
        "print(json.dumps({'names': names, 'torch': 'torch' in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    answer = json.loads(done.stdout)
    assert {"learned", "learned-2d"} < set(answer["names"])
    assert not answer["torch"]


def test_a_condition_means_the_mask_of_the_method_that_is_run(install: Installed) -> None:
    other = Sampler("other", (LearnedPattern("other", 1, 4.0, np.roll(hill((1, 50)), 5)),))
    install(Sampler("sampler", (LINES_4, POINTS_4)), other)
    condition = SamplingCondition("learned", 4.0)
    assert condition.mask(SHAPE) == make_mask("learned", SHAPE, 4)
    mine = condition.mask(SHAPE, other)
    assert "by other" in mine.note
    np.testing.assert_array_equal(mine.pattern, make_mask("learned:other", SHAPE, 4).pattern)
    named = SamplingCondition("learned:sampler", 4.0).mask(SHAPE, other)
    assert "by sampler" in named.note


def test_a_method_that_learns_masks_is_not_measured_on_those_of_another(install: Installed) -> None:
    lines_only, plain = Sampler("lines-only", (LINES_4,)), Sampler("plain", tasks=(Task.RECONSTRUCT,))
    install(Sampler("sampler", (LINES_4, POINTS_4)), lines_only, plain)
    condition = SamplingCondition("learned-2d", 4.0)
    with pytest.raises(MaskError, match=r"lines-only has learned no mask 'learned-2d'.*learned-2d:METHOD"):
        condition.mask(SHAPE, lines_only)
    assert "by sampler" in condition.mask(SHAPE, plain).note
