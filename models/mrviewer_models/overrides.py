"""Options that no recipe knows are refused by name."""

from collections.abc import Mapping

from mrviewer.errors import UnknownNameError

__all__ = ["refuse_unknown"]


def refuse_unknown(method: str, rest: Mapping[str, str]) -> None:
    """Raise `UnknownNameError` if anything is left over."""
    if rest:
        raise UnknownNameError(
            f"the recipe of {method} has no option {next(iter(rest))!r}; its options are in docs/training.md"
        )
