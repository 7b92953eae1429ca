"""Samplers: exact rates, draws that keep to their probabilities, gradients that reach what learns."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mrviewer.errors import InputError
from mrviewer_models.semunet.sampler import (
    FixedSampler,
    Gradient,
    LearnedSampler,
    exact_draw,
    relaxed_draw,
    scaled_to_rate,
)
from mrviewer_models.semunet.sampling_shape import SamplerShape, SamplingShape

LINES = SamplerShape(1, 4.0, 24, 40, 5.0, 4)
POINTS = SamplerShape(2, 8.0, 24, 20, 5.0, 0)
GRADIENTS: list[Gradient] = ["relaxed", "straight_through", "topk_st"]
every_gradient = pytest.mark.parametrize("gradient", GRADIENTS)
both_kinds = pytest.mark.parametrize("shape", [LINES, POINTS], ids=["lines", "points"])


def sampler_of(shape: SamplerShape, seed: int = 0) -> LearnedSampler:
    torch.manual_seed(seed)
    return LearnedSampler(shape)


def uniform(shape: SamplerShape, batch: int = 3, seed: int = 0) -> Tensor:
    """Numbers for draws, not those that the samplers began with."""
    return torch.rand(batch, 1, *shape.grid, generator=torch.Generator().manual_seed(1000 + seed))


@given(
    st.sampled_from([1, 2]), st.floats(1.3, 12), st.integers(12, 60), st.integers(12, 60), st.integers(0, 5),
    st.floats(0.5, 40), st.integers(0, 5),
)  # fmt: skip
@settings(deadline=None, max_examples=80)
def test_the_rate_is_exact_on_any_grid(
    dimensions: int, acceleration: float, height: int, width: int, always: int, slope: float, seed: int
) -> None:
    try:
        kind = 1 if dimensions == 1 else 2
        shape = SamplerShape(kind, acceleration, height, width, slope, always if dimensions == 1 else 0)
    except InputError:
        assert round(width / acceleration) <= always
        return
    sampler = sampler_of(shape, seed)
    probability = sampler.probability().detach()
    assert float(probability.double().mean()) == pytest.approx(1 / acceleration, abs=2e-7)
    assert 0 <= float(probability.min()) <= float(probability.max()) <= 1 + 1e-6
    mask = sampler.binary()
    assert int(mask.sum()) == round(shape.size / acceleration)
    assert bool((mask[0, 0].numpy()[shape.fixed] == 1).all())
    draw = sampler(uniform(shape, seed=seed), "straight_through")
    assert (draw.detach().sum(dim=(1, 2, 3)) == shape.count).all()


@both_kinds
def test_what_the_core_shows_is_what_the_network_learned(shape: SamplerShape) -> None:
    sampler = sampler_of(shape)
    shown = shape.probability(sampler.logits.detach().numpy())
    np.testing.assert_allclose(shown, sampler.probability().detach().numpy(), atol=1e-6)
    assert shown.mean() == pytest.approx(1 / shape.acceleration, abs=1e-12)


@pytest.mark.parametrize("rate", [0.05, 0.125, 0.25, 0.5])
def test_scaling_meets_the_rate_from_both_sides(rate: float) -> None:
    for begin in (torch.rand(500), torch.rand(500) * 0.02, 1 - torch.rand(500) * 0.02):
        scaled = scaled_to_rate(begin, rate)
        assert float(scaled.double().mean()) == pytest.approx(rate, abs=1e-6)
        assert 0 <= float(scaled.min()) <= float(scaled.max()) <= 1
        assert bool((scaled[begin.argsort()].diff() >= 0).all())


def test_probabilities_begin_uniformly_distributed() -> None:
    shape = replace(POINTS, height=200, width=200)
    begin = torch.sigmoid(shape.slope * sampler_of(shape).logits.detach())
    assert torch.histc(begin, 10, 0, 1).sub(4000).abs().max() < 300


@pytest.mark.parametrize(("steepness", "expected"), [(10.0, 0.153), (12.0, 0.144)])
def test_relaxed_masks_let_through_more_than_the_rate(steepness: float, expected: float) -> None:
    shape = replace(POINTS, height=300, width=300)
    mask = relaxed_draw(sampler_of(shape).probability().detach(), uniform(shape, 1), steepness)
    # The expectation depends on how probabilities are distributed; these hold for the initial ones of LOUPE
    # (doi:10.1109/TCI.2020.3006727).
    assert float(mask.mean()) == pytest.approx(expected, abs=0.01)


@both_kinds
def test_drawn_masks_keep_to_their_probabilities(shape: SamplerShape) -> None:
    shape = replace(shape, width=100)
    probability = sampler_of(shape).probability().detach()
    draws = exact_draw(probability, uniform(shape, 3000), shape.count)
    assert set(draws.unique().tolist()) == {0.0, 1.0}
    share = draws.mean(dim=0)[0]
    # Five standard deviations of 3000 draws, and what the exact count takes from a free draw.
    assert float((share - probability).abs().max()) < 5 * (0.25 / 3000) ** 0.5 + 0.02


def test_nothing_is_drawn_twice_from_certainties() -> None:
    probability = torch.tensor([[1.0, 1.0, 0.5, 0.5, 0.0, 0.0]])
    draws = exact_draw(probability, torch.rand(200, 1, 1, 6), 3)
    assert (draws[..., :2] == 1).all()
    assert (draws[..., 4:] == 0).all()
    assert float(draws[..., 2].mean()) == pytest.approx(0.5, abs=0.15)


@every_gradient
@both_kinds
def test_a_gradient_reaches_what_learns(shape: SamplerShape, gradient: Gradient) -> None:
    sampler = sampler_of(shape)
    wanted = torch.rand(shape.grid, generator=torch.Generator().manual_seed(1))
    (sampler(uniform(shape), gradient) * wanted).sum().backward()
    assert sampler.logits.grad is not None
    reached = sampler.logits.grad.view(shape.grid).abs() > 0
    assert bool(reached.numpy()[~shape.fixed].mean() > 0.9)
    assert not reached.numpy()[shape.fixed].any()


@every_gradient
def test_what_is_useful_becomes_probable(gradient: Gradient) -> None:
    shape = replace(LINES, slope=20.0)
    sampler = sampler_of(shape)
    useful = torch.zeros(shape.grid)
    useful[0, :8] = 1
    optimiser = torch.optim.Adam(sampler.parameters(), 0.02)
    for step in range(60):
        loss = -(sampler(uniform(shape, seed=step), gradient) * useful).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    # Four always lines of ten leave six of the eight.
    assert int((sampler.binary()[0, 0] * useful).sum()) == 6


@both_kinds
def test_straight_through_masks_are_masks_and_new_ones_each_time(shape: SamplerShape) -> None:
    sampler = sampler_of(shape)
    first, second = (sampler(uniform(shape, seed=seed), "straight_through").detach() for seed in (0, 1))
    assert set(first.unique().tolist()) == {0.0, 1.0}
    assert not torch.equal(first, second)
    assert not torch.equal(first[0], first[1])


@both_kinds
def test_the_most_probable_are_the_same_whatever_was_drawn(shape: SamplerShape) -> None:
    sampler = sampler_of(shape)
    assert torch.equal(sampler(uniform(shape), "topk_st").detach(), sampler.binary().expand(3, 1, *shape.grid))


def test_a_fixed_sampler_gives_what_it_was_given_and_does_not_learn() -> None:
    sampler = FixedSampler(POINTS)
    assert bool((sampler.binary() == 1).all())
    pattern = np.random.default_rng(0).random(POINTS.grid) < 0.2
    sampler.fill(pattern)
    np.testing.assert_array_equal(sampler(uniform(POINTS), "relaxed")[2, 0].numpy(), pattern)
    assert not list(sampler.parameters())


def test_samplers_by_name() -> None:
    parts = SamplingShape("lines@4, points@2.5", 24, 40, always_lines=2).parts()
    assert list(parts) == ["lines@4", "points@2_5"]
    assert parts["lines@4"] == SamplerShape(1, 4.0, 24, 40, 5.0, 2)
    assert parts["points@2_5"] == SamplerShape(2, 2.5, 24, 40, 5.0, 0)
    np.testing.assert_array_equal(np.flatnonzero(parts["lines@4"].fixed[0]), [19, 20])


@pytest.mark.parametrize("name", ["lines", "lines@", "lines@x", "spiral@4", "", "4"])
def test_names_that_say_nothing_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"is no sampler; write lines@R or points@R, several separated by commas"):
        SamplingShape(name).parts()


@pytest.mark.parametrize(("name", "count"), [("lines@1", 40), ("lines@12", 3), ("points@5000", 0)])
def test_rates_that_leave_nothing_to_learn_are_refused(name: str, count: int) -> None:
    with pytest.raises(InputError, match=rf"has {count} of \d+ samples, of which \d are always taken"):
        SamplingShape(name, 24, 40).parts()
