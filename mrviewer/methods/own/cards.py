"""The card of an own model: its method's, changed by what was done."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, TypeGuard

from mrviewer.cards.seen import Seen
from mrviewer.errors import WeightsError
from mrviewer.method import Card, Needs
from mrviewer.methods.own.weights_record import OwnModel
from mrviewer.metrics.metric_list import METRICS, flat
from mrviewer.plain_text import shortened

__all__ = ["own_card"]

_LARGEST = 1e300
"""No figure is larger; a whole number in a file may be."""
_VERDICTS = {
    "better": "better than before",
    "worse": "worse than before",
    "undecided": "neither surely better nor surely worse than before",
}


def own_card(model: OwnModel, card: Card) -> Card:
    """Return what an own model says of itself.

    Parameters
    ----------
    model
        The file.
    card
        Of its installed method.

    Raises
    ------
    WeightsError
        If what the file says of needs or classes cannot be understood.
    """
    database = _text(model.lineage.get("database")) or "a database that was not named"
    come = "fine-tuned from" if "parent" in model.lineage else "trained by the recipe of"
    return replace(
        card,
        name=model.name,
        title=f"{card.title}: {model.name}",
        needs=_needs(model, card.needs),
        weights=model.path.name,
        trained_on=_trained_on(model, card, database),
        classes=_names(model, "classes", card.classes),
        figures=_figures(model.lineage, database),
        limits=(
            f"A model of your own, {come} {model.parent} on {database}; not checked by anybody else.",
            "Whether its weights may be passed on is for the terms of that database to say.",
            *(f"Of {model.method} as it is shipped: {limit}" for limit in card.limits),
        ),
        seen=Seen(),  # what the new database has in common, nobody wrote down
        held_out=(),
        trained_for=None,
        tuned=None,
        parent=model.parent,
    )


def _needs(model: OwnModel, needs: Needs) -> Needs:
    """The method's needs with some of them replaced."""
    given = model.about.get("needs", {})
    known = asdict(needs)
    if not isinstance(given, dict):
        raise WeightsError(f"{model.path.name} says what it needs in words that are not understood; export it again")
    for name, value in given.items():
        if name not in known or not _is_alike(value, known[name], may_be_none=name == "max_coils"):
            raise WeightsError(
                f"{model.path.name} says of its needs {shortened(name)!r} what is not understood; export it again"
            )
        known[name] = tuple(value) if isinstance(value, list) else value
    return Needs(**known)


def _is_alike(value: object, usual: object, *, may_be_none: bool) -> bool:
    """Whether a value from a file can stand for another one."""
    if may_be_none:
        return value is None or type(value) is int
    return _is_texts(value) if isinstance(usual, tuple) else type(value) is type(usual)


def _names(model: OwnModel, key: str, usual: tuple[str, ...]) -> tuple[str, ...]:
    given = model.about.get(key)
    if given is None:
        return usual
    if not _is_texts(given):
        raise WeightsError(f"{model.path.name} names its {key} in a way that is not understood; export it again")
    return tuple(given)


def _is_texts(value: object) -> TypeGuard[list[str] | tuple[str, ...]]:
    return isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)


def _text(value: object) -> str:
    """A text, or several of them joined."""
    if isinstance(value, str):
        return value
    return ", ".join(value) if isinstance(value, list | tuple) and _is_texts(value) else ""


def _trained_on(model: OwnModel, card: Card, database: str) -> str:
    """What the weights saw, the data of the parent first."""
    subjects = model.lineage.get("subjects")
    training = subjects.get("training") if isinstance(subjects, dict) else model.about.get("trained_on")
    count = len(training) if isinstance(training, list) else training if type(training) is int else None
    own = f"{'subjects' if count is None else f'{count} subject(s)'} of {database}"
    before = _text(model.about.get("trained_before")) or card.trained_on
    return f"{before}; then {own}" if "parent" in model.lineage and before else own


def _figures(lineage: Mapping[str, object], database: str) -> tuple[str, ...]:
    """What was measured before and after, as one sentence each."""
    before, after = _numbers(lineage.get("before")), _numbers(lineage.get("after"))
    told = [
        f"{metric.sentence(after[metric.key])} (before {metric.text(before.get(metric.key), 'unknown')})"
        for metric in METRICS
        if metric.key in after
    ]
    if not told:
        return ()
    subjects = lineage.get("subjects")
    held_out = subjects.get("validation") if isinstance(subjects, dict) else None
    count = f"{len(held_out)} " if isinstance(held_out, list) else ""
    sentences = [f"On {count}validation subject(s) of {database}, never trained on: {', '.join(told)}."]
    verdict = _VERDICTS.get(str(lineage.get("verdict")))
    return (*sentences, f"On these it is {verdict}.") if verdict else tuple(sentences)


def _numbers(value: object) -> dict[str, float]:
    """Figures of the parts of ``metrics.json`` by their keys, as far as a file holds numbers."""
    figures: dict[str, Any] = dict(flat(value)) if isinstance(value, dict) else {}
    return {
        key: float(number)
        for key, number in figures.items()
        if isinstance(number, int | float) and not isinstance(number, bool) and abs(number) < _LARGEST
    }
