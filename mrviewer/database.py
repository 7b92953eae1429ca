"""Many studies: where they come from and who is held out.

A database is named on the command line as a folder with one sub-folder per subject, or as ``simulated:COUNT`` or
``simulated:COUNT@FIRST_SEED`` for simulated patients; several may be given.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mrviewer.errors import InputError
from mrviewer.readers.names import guess_modality, label_rank
from mrviewer.study import Study

__all__ = ["Subject", "open_database", "split_subjects"]

_SIMULATED = re.compile(r"simulated:(\d+)(?:@(\d+))?")


@dataclass(frozen=True)
class Subject:
    """One subject of a database, not yet opened.

    Parameters
    ----------
    name
        Folder name, or ``simulated-SEED``.
    load
        Opens the study.
    seed
        Of a simulated patient; `None` for a real one.
    """

    name: str
    load: Callable[[], Study]
    seed: int | None = None


def open_database(specifications: Sequence[str]) -> list[Subject]:
    """List the subjects of one or several databases, without reading them.

    Raises
    ------
    InputError
        If a folder is missing or empty, or two subjects have one name.
    """
    subjects: list[Subject] = []
    for text in specifications:
        match = _SIMULATED.fullmatch(text)
        subjects += _simulated(int(match[1]), int(match[2] or 1000)) if match else _folder(Path(text))
    names = [subject.name for subject in subjects]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"two subjects are called {twice[0]!r}; rename one of the folders")
    return subjects


def split_subjects(subjects: Sequence[Subject], held_out: Sequence[str]) -> tuple[list[Subject], list[Subject]]:
    """Split by subject into those to train on and those held out by name.

    Raises
    ------
    InputError
        If a name is not in the database, or nothing is left to train on.
    """
    missing = sorted(set(held_out) - {subject.name for subject in subjects})
    if missing:
        raise InputError(
            f"subject {missing[0]!r} is to be held out but the database has no such subject; check its name"
        )
    training = [subject for subject in subjects if subject.name not in held_out]
    if not training:
        raise InputError("no subject is left to train on; hold out fewer, or add data")
    return training, [subject for subject in subjects if subject.name in held_out]


def _simulated(count: int, first_seed: int) -> list[Subject]:
    from mrviewer.phantom import sample_study

    return [
        Subject(f"simulated-{seed}", lambda seed=seed: sample_study(seed, cache=False), seed)  # type: ignore[misc]
        for seed in range(first_seed, first_seed + count)
    ]


def _folder(root: Path) -> list[Subject]:
    from mrviewer.readers import open_study

    if not root.is_dir():
        raise InputError(f"the database {root.name!r} is no folder; give a folder with one sub-folder per subject")
    folders = sorted(path for path in root.iterdir() if path.is_dir() and _has_images(path))
    if not folders and _has_images(root):
        folders = [root]
    if not folders:
        raise InputError(f"the database {root.name!r} has no sub-folder with images; give one sub-folder per subject")
    return [Subject(path.name, lambda path=path: open_study([path])) for path in folders]  # type: ignore[misc]


def _has_images(folder: Path) -> bool:
    """Whether a folder holds an image whose name tells a modality; folders of masks alone are no subjects."""
    return any(label_rank(path) is None and guess_modality(path) != "unknown" for path in folder.rglob("*.nii*"))
