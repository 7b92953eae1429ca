"""What options of training can be: no run is started with a number that nothing can be trained with."""

import math
import re
from dataclasses import dataclass

from mrviewer.errors import InputError

__all__ = ["require_usable"]


@dataclass(frozen=True)
class _Limits:
    """From where to where a number goes; `is_open` leaves the lower end out."""

    low: float
    high: float = math.inf
    is_open: bool = False

    def holds(self, value: float) -> bool:
        return (self.low < value if self.is_open else self.low <= value) and value <= self.high

    @property
    def in_words(self) -> str:
        if self.high < math.inf:
            return (
                f"a number above {self.low:g} and up to {self.high:g}"
                if self.is_open
                else f"{self.low:g} to {self.high:g}"
            )
        return f"a number above {self.low:g}" if self.is_open else f"{self.low:g} or more"


_COUNT, _NUMBER, _SIZE, _SHARE = _Limits(1), _Limits(0), _Limits(0, is_open=True), _Limits(0, 1)
_BY_NAME = (
    (r"steps|steps_per_head|edge|batch_size|coarsen|n_cls", _COUNT),
    (r"learning_rate|decay", _Limits(0, 1, is_open=True)),
    (r"decay_epochs|time_scale|slope|steepness|reconstruction_scale|loss_scale", _SIZE),
    (r"accelerations|main_acceleration", _COUNT),
    (r"center_fraction|alpha|beta|dropout|real_class|\w*_(?:share|shares|probability)", _SHARE),
    (
        r"steps_per_epoch|weight_decay|decay_times|seed|threads|contrast_spread|crop|crop_rows|slice_size|stages|blocks|"
        r"iterations|recurrences|max_coils|always_lines|free_channels|neighbours|voxel_mm|window|sharpness|\w*_weight",
        _NUMBER,
    ),
)
"""Limits by the names of options, which mean the same in every recipe; an option of another name has none."""


def require_usable(name: str, value: object) -> None:
    """Refuse the value of an option that no training can use.

    Parameters
    ----------
    name
        Of the option.
    value
        What was read of it; numbers, alone or in a tuple, are looked at.

    Raises
    ------
    InputError
        If a number is not finite or outside what its name can mean, or the ends of a range are exchanged.
    """
    numbers = [each for each in (value if isinstance(value, tuple) else (value,)) if _is_number(each)]
    if not all(map(math.isfinite, numbers)):
        raise InputError(f"option {name} is {_typed(numbers)}, which is not finite; give a number")
    limits = next((limits for pattern, limits in _BY_NAME if re.fullmatch(pattern, name)), None)
    if limits is not None and not all(map(limits.holds, numbers)):
        raise InputError(
            f"option {name} is {_typed(numbers)} and nothing can be trained with that; give {limits.in_words}"
        )
    if name == "accelerations" and numbers != sorted(numbers):
        raise InputError(f"option {name} is {_typed(numbers)}; give the lower end first")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _typed(numbers: list[float]) -> str:
    return ",".join(f"{number:g}" for number in numbers)
