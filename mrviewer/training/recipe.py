"""How a method trains: its network, its loss, its options. One recipe a method, in the method's own folder."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn

from mrviewer.database import Subject
from mrviewer.method import Method
from mrviewer.progress import Progress
from mrviewer.study import Study
from mrviewer.training.options import TrainingOptions

__all__ = ["BatchSource", "Losses", "Moment", "Recipe", "Trainable", "Tunable"]


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
    """Where batches come from; batch number `step` is always the same, in one piece or in several."""

    def __len__(self) -> int:
        """Number of examples that can be drawn; 0 refuses to train."""
        ...

    # Every recipe has batches of its own; they are dataclasses of tensors and have `to(device)`.
    def batch(self, step: int, piece: int = 0, pieces: int = 1) -> Any:  # noqa: ANN401
        """Examples of one step, or its share of them: all pieces one after the other are the whole batch.

        A piece may be empty, where there are more pieces than examples. What is not asked for is not made.
        """
        ...


class Recipe(Protocol):
    """What the training loop asks of a method."""

    @property
    def training(self) -> TrainingOptions:
        """What every run can be told."""
        ...

    @property
    def needs_labels(self) -> bool:
        """Whether nothing can be learned from a subject without labels."""
        ...

    @property
    def options(self) -> Any:  # noqa: ANN401 - every recipe has a dataclass of its own
        """The recipe's own options, a frozen dataclass that is saved beside the weights."""
        ...

    def network(self) -> nn.Module:
        """Build the network with fresh weights."""
        ...

    def source(self, subjects: Sequence[Subject]) -> Generator[Progress, None, BatchSource]:
        """Prepare what batches are made of; `mrviewer.training.data.batches.slice_source` does for most methods."""
        ...

    def losses(self, network: nn.Module, batch: Any, moment: Moment) -> Losses:  # noqa: ANN401 - of its own source
        """Loss of one step."""
        ...


@runtime_checkable
class Tunable(Protocol):
    """What a recipe adds so that a trained network can go on learning elsewhere, in part or as a whole."""

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        """Parts that can be trained by themselves, each with the beginnings of its parameters' names."""
        ...

    @property
    def structure(self) -> tuple[str, ...]:
        """Options that decide the size of the network. Not given, the weights in ``start_from`` decide it."""
        ...

    def finetuning(self, study: Study | None = None, parts: Sequence[str] = ()) -> Mapping[str, str]:
        """Options, as typed, that differ when a trained network goes on learning.

        Parameters
        ----------
        study
            One of the new database; its headers are looked at, not its pixels.
        parts
            What is to learn; none, or ``all``, for everything.
        """
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
