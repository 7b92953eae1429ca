"""The methods that installed packages offer, ours and those of other people alike.

They are registered under the entry-point group ``mrviewer.methods``. Listing them imports no network and not torch: the
object behind an entry point must be light and import its network inside `Method.run`.
"""

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from mrviewer.errors import UnknownNameError
from mrviewer.method import Method

__all__ = ["ENTRY_POINT_GROUP", "installed_method", "installed_names"]

ENTRY_POINT_GROUP = "mrviewer.methods"


@cache
def _entry_points() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}


def installed_names() -> tuple[str, ...]:
    """Names of the methods that installed packages offer."""
    return tuple(_entry_points())


def installed_method(name: str) -> Method:
    """Load a method that an installed package offers.

    Raises
    ------
    UnknownNameError
        If none does.
    """
    try:
        point = _entry_points()[name]
    except KeyError:
        raise UnknownNameError(
            f"there is no method {name!r}; installed are {', '.join(sorted(_entry_points()))}"
        ) from None
    method: Method = point.load()
    return method
