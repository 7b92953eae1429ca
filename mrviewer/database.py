"""Many studies: where they come from and who is held out.

A database is named on the command line as a folder with one sub-folder per subject, or as ``KIND:COUNT`` or
``KIND:COUNT@FIRST_SEED`` for simulated patients of a kind (`SIMULATED_KINDS`); several may be given.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from mrviewer.errors import InputError
from mrviewer.readers.names import guess_modality, label_rank
from mrviewer.study import Study

__all__ = ["SIMULATED_KINDS", "SIMULATED_LIVER", "SIMULATED_MS", "Subject", "open_database", "split_subjects"]

SIMULATED_MS = "simulated"
SIMULATED_LIVER = "simulated-liver"
SIMULATED_KINDS: dict[str, Callable[[int], Study]] = {
    SIMULATED_MS: lambda seed: _phantom().sample_study(seed, cache=False),
    SIMULATED_LIVER: lambda seed: _phantom().sample_liver_study(seed),
    "simulated-stroke": lambda seed: _phantom().sample_study(seed, disease="stroke"),
    "simulated-glioma": lambda seed: _phantom().sample_study(seed, disease="glioma"),
}
"""How a simulated patient of each kind is made from its seed."""

_SIMULATED = re.compile(r"([a-z-]+):(\d+)(?:@(\d+))?")


@dataclass(frozen=True)
class Subject:
    """One subject of a database, not yet opened.

    Parameters
    ----------
    name
        Folder name, or ``KIND-SEED``.
    load
        Opens the study.
    seed
        Of a simulated patient; `None` for a real one.
    database
        Kind of the simulation, or name of the folder that the subject was found in.
    """

    name: str
    load: Callable[[], Study]
    seed: int | None = None
    database: str = SIMULATED_MS


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
        if match and match[1] in SIMULATED_KINDS:
            subjects += _simulated(match[1], int(match[2]), int(match[3] or 1000))
        else:
            subjects += _folder(Path(text))
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


def _phantom() -> Any:  # noqa: ANN401 - a module
    """Load the simulations when the first patient is asked for; listing subjects needs none of them."""
    return import_module("mrviewer.phantom")


def _simulated(kind: str, count: int, first_seed: int) -> list[Subject]:
    return [
        Subject(f"{kind}-{seed}", partial(SIMULATED_KINDS[kind], seed), seed, kind)
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
    return [Subject(path.name, partial(open_study, [path]), database=root.name) for path in folders]


def _has_images(folder: Path) -> bool:
    """Whether a folder holds an image whose name tells a modality; folders of masks alone are no subjects."""
    return any(label_rank(path) is None and guess_modality(path) != "unknown" for path in folder.rglob("*.nii*"))
