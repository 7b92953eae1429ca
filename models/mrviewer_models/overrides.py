"""The options of a recipe, some of them replaced."""

from collections.abc import Mapping
from typing import TypeVar

from mrviewer.errors import UnknownNameError
from mrviewer.training.options import TrainingOptions, override
from mrviewer_models.paper_training import PAPER_TRAINING

__all__ = ["overridden"]

Options = TypeVar("Options")


def overridden(
    method: str, training: TrainingOptions, options: Options, overrides: Mapping[str, str]
) -> tuple[TrainingOptions, Options]:
    """Replace options of training, and those of a method, by values typed on a command line.

    A preset of a paper brings the paper's training with it, as far as nothing else is typed.

    Raises
    ------
    InputError
        If a value cannot be read as what its field holds, or nothing can be trained with it.
    UnknownNameError
        If neither record has an option of that name.
    """
    of_paper = PAPER_TRAINING.get(method, {}).get(overrides.get("preset", ""), {})
    training, rest = override(training, {**of_paper, **overrides})
    options, rest = override(options, rest)
    if rest:
        raise UnknownNameError(
            f"the recipe of {method} has no option {next(iter(rest))!r}; its options are in docs/training.md"
        )
    return training, options
