"""Going on from trained weights: with which options a recipe begins."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Protocol, runtime_checkable

from mrviewer.errors import InputError
from mrviewer.methods.weights import read_about
from mrviewer.options import written
from mrviewer.study import Study
from mrviewer.training.options import names_where, override
from mrviewer.training.recipe import Recipe, Trainable, Tunable

__all__ = ["finetune_defaults"]

_STEPS = 200


@runtime_checkable
class _HasWeights(Protocol):
    @property
    def weights_file(self) -> Path: ...


def finetune_defaults(
    method: Trainable, weights: Path | None = None, study: Study | None = None, parts: Sequence[str] = ()
) -> dict[str, str]:
    """Options, as typed, with which a method goes on learning from trained weights.

    They are those that the weights were trained with, as far as the recipe still has them, but for the length of the
    run, its schedule, and what the recipe itself changes (`Tunable.finetuning`). The size of the network is left to the
    weights.

    Parameters
    ----------
    method
        What is fine-tuned.
    weights
        To start from; `None` for the method's own.
    study
        One of the new database, whose modalities and voxels some recipes look at; `None` where none is known yet.
    parts
        What is to learn, see `mrviewer.training.parts`; none, or ``all``, for everything.

    Raises
    ------
    InputError
        If the method has no weights.
    WeightsError
        If the weights cannot be read, or are not of this method.
    """
    if weights is None:
        if not isinstance(method, _HasWeights):
            raise InputError(f"{method.card.name} has no weights to go on from; give a file")
        weights = method.weights_file
    saved = read_about(weights).get("recipe")
    base = method.recipe({"start_from": str(weights)})
    defaults = _kept(base, saved if isinstance(saved, Mapping) else {})
    usual = {"start_from": str(weights), "steps": str(_STEPS)}
    changed = method.recipe(defaults | usual)
    return defaults | usual | (dict(changed.finetuning(study, parts)) if isinstance(changed, Tunable) else {})


def _kept(base: Recipe, saved: Mapping[str, object]) -> dict[str, str]:
    """Saved options that the recipe still has and that a person could type."""
    records = (base.training, base.options)
    left_out = names_where(records, lambda traits: traits.of_run) | set(
        base.structure if isinstance(base, Tunable) else ()
    )
    names = {item.name for record in records for item in fields(record)} - left_out
    kept = {name: written(value) for name, value in saved.items() if name in names and not isinstance(value, dict)}
    # An older version may have known values that this one refuses.
    return {name: text for name, text in kept.items() if _is_readable(base, name, text)}


def _is_readable(base: Recipe, name: str, text: str) -> bool:
    try:
        for record in (base.training, base.options):
            override(record, {name: text})
    except InputError:
        return False
    return True
