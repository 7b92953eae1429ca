"""The size of a network, read from the card inside its weights."""

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

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
        item.name: _build(hints[item.name], values[item.name]) if is_dataclass(hints[item.name]) else values[item.name]
        for item in fields(kind)  # type: ignore[arg-type]
        if item.name in values
    }
    return kind(**parts)
