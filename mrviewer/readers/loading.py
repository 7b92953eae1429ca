"""Reading pixels piece by piece, so that somebody can see how far it is and stop it."""

from collections.abc import Generator
from typing import Protocol, runtime_checkable

from mrviewer.progress import Progress
from mrviewer.study import LazyArray

__all__ = ["load_pixels"]


@runtime_checkable
class _Loadable(Protocol):
    """An array that can be read piece by piece."""

    def load(self) -> Generator[Progress, None, None]:
        """Read it; closing the generator stops it, and nothing is kept then."""
        ...


def load_pixels(array: LazyArray) -> Generator[Progress, None, None]:
    """Read an array into memory if its format can be read piece by piece; others are read when they are looked at.

    Raises
    ------
    FileFormatError
        If its file is damaged.
    """
    if isinstance(array, _Loadable):
        yield from array.load()
