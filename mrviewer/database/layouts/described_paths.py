"""Paths that a table or a description names, relative to it and written on any system."""

from pathlib import Path

__all__ = ["described_path"]


def described_path(folder: Path, text: str) -> Path:
    r"""File that a text names; ``\`` between folders is understood where no file is called so.

    Parameters
    ----------
    folder
        Of the table or description.
    text
        Absolute or relative to `folder`; ``~`` is the user's own folder.
    """
    path = _within(folder, text)
    return path if "\\" not in text or _is_there(path) else _within(folder, text.replace("\\", "/"))


def _within(folder: Path, text: str) -> Path:
    path = Path(text)
    if text.startswith(("~/", "~\\")):
        path = path.expanduser()
    return path if path.is_absolute() else folder / path


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
