"""Small files that are written over in place."""

import os
from pathlib import Path

__all__ = ["write_in_place"]


def write_in_place(path: Path, content: bytes) -> None:
    """Write over a file in one go, without emptying it first, so that a full disk does not matter.

    Whoever reads meanwhile never finds it empty; nor half written, if it is always equally long.
    """
    with open(path, "wb", buffering=0, opener=_keeping) as file:
        file.write(content)
        file.truncate()


def _keeping(path: str, flags: int) -> int:
    return os.open(path, flags & ~os.O_TRUNC, 0o644)
