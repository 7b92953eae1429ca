"""What an option declares of itself: its limits and choices, whether it is a path, and to which run it belongs."""

import math
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, replace
from typing import Annotated, Any, get_args, get_origin

from mrviewer.errors import InputError

__all__ = [
    "COUNT",
    "NUMBER",
    "RATE",
    "SHARE",
    "SIZE",
    "Limits",
    "OptionTraits",
    "annotated_with",
    "option",
    "require_usable",
    "traits_of",
]

_KEY = "option"


@dataclass(frozen=True)
class Limits:
    """From where to where a number goes; `is_open` leaves the lower end out."""

    low: float
    high: float = math.inf
    is_open: bool = False

    @property
    def is_closed(self) -> bool:
        """Whether both ends are numbers that it holds."""
        return not self.is_open and math.isfinite(self.low) and math.isfinite(self.high)

    def holds(self, value: float) -> bool:
        """Whether a number lies inside."""
        return (self.low < value if self.is_open else self.low <= value) and value <= self.high

    @property
    def in_words(self) -> str:
        """What to give."""
        if self.low == -math.inf:
            return f"{self.high:g} or less"
        if self.high < math.inf:
            return (
                f"a number above {self.low:g} and up to {self.high:g}"
                if self.is_open
                else f"{self.low:g} to {self.high:g}"
            )
        return f"a number above {self.low:g}" if self.is_open else f"{self.low:g} or more"


COUNT, NUMBER, SIZE, SHARE = Limits(1), Limits(0), Limits(0, is_open=True), Limits(0, 1)
RATE = Limits(0, 1, is_open=True)


@dataclass(frozen=True)
class OptionTraits:
    """What is true of an option, whatever its value.

    Parameters
    ----------
    limits
        Of a number, or of each of several; `None` where any finite one will do.
    choices
        All values that it may have; empty where the type says enough.
    step
        From one number to the next in a form; `None` for whatever suits the limits.
    common
        Whether the user is likely to change it.
    is_path
        Whether it is a path on this machine, of which weights that travel keep the last two names.
    of_run
        Whether it belongs to the run that made the weights, and not to the next one that starts from them.
    starts_from
        Whether it names the weights that training starts from.
    is_asked
        Whether it is given in this way, and not by the split of the database or the weights to go on from.
    is_range
        Whether it is a range, whose lower end comes first.
    """

    limits: Limits | None = None
    choices: tuple[object, ...] = ()
    step: float | None = None
    common: bool = False
    is_path: bool = False
    of_run: bool = False
    starts_from: bool = False
    is_asked: bool = True
    is_range: bool = False


# Like `dataclasses.field`, whose value has the type of whatever field it is given to.
def option(
    default: Any,  # noqa: ANN401
    limits: Limits | None = None,
    *,
    choices: tuple[object, ...] = (),
    step: float | None = None,
    **traits: bool,
) -> Any:  # noqa: ANN401
    """Return a field of an options dataclass that says what is true of it.

    Parameters
    ----------
    default
        As for `dataclasses.field`.
    limits, choices, step, **traits
        See `OptionTraits`.
    """
    return field(default=default, metadata={_KEY: OptionTraits(limits, choices, step, **traits)})


def traits_of(item: Field[Any], hint: Any = None) -> OptionTraits:  # noqa: ANN401 - a type annotation
    """What a field of an options dataclass declares; nothing for a plain field.

    Parameters
    ----------
    item
        Made by `option`, or plain.
    hint
        Its annotation. ``Annotated[int, {"min": 1, "max": 6}]``, as magicgui reads it, declares ``min``, ``max``,
        ``step`` and ``choices`` where `option` did not.
    """
    traits: OptionTraits = item.metadata.get(_KEY, OptionTraits())
    told = annotated_with(hint)
    limits = traits.limits
    if limits is None and {"min", "max"} & set(told):
        limits = Limits(told.get("min", -math.inf), told.get("max", math.inf))
    return replace(
        traits,
        limits=limits,
        choices=traits.choices or tuple(map(_value_of, told.get("choices", ()))),
        step=told.get("step") if traits.step is None else traits.step,
    )


def annotated_with(hint: Any) -> Mapping[str, Any]:  # noqa: ANN401 - a type annotation
    """All that the dictionaries of an ``Annotated`` say."""
    parts = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return {key: value for part in parts if isinstance(part, Mapping) for key, value in part.items()}


def require_usable(name: str, value: object, traits: OptionTraits) -> None:
    """Refuse the value of an option that cannot be used.

    Parameters
    ----------
    name
        Of the option.
    value
        What was read of it; numbers, alone or in a tuple, are looked at.
    traits
        What the option declares.

    Raises
    ------
    InputError
        If a number is not finite or outside the limits of its option, or the ends of a range are exchanged.
    """
    numbers = [each for each in (value if isinstance(value, tuple) else (value,)) if _is_number(each)]
    if not all(map(math.isfinite, numbers)):
        raise InputError(f"option {name} is {_typed(numbers)}, which is not finite; give a number")
    if traits.limits is not None and not all(map(traits.limits.holds, numbers)):
        raise InputError(f"option {name} is {_typed(numbers)}, which cannot be used; give {traits.limits.in_words}")
    if traits.is_range and numbers != sorted(numbers):
        raise InputError(f"option {name} is {_typed(numbers)}; give the lower end first")


def _value_of(choice: object) -> object:
    """The value of a choice, which magicgui takes as a pair of words and value, too."""
    return choice[1] if isinstance(choice, tuple) and len(choice) == 2 and isinstance(choice[0], str) else choice


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _typed(numbers: list[float]) -> str:
    return ",".join(f"{number:g}" for number in numbers)
