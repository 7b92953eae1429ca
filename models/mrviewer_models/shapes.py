"""The size of a network, read from the card inside its weights."""

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_origin, get_type_hints

from mrviewer.errors import WeightsError
from mrviewer.weights import load_weights

__all__ = ["shape_of_weights"]

Shape = TypeVar("Shape")


def shape_of_weights(path: Path, kind: type[Shape]) -> Shape:
    """Rebuild the shape record that a recipe saved as ``shape`` beside the weights.

    Raises
    ------
    WeightsError
        If the file says nothing that fits.
    """
    recipe = load_weights(path).about.get("recipe")
    shape = recipe.get("shape") if isinstance(recipe, dict) else None
    if not isinstance(shape, dict):
        raise WeightsError(f"{path.name} does not say the size of its network; give weights that mrviewer trained")
    try:
        return _build(kind, shape)
    except (TypeError, KeyError) as error:
        raise WeightsError(f"{path.name} belongs to another architecture; give weights of this method") from error


def _build(kind: type[Shape], values: dict[str, Any]) -> Shape:
    hints = get_type_hints(kind)
    parts = {
        item.name: _read(hints[item.name], values[item.name])
        for item in fields(kind)  # type: ignore[arg-type]
        if item.name in values
    }
    return kind(**parts)


def _read(hint: Any, value: Any) -> object:  # noqa: ANN401 - annotations and JSON have no better type
    if is_dataclass(hint):
        return _build(hint, value)  # type: ignore[arg-type]
    # JSON knows no tuples.
    return tuple(value) if get_origin(hint) is tuple else value
