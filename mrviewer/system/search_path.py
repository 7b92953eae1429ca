"""Where programs look for code: never in the current folder, which may be that of a study from anywhere.

``python -m`` puts the current folder first, and so does ``python -c``, with which `multiprocessing` starts processes;
an empty or relative entry of ``PYTHONPATH`` means it too. A file ``numpy.py`` beside the images would be run. HDF5 and
Qt load plugins, and the system libraries, from places of variables that are read in the same way.
"""

import os
import sys
from pathlib import Path

__all__ = ["child_environment", "forget_current_folder", "python_command"]

_SAFE, _PLACES = "PYTHONSAFEPATH", "PYTHONPATH"
_SEARCHED = (_PLACES, "HDF5_PLUGIN_PATH", "QT_PLUGIN_PATH", "QT_QPA_PLATFORM_PLUGIN_PATH", "LD_LIBRARY_PATH")
"""Variables that list folders from which code is loaded."""


def forget_current_folder() -> None:
    """Load no code from the current folder from now on, here and in processes that are started from here.

    It stays where it holds this package, or was named in full.
    """
    given = os.environ[_PLACES].split(os.pathsep) if os.environ.get(_PLACES) else []
    named = {Path(place).resolve() for place in given if Path(place).is_absolute()}
    suspects = {_resolved(place) for place in given if not Path(place).is_absolute()}
    if not sys.flags.safe_path and sys.path and _resolved(sys.path[0]) == _resolved(""):
        suspects.add(_resolved(""))
    suspects -= {*named, Path(__file__).resolve().parents[2]}
    sys.path[:] = [place for place in sys.path if _resolved(place) not in suspects]
    safe = child_environment()
    for name in _SEARCHED:
        os.environ.pop(name, None)
    os.environ.update(safe)


def child_environment() -> dict[str, str]:
    """Variables for a child process of Python that loads no code from the current folder."""
    named = {name: _named_in_full(os.environ.get(name, "")) for name in _SEARCHED}
    kept = {name: value for name, value in os.environ.items() if name not in _SEARCHED}
    return {**kept, _SAFE: "1", **{name: places for name, places in named.items() if places}}


def python_command(*arguments: str) -> list[str]:
    """Command line of this Python, with ``-P``, so that it imports nothing from the current folder."""
    return [sys.executable, "-P", *arguments]


def _named_in_full(places: str) -> str:
    return os.pathsep.join(place for place in places.split(os.pathsep) if Path(place).is_absolute())


def _resolved(place: str) -> Path | None:
    """Folder of an entry of a search path, an empty one being the current folder; `None` where that was deleted."""
    try:
        return Path(place).resolve()
    except OSError:
        return None
