"""Stages follow each other by share of the run, and only what may learn has a gradient."""

import pytest
from torch import nn

from mrviewer.training.recipe import Moment
from mrviewer.training.stages import stage_of, train_only


def stages(shares: tuple[float, ...], steps: int = 10) -> list[int]:
    return [stage_of(Moment(step, step / 4, steps / 4), shares) for step in range(steps)]


def test_stages_take_their_share() -> None:
    assert stages((1, 1)) == [0] * 5 + [1] * 5
    assert stages((0.2, 0.5, 0.3)) == [0] * 2 + [1] * 5 + [2] * 3


def test_a_stage_of_no_length_is_skipped() -> None:
    assert stages((0, 1)) == [1] * 10
    assert stages((1, 0, 1)) == [0] * 5 + [2] * 5
    assert stages((1, 0)) == [0] * 10


@pytest.mark.parametrize("shares", [(), (0.0,), (1.0, -1.0)])
def test_lengths_that_make_no_sense_are_refused(shares: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="stages of lengths"):
        stages(shares)


def test_only_the_chosen_part_learns() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    train_only(network, network[1])
    assert [parameter.requires_grad for parameter in network.parameters()] == [False, False, True, True]
    train_only(network, network)
    assert all(parameter.requires_grad for parameter in network.parameters())
