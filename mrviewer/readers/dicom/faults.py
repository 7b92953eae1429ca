"""What the libraries that read DICOM raise on damaged files, and how it becomes one sentence."""

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from pydicom.errors import BytesLengthException, InvalidDicomError

from mrviewer.errors import FileFormatError, InputError

__all__ = ["told_as"]

_DAMAGED = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BytesLengthException,
    EOFError,
    InvalidDicomError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


@contextmanager
def told_as(sentence: str) -> Iterator[None]:
    """Raise `sentence` as `FileFormatError` where a library stumbles over a file, and keep its warnings quiet.

    A warning of the library may quote what the file holds, names included, so none gets out.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except InputError:
            raise
        except _DAMAGED as error:
            raise FileFormatError(sentence) from error
