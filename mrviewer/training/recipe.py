"""How a method trains: its network, its loss, its options. One recipe a method, in the method's own folder."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn

from mrviewer.database import Subject
from mrviewer.method import Method
from mrviewer.progress import Progress
from mrviewer.training.options import TrainingOptions

__all__ = ["BatchSource", "Losses", "Moment", "Recipe", "Trainable"]


@dataclass(frozen=True)
class Moment:
    """When in a run a step happens.

    Parameters
    ----------
    step
        Optimiser step, from 0.
    epoch
        Step divided by the steps of an epoch.
    n_epochs
        Epochs of the whole run.
    """

    step: int
    epoch: float
    n_epochs: float


@dataclass(frozen=True)
class Losses:
    """What a step minimises, and its parts for the log."""

    total: Tensor
    parts: Mapping[str, float]


class BatchSource(Protocol):
    """Where batches come from; batch number `step` is always the same."""

    def __len__(self) -> int:
        """Number of examples that can be drawn; 0 refuses to train."""
        ...

    def batch(self, step: int) -> Any:  # noqa: ANN401 - every recipe has batches of its own; they have `to(device)`
        """Examples of one step."""
        ...


class Recipe(Protocol):
    """What the training loop asks of a method."""

    training: TrainingOptions
    needs_labels: bool

    @property
    def options(self) -> Any:  # noqa: ANN401 - every recipe has a dataclass of its own
        """The recipe's own options, a frozen dataclass that is saved beside the weights."""
        ...

    def network(self) -> nn.Module:
        """Build the network with fresh weights."""
        ...

    def source(self, subjects: Sequence[Subject]) -> Generator[Progress, None, BatchSource]:
        """Prepare what batches are made of; `mrviewer.training.batches.slice_source` does for most methods."""
        ...

    def losses(self, network: nn.Module, batch: Any, moment: Moment) -> Losses:  # noqa: ANN401 - of its own source
        """Loss of one step."""
        ...


@runtime_checkable
class Trainable(Method, Protocol):
    """A method that has a recipe."""

    def recipe(self, overrides: Mapping[str, str]) -> Recipe:
        """Its recipe with some options replaced by what was typed on a command line."""
        ...

    def with_weights(self, path: Path) -> Method:
        """The same method with weights from a file."""
        ...
