"""What a method needs once it was fine-tuned on other images than those it was made for."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from mrviewer.method import Card, Needs
from mrviewer.training.recipe import Recipe

__all__ = ["changed_needs", "fitted_card"]


def fitted_card(card: Card, recipe: Recipe, modalities: Sequence[str], measured: str) -> Card:
    """Return the card with the needs that the method has on a database.

    Parameters
    ----------
    card
        Of the parent.
    recipe
        A network with channels by modality says in its shape which they are.
    modalities
        Images of the database's studies.
    measured
        The one that is measured, for methods that look at one.
    """
    needs = card.needs
    channels = tuple(getattr(getattr(recipe.options, "shape", None), "modalities", ()))
    if needs.optional and channels:
        return replace(card, needs=replace(needs, modalities=channels, optional=channels))
    if needs.modalities and not needs.required and measured not in needs.modalities and measured in modalities:
        return replace(card, needs=replace(needs, modalities=(measured,)))
    return card


def changed_needs(before: Needs, after: Needs) -> dict[str, Any]:
    """Needs that differ, as the metadata of weights hold them."""
    old = asdict(before)
    changed = {name: value for name, value in asdict(after).items() if value != old[name]}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in changed.items()}
