"""Files that a database names and that lie outside of its folder: said before they are used."""

from collections.abc import Iterator
from pathlib import Path

from mrviewer.database.found import FoundDatabase, FoundSubject
from mrviewer.database.survey import Oddity

__all__ = ["outside_files"]

KIND = "outside-path"
MOST_NAMED = 20


def outside_files(found: FoundDatabase, folder: Path) -> tuple[Oddity, ...]:
    """What to say of files that do not lie in a folder, by their paths and where links lead.

    Parameters
    ----------
    found
        Subjects by the names of their files.
    folder
        Of the database: the one that was given, or that of its description or table.

    Returns
    -------
    One oddity for the whole database, which names the files, and one for every subject that has such a file.
    """
    root = folder.resolve()
    by_subject = {subject.name: names for subject in found.subjects if (names := list(_outside(subject, root)))}
    if not by_subject:
        return ()
    names = list(dict.fromkeys(name for names in by_subject.values() for name in names))
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    whole = (
        f"files outside of the folder of {found.path.name} would be read: {', '.join(names[:MOST_NAMED])}{more}; use "
        "it only if you know that they belong to it"
    )
    each = [
        Oddity(name, KIND, f"{', '.join(files)} of {name} lies outside of the folder of the database")
        for name, files in by_subject.items()
    ]
    return (Oddity("", KIND, whole), *each)


def _outside(subject: FoundSubject, root: Path) -> Iterator[str]:
    for path in dict.fromkeys((*subject.channels.values(), *subject.labels.values())):
        try:
            is_inside = path.resolve().is_relative_to(root)
        except (OSError, RuntimeError, ValueError):
            is_inside = False
        if not is_inside:
            yield path.name
