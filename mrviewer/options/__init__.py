"""Options as a dataclass declares them: types, limits, choices and help, for the command line and for forms alike."""

from mrviewer.options.fields import OptionField, option_fields
from mrviewer.options.text import is_optional, read_value, required_type, written
from mrviewer.options.traits import (
    COUNT,
    NUMBER,
    RATE,
    SHARE,
    SIZE,
    Limits,
    OptionTraits,
    option,
    traits_of,
)

__all__ = [
    "COUNT",
    "NUMBER",
    "RATE",
    "SHARE",
    "SIZE",
    "Limits",
    "OptionField",
    "OptionTraits",
    "is_optional",
    "option",
    "option_fields",
    "read_value",
    "required_type",
    "traits_of",
    "written",
]
