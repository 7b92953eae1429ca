"""What an option of training declares of itself: its limits, whether it is a path, and to which run it belongs."""

import math
from dataclasses import Field, dataclass, field
from typing import Any

from mrviewer.errors import InputError

__all__ = [
    "COUNT",
    "NUMBER",
    "RATE",
    "SHARE",
    "SIZE",
    "Limits",
    "OptionTraits",
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

    def holds(self, value: float) -> bool:
        """Whether a number lies inside."""
        return (self.low < value if self.is_open else self.low <= value) and value <= self.high

    @property
    def in_words(self) -> str:
        """What to give."""
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
    common: bool = False
    is_path: bool = False
    of_run: bool = False
    starts_from: bool = False
    is_asked: bool = True
    is_range: bool = False


# Like `dataclasses.field`, whose value has the type of whatever field it is given to.
def option(default: Any, limits: Limits | None = None, **traits: bool) -> Any:  # noqa: ANN401
    """Return a field of an options dataclass that says what is true of it.

    Parameters
    ----------
    default
        As for `dataclasses.field`.
    limits, **traits
        See `OptionTraits`.
    """
    return field(default=default, metadata={_KEY: OptionTraits(limits, **traits)})


def traits_of(item: Field[Any]) -> OptionTraits:
    """What a field of an options dataclass declares; nothing for a plain field."""
    traits: OptionTraits = item.metadata.get(_KEY, OptionTraits())
    return traits


def require_usable(item: Field[Any], value: object) -> None:
    """Refuse the value of an option that no training can use.

    Parameters
    ----------
    item
        Field of the option.
    value
        What was read of it; numbers, alone or in a tuple, are looked at.

    Raises
    ------
    InputError
        If a number is not finite or outside the limits of its option, or the ends of a range are exchanged.
    """
    traits = traits_of(item)
    numbers = [each for each in (value if isinstance(value, tuple) else (value,)) if _is_number(each)]
    if not all(map(math.isfinite, numbers)):
        raise InputError(f"option {item.name} is {_typed(numbers)}, which is not finite; give a number")
    if traits.limits is not None and not all(map(traits.limits.holds, numbers)):
        raise InputError(
            f"option {item.name} is {_typed(numbers)} and nothing can be trained with that; give "
            f"{traits.limits.in_words}"
        )
    if traits.is_range and numbers != sorted(numbers):
        raise InputError(f"option {item.name} is {_typed(numbers)}; give the lower end first")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _typed(numbers: list[float]) -> str:
    return ",".join(f"{number:g}" for number in numbers)
