"""``mrviewer methods`` and ``mrviewer masks``."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from mrviewer.commands.options import AsJson
from mrviewer.commands.terminal import print_json, print_table, say
from mrviewer.errors import MaskError, UnknownNameError
from mrviewer.method import Card
from mrviewer.methods.registry import get_method, method_names
from mrviewer.system.reasons import reason_of

__all__ = ["masks", "methods"]


def methods(
    names: Annotated[
        list[str] | None, typer.Argument(help="Tell all that the cards of these say.", metavar="NAME...")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the installed methods and your own models: tasks, needs, weights, citation."""
    if names:
        _tell_cards([get_method(name).card for name in names], as_json=as_json)
        return
    cards = _cards()
    if as_json:
        print_json([_card_record(card) for card in cards])
        return
    table = Table("name", "parent", "tasks", "needs", "weights", "trained on", "citation")
    for card in cards:
        tasks, needs = ", ".join(card.tasks), _needs_in_words(card)
        table.add_row(
            card.name, card.parent or "-", tasks, needs, card.weights or "-", card.trained_on or "-", card.citation
        )
    print_table(table, to_stdout=True)


def _tell_cards(cards: Sequence[Card], *, as_json: bool) -> None:
    """All that some cards say, figures and limits too."""
    if as_json:
        print_json([{**_card_record(card), **_told(card)} for card in cards])
        return
    for card in cards:
        table = Table("", f"{card.title} ({card.name})", show_lines=True)
        told = {**_card_record(card), **_told(card), "needs": _needs_in_words(card), "held_out": card.held_out}
        for key, value in told.items():
            lines = value if isinstance(value, list | tuple) else [value or "-"]
            table.add_row(key.replace("_", " "), "\n".join(map(str, lines)))
        print_table(table, to_stdout=True)


def masks(as_json: AsJson = False) -> None:
    """List the mask families."""
    from mrviewer.sampling import FILE, MaskSetting, mask_families

    learned = _learned_in_words()
    records: list[dict[str, str | int | list[str] | None]] = [
        {
            "name": FILE.named(FILE.argument) if family is FILE else family.name,
            "title": family.title,
            "dimensions": family.dimensions,
            "description": " ".join(filter(None, (family.description, learned.get(family.name)))),
            "citation": family.citation or None,
            "settings": [setting.value for setting in MaskSetting if setting in family.settings],
        }
        for family in (*mask_families(), FILE)
    ]
    if as_json:
        print_json(records)
        return
    table = Table("name", "acquires", "description", "citation")
    for record in records:
        acquires = {1: "lines", 2: "samples", None: "either"}[record["dimensions"]]  # type: ignore[index]
        table.add_row(str(record["name"]), acquires, str(record["description"]), str(record["citation"] or "-"))
    print_table(table, to_stdout=True)


def _learned_in_words() -> dict[str, str]:
    """For which rates the installed methods have learned masks, by name of the family."""
    from mrviewer.sampling import installed_patterns, mask_families

    told = {}
    for name in (family.name for family in mask_families() if family.is_learned):
        try:
            patterns = installed_patterns(name)
        except MaskError:
            told[name] = "None of the installed methods has been trained to make one."
            continue
        rates = ", ".join(f"{pattern.acceleration:g}" for pattern in patterns)
        told[name] = f"Learned by {patterns[0].method} for acceleration {rates}."
    return told


def _cards() -> list[Card]:
    """Cards of all methods; one that cannot be imported is named on standard error and left out."""
    cards = []
    for name in method_names():
        try:
            cards.append(get_method(name).card)
        except ImportError as error:
            say(f"method {name} is left out, it cannot be imported: {reason_of(error)}")
        except UnknownNameError:
            say(f"method {name} is left out, it has just been removed")
    return cards


def _card_record(card: Card) -> dict[str, object]:
    """What ``methods --json`` promises of a card; an own model has a parent besides."""
    record: dict[str, object] = {
        "name": card.name,
        "tasks": [str(task) for task in card.tasks],
        "needs": asdict(card.needs),
        "weights": card.weights,
        "trained_on": card.trained_on,
        "citation": card.citation,
        "licence": card.licence,
    }
    return record if card.parent is None else {**record, "parent": card.parent}


def _told(card: Card) -> dict[str, object]:
    """What else a card says; figures by the keys of `mrviewer.cards.held_out.CARD_FIGURES`."""
    return {
        "title": card.title,
        "classes": list(card.classes),
        "trained_for": card.trained_for,
        "held_out": [{"subject": case.subject, "condition": case.condition, **case.figures} for case in card.held_out],
        "figures": list(card.figures),
        "tuned": card.tuned,
        "limits": list(card.limits),
    }


def _needs_in_words(card: Card) -> str:
    needs = card.needs
    what = "k-space" if needs.kspace else "images"
    modalities = f" of {' or '.join(needs.modalities)}" if needs.modalities else ""
    coils = f", {needs.max_coils} coil(s) at most" if needs.max_coils is not None else ""
    return f"{what}{modalities}{coils}"
