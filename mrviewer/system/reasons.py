"""Why something failed, in the words of a library or of the system, without the folder in which a file lies.

Folders are often called after patients. A message names a file, and where it lies only who asked for it knows.
"""

import re
from pathlib import PurePath

from mrviewer.errors import MrviewerError

__all__ = ["reason_of"]

_FOLDERS = re.compile(r"(?<![\w.])(?:[A-Za-z]:)?[/\\](?:[^/\\'\"\n]+[/\\])*(?=[^/\\'\"\n]*)")
_LONGEST = 200


def reason_of(error: BaseException) -> str:
    """Return one line about an error, with names of files but no folders; its type where it says nothing."""
    if isinstance(error, MrviewerError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        name = error.filename if isinstance(error.filename, str) else ""
        return f"{error.strerror}: {PurePath(name).name}" if name else error.strerror
    said = " ".join(_FOLDERS.sub("", str(error)).split()).rstrip(".")
    return said[:_LONGEST] or type(error).__name__
