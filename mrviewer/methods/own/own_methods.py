"""Own models as methods."""

import logging
from functools import lru_cache
from pathlib import Path
from typing import Protocol, Self, runtime_checkable

from mrviewer.errors import MrviewerError, UnknownNameError, WeightsError
from mrviewer.method import Card, Method
from mrviewer.methods.installed import installed_method
from mrviewer.methods.own.cards import own_card
from mrviewer.methods.own.weights_record import OwnModel, find_own_model, own_models
from mrviewer.system.reasons import reason_of

__all__ = [
    "Adaptable",
    "adaptable_method",
    "find_own_method",
    "method_of",
    "own_method",
    "own_methods",
    "own_model_names",
]

_logger = logging.getLogger(__name__)


@runtime_checkable
class Adaptable(Method, Protocol):
    """A method that runs with other weights, under another card."""

    def with_card(self, card: Card) -> Self:
        """The same method that says something else of itself."""
        ...

    def with_weights(self, path: Path) -> Method:
        """The same method with weights from a file."""
        ...

    def check_weights(self, path: Path) -> None:
        """Raise `WeightsError` if the weights in a file are not of this method's architecture."""
        ...


def adaptable_method(name: str, file: str) -> Adaptable:
    """The installed method that the weights in a file belong to.

    Raises
    ------
    WeightsError
        If it takes no weights but its own.
    UnknownNameError
        If it is not installed.
    """
    method = installed_method(name)
    if not isinstance(method, Adaptable):
        raise WeightsError(f"{file} belongs to {name}, which takes no other weights; give weights of a trained method")
    return method


def method_of(model: OwnModel) -> Method:
    """The method that runs an own model.

    Raises
    ------
    WeightsError
        If its card cannot be understood, or its method takes no other weights.
    """
    method = adaptable_method(model.method, model.path.name)
    return method.with_card(own_card(model, method.card)).with_weights(model.path)


def own_methods() -> tuple[Method, ...]:
    """Every own model that can be run; of what cannot a line of the log tells."""
    return tuple(method for model in own_models() if (method := _usable(model)) is not None)


def own_model_names() -> tuple[str, ...]:
    """Names of `own_methods`."""
    return tuple(method.card.name for method in own_methods())


def find_own_method(name: str) -> Method | None:
    """The own model of that name; `None` if there is none that can be run."""
    model = find_own_model(name)
    return None if model is None else _usable(model)


def own_method(name: str) -> Method:
    """The own model of that name.

    Raises
    ------
    UnknownNameError
        If there is none that can be run.
    """
    method = find_own_method(name)
    if method is None:
        raise UnknownNameError(f"no model of your own that can be run is called {name!r}; `mrviewer models` lists them")
    return method


@lru_cache(maxsize=1024)
def _usable(model: OwnModel) -> Method | None:
    """Build a method once for each version of a file, since a version is one object (`find_own_model`)."""
    try:
        return method_of(model)
    except (MrviewerError, ImportError) as error:
        _logger.warning("left out of the methods: %s", reason_of(error))
        return None
