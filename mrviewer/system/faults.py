"""One net under everything: whatever goes wrong becomes one sentence for the user.

A sentence says what happened in words of ours. The message of a foreign error is never repeated: it may be long, in a
language of programmers, or hold the folder of a patient.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath

from mrviewer.errors import FileFormatError, MrviewerError, UnforeseenError, WriteError
from mrviewer.system.fault_log import keep_fault

__all__ = ["explained", "guarded", "is_full_disk", "unwritable"]

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_SHOWN = 60
_NO_MEMORY = ("out of memory", "can't allocate memory", "cannot allocate memory", "not enough memory")
"""What torch says, in errors of no type of their own."""


def explained(error: BaseException, what: str) -> MrviewerError:
    """Return an error whose message is one sentence: itself if it was raised on purpose, else one that says it.

    What was not raised on purpose is kept in the log; see `mrviewer.system.fault_log`.

    Parameters
    ----------
    error
        Anything.
    what
        What was being done, in words of ours, without names of files.
    """
    if isinstance(error, MrviewerError):
        return error
    keep_fault(error, what)
    told = UnforeseenError(_sentence(error))
    told.__cause__ = error
    return told


@contextmanager
def guarded(name: str, what: str) -> Iterator[None]:
    """Read one file of many: whatever it raises becomes a sentence about it, so that it hides none of the others.

    Parameters
    ----------
    name
        Of the file, without its place.
    what
        See `explained`.

    Raises
    ------
    FileFormatError
        If anything was raised that is not one of our own sentences.
    """
    try:
        yield
    except MrviewerError:
        raise
    except Exception as error:
        raise FileFormatError(f"{_brief(name)} cannot be read: {explained(error, what)}") from error


def unwritable(error: BaseException, name: str) -> WriteError | None:
    """Say in one sentence why a file or folder cannot be written; `None` if the error is of another kind.

    Parameters
    ----------
    error
        What came while it was written.
    name
        Of the file or folder, without its place.
    """
    number = error.errno if isinstance(error, OSError) else None
    if is_full_disk(error):
        return WriteError(
            f"{_brief(name)} cannot be written, the disk is full; make room and try again", number or errno.ENOSPC
        )
    if number == errno.ENAMETOOLONG:
        return WriteError(
            f"{_brief(name)} cannot be written, its name is too long; choose a shorter one", errno.ENAMETOOLONG
        )
    if number == errno.EFBIG:
        return WriteError(
            f"{_brief(name)} cannot be written, files may not grow so large here; write elsewhere", number
        )
    if number in _FORBIDDEN and isinstance(error, OSError):
        return WriteError(
            f"{_brief(name)} cannot be written ({error.strerror}); check the permissions, or write elsewhere", number
        )
    return None


def is_full_disk(error: BaseException) -> bool:
    """Whether something failed because nothing more can be written."""
    return (isinstance(error, OSError) and error.errno in _FULL) or "No space left on device" in str(error)


def _sentence(error: BaseException) -> str:
    if _is_lack_of_memory(error):
        return "there is not enough memory for this; close other programs, or try it on a smaller study"
    if isinstance(error, RecursionError):
        return "something that was given is nested too deeply to be read; check the file, or give another one"
    if isinstance(error, UnicodeError):
        return "a name or a text holds characters that are not text; rename the file or folder, and try again"
    if is_full_disk(error):
        return f"the disk is full{_at(error)}; make room and try again"
    if isinstance(error, OSError) and error.errno is not None:
        return _of_the_system(error)
    return (
        f"mrviewer met an error that it does not know ({type(error).__name__}); please report it, with the log that "
        "`mrviewer info` names"
    )


def _of_the_system(error: OSError) -> str:
    """What the operating system refused, and of which file."""
    name = _file(error)
    if error.errno == errno.ENAMETOOLONG:
        return f"the name {name or 'of a file'} is too long for this system; choose a shorter one"
    if error.errno in _FORBIDDEN:
        return f"{name or 'a file'} may not be read or written ({error.strerror}); check its permissions"
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return f"{name or 'a file'} is not there, or not any more; check the path, and try again"
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return "too many files are open; close other programs, and try again"
    if error.errno == errno.EFBIG:
        return f"{name or 'a file'} may not grow so large here; write elsewhere"
    return f"the system refused {name or 'a file'} ({error.strerror}); check the disk, and try again"


def _is_lack_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _NO_MEMORY)


def _at(error: BaseException) -> str:
    name = _file(error)
    return f" ({name})" if name else ""


def _file(error: BaseException) -> str:
    """Name of the file that an error is of, without its folder."""
    given = error.filename if isinstance(error, OSError) else None
    return _brief(PurePath(given).name) if isinstance(given, str) else ""


def _brief(name: str) -> str:
    """A name as it can be shown: not too long, in one line."""
    shown = "".join(sign if sign.isprintable() else "?" for sign in name)
    return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 1]}…"
