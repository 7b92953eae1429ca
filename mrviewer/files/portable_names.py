"""Names of files and folders that every system takes.

References
----------
Microsoft, Naming files, paths, and namespaces: what Windows reserves for devices, and which signs no name may hold.
"""

import re

from mrviewer.errors import InputError

__all__ = ["is_reserved", "portable_name", "require_portable"]

_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3]) *(\..*)?", re.IGNORECASE)
_REFUSED = re.compile(r'[<>:"/\\|?*\x00-\x1f]')


def is_reserved(name: str) -> bool:
    """Whether Windows means a device by a name, whatever its ending, such as ``aux`` and ``nul.nii.gz``."""
    return _DEVICE.fullmatch(name) is not None


def portable_name(text: str) -> str:
    """A name like a text from elsewhere, such as that of a subject or of a method, which every system takes."""
    name = _REFUSED.sub("-", text).rstrip(". ")
    if not name:
        return "unnamed"
    return f"_{name}" if is_reserved(name) else name


def require_portable(name: str, what: str) -> None:
    """Refuse a name that some system does not take.

    Parameters
    ----------
    name
        Without folders.
    what
        That it shall name; begins the sentence.

    Raises
    ------
    InputError
        If it is empty, means a device, holds a refused sign, or ends with a point or a space.
    """
    if name and name == portable_name(name):
        return
    if is_reserved(name):
        reason = "Windows reserves that name for a device"
    elif refused := _REFUSED.search(name):
        reason = f"Windows takes no {refused[0]!r} in a name"
    else:
        reason = "a name must have letters or digits and may not end with a point or a space"
    raise InputError(f"{what} cannot be called {name!r}: {reason}; try {portable_name(name)!r}")
