"""The fields of an options dataclass, each with all that a command line or a form must know of it."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from inspect import getdoc
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from mrviewer.options.text import (
    choice_named,
    choices_of,
    is_optional,
    read_value,
    required_type,
    written,
)
from mrviewer.options.traits import OptionTraits, annotated_with, require_usable, traits_of

__all__ = ["OptionField", "option_fields"]

_ENTRY = re.compile(r"^(\w[\w, ]*)$")


@dataclass(frozen=True)
class OptionField:
    """One option.

    Parameters
    ----------
    name
        As it is typed after ``--set``.
    kind
        Its type, without what ``Annotated`` adds.
    value
        What it is now.
    help
        One or more sentences.
    traits
        What it declares of itself.
    annotated
        What its ``Annotated`` says to magicgui.
    """

    name: str
    kind: Any
    value: object
    help: str = ""
    traits: OptionTraits = field(default_factory=OptionTraits)
    annotated: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """What it is now, as it is typed."""
        return written(self.value)

    @property
    def choices(self) -> tuple[object, ...]:
        """All values that it may have, but for the `None` of an optional one; empty where they are not listed."""
        return self.traits.choices or choices_of(required_type(self.kind))

    def read(self, text: str) -> object:
        """Return the value that was typed; raises `InputError` if it cannot be read, or not be used."""
        if self.traits.choices and not (text == "" and is_optional(self.kind)):
            return choice_named(self.name, text, self.traits.choices)
        value = read_value(self.name, text, self.kind)
        require_usable(self.name, value, self.traits)
        return value


def option_fields(record: Any, hidden: Collection[str] = ()) -> tuple[OptionField, ...]:  # noqa: ANN401 - any dataclass
    """Describe the options of a dataclass; its docstring is their help.

    Parameters
    ----------
    record
        An instance. A record inside the record is derived from the other fields, and not an option.
    hidden
        Names to leave out.
    """
    hints = get_type_hints(type(record), include_extras=True)
    texts = _help_of(type(record))
    found = []
    for item in fields(record):
        hint = hints[item.name]
        kind = get_args(hint)[0] if get_origin(hint) is Annotated else hint
        if item.name not in hidden and item.init and not is_dataclass(kind):
            value, traits, told = getattr(record, item.name), traits_of(item, hint), annotated_with(hint)
            found.append(OptionField(item.name, kind, value, texts.get(item.name, ""), traits, told))
    return tuple(found)


def _help_of(kind: type) -> Mapping[str, str]:
    """What the section ``Parameters`` of a docstring says of each name; several may share an entry."""
    texts: dict[str, str] = {}
    names: list[str] = []
    inside = False
    for line in (getdoc(kind) or "").splitlines():
        if set(line) == {"-"}:
            inside = True
        elif inside and (entry := _ENTRY.match(line)):
            names = [name.strip() for name in entry[1].split(",")]
        elif inside and line.startswith("    "):
            for name in names:
                texts[name] = f"{texts.get(name, '')} {line.strip()}".strip()
    return {name: text.replace("`", "") for name, text in texts.items()}
