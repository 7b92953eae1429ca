"""Which layout a database has, and so how its subjects are found."""

from dataclasses import replace
from pathlib import Path

from mrviewer.database.found import FoundDatabase
from mrviewer.database.layouts.bids import find_in_bids, is_bids
from mrviewer.database.layouts.decathlon import DESCRIPTION, find_in_decathlon
from mrviewer.database.layouts.folders import find_in_folders
from mrviewer.database.layouts.nnunet_folder import find_in_nnunet_folder, is_nnunet_folder
from mrviewer.database.layouts.outside import outside_files
from mrviewer.database.layouts.table import TABLE_ENDINGS, find_in_table
from mrviewer.errors import InputError

__all__ = ["find_subjects"]


def find_subjects(path: Path) -> FoundDatabase:
    """Find the subjects of a database by the names of its files; none is opened but a description or table.

    Parameters
    ----------
    path
        Folder, ``dataset.json``, or table.

    Raises
    ------
    InputError
        If there is nothing of the kind, or no subject in it.
    FileFormatError
        If a description or table cannot be read.
    """
    found = _found(path)
    if not found.subjects:
        raise InputError(
            f"the database {path.name!r} has no sub-folder with images; give one sub-folder per subject, a BIDS "
            "folder, a dataset.json, or a table of paths"
        )
    outside = outside_files(found, path if path.is_dir() else path.parent)
    return replace(found, oddities=(*outside, *found.oddities))


def _found(path: Path) -> FoundDatabase:
    if path.is_file() and path.suffix.lower() in TABLE_ENDINGS:
        return find_in_table(path)
    if path.is_file() and path.suffix.lower() == ".json":
        return find_in_decathlon(path)
    if not path.is_dir():
        raise InputError(f"the database {path.name!r} is no folder; give a folder with one sub-folder per subject")
    for place in (path, *_only_folder(path)):
        if (place / DESCRIPTION).is_file():
            return find_in_decathlon(place / DESCRIPTION)
        if is_nnunet_folder(place):
            return find_in_nnunet_folder(place)
        if is_bids(place):
            return find_in_bids(place)
    return find_in_folders(path)


def _only_folder(path: Path) -> list[Path]:
    """The one folder in a folder, as an archive makes when it is unpacked into a folder of its name."""
    below = [each for each in path.iterdir() if each.is_dir() and not each.name.startswith((".", "__"))]
    return below if len(below) == 1 else []
