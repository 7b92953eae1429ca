"""Every method that can be trained has a recipe among those whose types are checked."""

from dataclasses import FrozenInstanceError

import pytest
from typed_recipes import all_recipes

from mrviewer.methods.registry import list_methods
from mrviewer.training.recipe import Trainable, Tunable

RECIPES = all_recipes()


def test_every_recipe_is_among_the_typed_ones() -> None:
    trained = {method.card.name for method in list_methods() if isinstance(method, Trainable)}
    assert trained - set(RECIPES) == set()


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_recipes_are_read_only(name: str) -> None:
    recipe = RECIPES[name]
    assert isinstance(recipe, Tunable)
    for attribute in ("training", "needs_labels", "options"):
        with pytest.raises(FrozenInstanceError):
            setattr(recipe, attribute, None)
