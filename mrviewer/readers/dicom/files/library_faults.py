"""What the libraries that read DICOM raise on damaged files, and how it becomes one sentence."""

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import RLock

import pydicom
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
    """Raise `sentence` as `FileFormatError` where a library stumbles over a file, and keep the library quiet.

    Its warnings and its log may quote what the file holds, names included, so neither gets out. One thread at a time:
    what Python ignores as a warning is the same for all threads.
    """
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        was_reading = _reading.set(True)
        try:
            yield
        except InputError:
            raise
        except _DAMAGED as error:
            raise FileFormatError(sentence) from error
        finally:
            _reading.reset(was_reading)


_one_at_a_time = RLock()
_reading: ContextVar[bool] = ContextVar("reading DICOM", default=False)
pydicom.config.logger.addFilter(lambda record: not _reading.get())
