"""Values of options as text: what is typed on a command line or in a form, and what a value looks like there."""

from collections.abc import Sequence
from enum import Enum
from pathlib import PurePath
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from mrviewer.errors import InputError

__all__ = ["choice_named", "choices_of", "is_optional", "read_value", "required_type", "type_in_words", "written"]

_YES_NO = {"true": True, "1": True, "false": False, "0": False}


def written(value: object) -> str:
    """A value as `read_value` reads it; a list that JSON made of a tuple is written as the tuple, `None` as nothing."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ",".join(map(written, value))
    if isinstance(value, Enum):
        return str(value.value)
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)


def read_value(name: str, text: str, kind: Any) -> object:  # noqa: ANN401 - a type annotation has no better type
    """Read the value of an option.

    Parameters
    ----------
    name
        Of the option, for the sentence.
    text
        What was typed. Parts of a tuple are separated by commas; nothing at all is the `None` of an optional value.
    kind
        Type of the field: int, float, bool, str, a path, an Enum, a Literal, a tuple of these, or one of them or
        `None`.

    Raises
    ------
    InputError
        If the text is not such a value, or the type is none of these.
    """
    if is_optional(kind):
        return None if text in ("", "None") else read_value(name, text, required_type(kind))
    if choices := choices_of(kind):
        return choice_named(name, text, choices)
    try:
        if get_origin(kind) is tuple:
            return tuple(read_value(name, part, part_kind) for part, part_kind in _parts(text, get_args(kind)))
        if kind is bool:
            return _YES_NO[text.lower()]
        if isinstance(kind, type) and issubclass(kind, PurePath) and not text.strip():
            raise ValueError(text)
        if isinstance(kind, type) and issubclass(kind, int | float | str | PurePath):
            value: object = kind(text)
            return value
    except (ValueError, KeyError, InputError):
        raise InputError(f"option {name} is {text!r}, which cannot be read as {type_in_words(kind)}") from None
    raise InputError(f"option {name} holds {type_in_words(kind)}, which cannot be given as text; leave it out")


def choice_named(name: str, text: str, choices: Sequence[object]) -> object:
    """Return the choice that is written so, or an enumeration's member of that name; raises `InputError` if none is."""
    for choice in choices:
        if written(choice) == text or (isinstance(choice, Enum) and choice.name.lower() == text.lower()):
            return choice
    raise InputError(f"option {name} is {text!r}; choose one of {', '.join(map(written, choices))}")


def choices_of(kind: Any) -> tuple[object, ...]:  # noqa: ANN401
    """Members of an enumeration, or values of a Literal; empty for other types."""
    if get_origin(kind) is Literal:
        return get_args(kind)
    return tuple(kind) if isinstance(kind, type) and issubclass(kind, Enum) else ()


def is_optional(kind: Any) -> bool:  # noqa: ANN401
    """Whether a type is another one or `None`."""
    return get_origin(kind) in (Union, UnionType) and NoneType in get_args(kind)


def required_type(kind: Any) -> Any:  # noqa: ANN401
    """An optional type without its `None`; any other as it is."""
    if not is_optional(kind):
        return kind
    rest = tuple(one for one in get_args(kind) if one is not NoneType)
    return rest[0] if len(rest) == 1 else Union[rest]  # noqa: UP007 - made at run time


def type_in_words(kind: Any) -> str:  # noqa: ANN401
    """Name of a type for a sentence."""
    return str(kind.__name__) if isinstance(kind, type) and not get_args(kind) else _generic_in_words(kind)


def _generic_in_words(kind: Any) -> str:  # noqa: ANN401
    if get_origin(kind) is not tuple:
        return str(kind)
    kinds = get_args(kind)
    if Ellipsis in kinds:
        return f"{type_in_words(kinds[0])} values separated by commas"
    return f"a tuple of {len(kinds)} values separated by commas"


def _parts(text: str, kinds: tuple[Any, ...]) -> list[tuple[str, Any]]:
    """Each part of a tuple, and its type; raises `ValueError` where there are more or fewer parts than types."""
    words = text.split(",") if text else []
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        kinds = kinds[:1] * len(words)
    return list(zip(words, kinds, strict=True))
