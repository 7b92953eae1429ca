"""Training a part of a network: which parameters learn, and that everything else stays exactly as it is."""

from collections.abc import Mapping, Sequence

from torch import nn

from mrviewer.errors import UnknownNameError
from mrviewer.training.recipe import Recipe, Tunable
from mrviewer.training.stages import let_rest, rests

__all__ = ["ALL", "parts_of", "start_learning", "trainable_parameters"]

ALL = "all"


def parts_of(recipe: Recipe) -> Mapping[str, tuple[str, ...]]:
    """Parts that can be trained by themselves, each with the beginnings of its parameters' names; ``all`` is first."""
    return {ALL: ("",), **(recipe.parts if isinstance(recipe, Tunable) else {})}


def trainable_parameters(network: nn.Module, recipe: Recipe, names: Sequence[str] = (ALL,)) -> list[nn.Parameter]:
    """Parameters of some parts, in the network's order: what is given to the optimiser.

    Everything else rests from now on, whatever stages the recipe has; see `start_learning` for its normalisation.

    Parameters
    ----------
    network
        Freshly built by the recipe. What is frozen there, such as the first column of two, is of no part.
    recipe
        Names the parts.
    names
        One or several of `parts_of`.

    Raises
    ------
    UnknownNameError
        If the recipe has no such part.
    """
    parts = parts_of(recipe)
    unknown = [name for name in names if name not in parts]
    if unknown or not names:
        wanted = repr(unknown[0]) if unknown else "none"
        raise UnknownNameError(f"part {wanted} was asked for; this network has {', '.join(parts)}")
    prefixes = tuple(prefix for name in names for prefix in parts[name])
    chosen = []
    for name, parameter in network.named_parameters():
        if parameter.requires_grad and name.startswith(prefixes):
            chosen.append(parameter)
        else:
            let_rest(parameter)
    return chosen


def start_learning(network: nn.Module) -> None:
    """Set the training mode where something learns; what rests keeps its running statistics and drops nothing."""
    network.train()
    for module in network.modules():
        own = list(module.parameters())
        if own and all(rests(parameter) for parameter in own):
            module.eval()
