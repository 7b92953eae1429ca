"""One of the arrays of a file: what is known of it before it is read."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

__all__ = ["NamedArray"]


@dataclass(frozen=True)
class NamedArray:
    """An array of numbers by its name in a file; what reads it adds `part`."""

    path: Path
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]

    @property
    def file_name(self) -> str:
        """The file."""
        return self.path.name
