"""The size of a network, read from the card inside its weights, and believed only as far as the weights bear it out."""

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from mrviewer.errors import WeightsError
from mrviewer.methods.weights import read_about, read_sizes

__all__ = ["record_of_weights", "shape_of_weights"]

Shape = TypeVar("Shape")

_ALWAYS_POSSIBLE = 512
"""Whatever the weights are, no count up to this one makes a network that takes long to be laid out."""
_MILLIMETRES = (0.05, 100.0)
"""Voxels that a network may see; far smaller ones would fill the memory with empty space."""


def shape_of_weights(path: Path, kind: type[Shape]) -> Shape:
    """Rebuild the shape record that a recipe saved as ``shape`` beside the weights.

    Raises
    ------
    WeightsError
        If the file says nothing that fits, or a number that its weights cannot have.
    """
    shape = record_of_weights(path, kind, "shape")
    if shape is None:
        raise WeightsError(f"{path.name} does not say the size of its network; give weights that mrviewer trained")
    return shape


def record_of_weights(path: Path, kind: type[Shape], name: str) -> Shape | None:
    """Rebuild any record that a recipe saved beside the weights; `None` where there is none of that name.

    Raises
    ------
    WeightsError
        If it does not fit, or holds a number that the weights cannot have.
    """
    recipe = read_about(path).get("recipe")
    values = recipe.get(name) if isinstance(recipe, dict) else None
    if not isinstance(values, dict):
        return None
    try:
        # As JSON, in which a list may stand for a tuple and nothing else for anything else.
        record = TypeAdapter(kind).validate_json(json.dumps(values), strict=True)
    except (ValidationError, ValueError, TypeError) as error:
        raise WeightsError(f"{path.name} belongs to another architecture; give weights of this method") from error
    sizes = read_sizes(path)
    most = max(len(sizes), *(edge for size in sizes.values() for edge in size), _ALWAYS_POSSIBLE)
    for name, number in _numbers(record):
        if not abs(number) <= most or not _is_length(name, number):
            raise WeightsError(
                f"{path.name} says that {name} of its network is {number:g}, which its weights do not bear out; give "
                "weights that mrviewer trained"
            )
    return record


def _is_length(name: str, number: float) -> bool:
    """Whether a number may be the edge of a voxel, if its name says that it is one."""
    return not name.endswith("_mm") or _MILLIMETRES[0] <= number <= _MILLIMETRES[1]


def _numbers(record: Any) -> Iterator[tuple[str, float]]:  # noqa: ANN401 - any dataclass
    """Every number of a record and of the records in it, by its name."""
    for item in fields(record):
        value = vars(record)[item.name]
        if is_dataclass(value):
            yield from _numbers(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield item.name, value
