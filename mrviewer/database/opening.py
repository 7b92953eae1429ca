"""From what stands on a command line to the subjects of one or several databases."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from mrviewer.database.mapping import DatabaseMapping
from mrviewer.database.simulated import Simulation, parse_simulation
from mrviewer.database.subjects import Subject
from mrviewer.errors import InputError
from mrviewer.readers.names import guess_modality, label_rank

__all__ = ["open_database"]


def open_database(specifications: Sequence[str], mapping: DatabaseMapping | None = None) -> list[Subject]:
    """List the subjects of one or several databases, without reading them.

    Raises
    ------
    InputError
        If a folder is missing or empty, or two subjects have one name.
    """
    subjects: list[Subject] = []
    for text in specifications:
        simulation = parse_simulation(text)
        if simulation is not None:
            subjects += _simulated(simulation)
        else:
            subjects += _folder(Path(text))
    names = [subject.name for subject in subjects]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"two subjects are called {twice[0]!r}; rename one of the folders")
    return subjects


def _simulated(simulation: Simulation) -> list[Subject]:
    return [
        Subject(simulation.name(seed), simulation.loader(seed), seed, simulation.kind, labelled=True)
        for seed in simulation.seeds
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
