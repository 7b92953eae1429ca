"""Archives of numpy that may be damaged; every array in one has a checksum, which reading all of it compares."""

import struct
import zlib
from pathlib import Path
from tokenize import TokenError
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import FileFormatError

__all__ = ["read_npz"]

_DAMAGED = (
    OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, EOFError, OverflowError, MemoryError,
    SyntaxError, TokenError, NotImplementedError, RuntimeError, BadZipFile, zlib.error, struct.error,
)  # fmt: skip
"""What numpy and zipfile raise, depending on which byte is wrong."""


def read_npz(path: Path) -> dict[str, NDArray[np.generic]]:
    """Read all arrays of an archive, none of them pickled.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        If it is damaged; a single wrong bit is noticed.
    """
    try:
        # Opened here, because numpy leaves a damaged archive open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except FileNotFoundError:
        raise
    except _DAMAGED as error:
        raise FileFormatError(f"{path.name} is damaged; remove it, and it is made again") from error
