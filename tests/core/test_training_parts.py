"""Training a part: what learns, what rests, and that resting is exact."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from mrviewer.errors import UnknownNameError
from mrviewer.study import Study
from mrviewer.training.options import TrainingOptions
from mrviewer.training.parts import parts_of, start_learning, trainable_parameters
from mrviewer.training.recipe import Moment
from mrviewer.training.stages import train_only


class Network(nn.Module):
    """A body with batch normalisation and dropout, a head, and a part that was frozen when it was built."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
        self.head = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2))
        self.column = nn.Linear(3, 2).requires_grad_(requires_grad=False)

    def forward(self, values: Tensor) -> Tensor:
        logits: Tensor = self.head(self.body(values))
        return logits


@dataclass
class Recipe:
    """Names the parts of `Network`."""

    training: TrainingOptions = field(default_factory=TrainingOptions)
    options: object = None
    needs_labels: bool = True
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {"body": ("body.",), "head": ("head.",)})
    structure: tuple[str, ...] = ()

    def network(self) -> nn.Module:
        return Network()

    def source(self, subjects: object) -> object:
        raise NotImplementedError

    def losses(self, network: nn.Module, batch: object, moment: Moment) -> object:
        raise NotImplementedError

    def finetuning(self, study: Study | None = None, parts: Sequence[str] = ()) -> Mapping[str, str]:
        del study, parts
        return {}


def step(network: nn.Module, parameters: list[nn.Parameter]) -> None:
    torch.manual_seed(0)
    optimiser = torch.optim.Adam(parameters, lr=0.1, weight_decay=0.1)
    network(torch.randn(8, 3)).square().sum().backward()
    optimiser.step()


def changed(before: Mapping[str, Tensor], network: nn.Module) -> set[str]:
    return {name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])}


def copied(network: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


@pytest.mark.parametrize("part", ["body", "head"])
def test_a_part_learns_and_the_rest_stays_with_its_statistics(part: str) -> None:
    network = Network()
    parameters = trainable_parameters(network, Recipe(), [part])
    start_learning(network)
    before = copied(network)
    step(network, parameters)
    moved = changed(before, network)
    assert moved
    assert all(name.startswith(f"{part}.") for name in moved)
    assert f"{part}.1.running_mean" in moved
    assert (network.body[2].training, network.head[2].training) == (part == "body", part == "head")


def test_all_is_everything_but_what_was_frozen_when_it_was_built() -> None:
    network = Network()
    parameters = trainable_parameters(network, Recipe())
    assert len(parameters) == len(list(network.parameters())) - 2
    start_learning(network)
    before = copied(network)
    step(network, parameters)
    assert {name.partition(".")[0] for name in changed(before, network)} == {"body", "head"}


def test_stages_do_not_wake_what_rests() -> None:
    network = Network()
    trainable_parameters(network, Recipe(), ["head"])
    train_only(network, network.body, network.head)
    learning = {name.partition(".")[0] for name, each in network.named_parameters() if each.requires_grad}
    assert learning == {"head"}
    train_only(network, network.body)
    assert not any(each.requires_grad for each in network.parameters())


def test_parts_are_named() -> None:
    assert list(parts_of(Recipe())) == ["all", "body", "head"]
    # A recipe of another package may name none.
    assert list(parts_of(SimpleNamespace(training=TrainingOptions(), options=None))) == ["all"]  # type: ignore[arg-type]
    for names, wanted in ((["tail"], "'tail'"), ([], "none")):
        with pytest.raises(UnknownNameError, match=f"part {wanted} was asked for; this network has all, body, head"):
            trainable_parameters(Network(), Recipe(), names)
