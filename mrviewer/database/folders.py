"""Subjects of a plain folder, by the names of its files and sub-folders."""

from pathlib import Path

from mrviewer.database.found import FoundDatabase

__all__ = ["find_in_folders"]


def find_in_folders(root: Path) -> FoundDatabase:
    """Find the subjects of a folder."""
    return FoundDatabase(root, "folders", ())
