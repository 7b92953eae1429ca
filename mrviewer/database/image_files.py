"""Files of a database that may hold images: which there are, and what their names tell."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mrviewer.names.image_names import UNKNOWN, NameReading, file_stem, guess_modality, label_rank, read_names
from mrviewer.names.visits import visit_of
from mrviewer.readers.formats import is_listed
from mrviewer.writers.corrections import CORRECTIONS_FOLDER

__all__ = [
    "ImageFile",
    "folder_modality",
    "identity_of",
    "list_files",
    "read_files",
    "shared_words",
    "told_by_names",
    "words_of",
    "written_words",
]


@dataclass(frozen=True)
class ImageFile:
    """What the name of a file tells.

    Parameters
    ----------
    path
        The file.
    folders
        Folders below the place that was searched, in lower case.
    name_words
        Words of the name that do not tell what an image is, in lower case.
    modality
        By the name, else by the folder; empty if neither tells one.
    is_label
        Whether the name, or else the folder, says that it holds labels.
    visit
        Parts of folders and name that tell when, and not who; empty if there are none.
    """

    path: Path
    folders: tuple[str, ...]
    name_words: tuple[str, ...]
    modality: str
    is_label: bool
    visit: tuple[str, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """Folders, then words of the name."""
        return (*self.folders, *self.name_words)


def list_files(root: Path) -> list[Path]:
    """Files under a folder that may be images, sorted; corrections and hidden files are left out."""
    found: list[Path] = []
    for folder, below, names in os.walk(root):
        below[:] = sorted(name for name in below if not name.startswith(".") and name != CORRECTIONS_FOLDER)
        paths = (Path(folder, name) for name in names)
        # A MATLAB file in a folder of images is nearly always a transform or a result.
        found += [path for path in paths if is_listed(path) and path.suffix.lower() != ".mat"]
    return sorted(found)


def read_files(paths: Iterable[Path], root: Path) -> list[ImageFile]:
    """Read the names of files that lie somewhere under `root`, those of one folder together."""
    readings = _readings(paths)
    told = _told(readings)
    return [_image_file(path, root, reading, told) for path, reading in readings.items()]


def told_by_names(paths: Iterable[Path]) -> dict[Path, set[str]]:
    """Modalities that names of images tell, by each of the folders that the files lie in."""
    return _told(_readings(paths))


def _readings(paths: Iterable[Path]) -> dict[Path, NameReading]:
    by_folder: dict[Path, list[Path]] = {}
    for path in paths:
        by_folder.setdefault(path.parent, []).append(path)
    return {path: reading for inside in by_folder.values() for path, reading in read_names(inside).items()}


def _told(readings: Mapping[Path, NameReading]) -> dict[Path, set[str]]:
    told: dict[Path, set[str]] = {}
    for path, reading in readings.items():
        for folder in path.parents:
            told.setdefault(folder, set())
            if reading.label_rank is None and reading.modality != UNKNOWN:
                told[folder].add(reading.modality)
    return told


def _image_file(path: Path, root: Path, reading: NameReading, told: Mapping[Path, set[str]]) -> ImageFile:
    folders = path.relative_to(root).parts[:-1]
    modality = "" if reading.modality == UNKNOWN else reading.modality
    is_label = reading.label_rank is not None
    if not modality:
        places = [root.joinpath(*folders[: depth + 1]) for depth in range(len(folders))]
        modality = next((of for place in reversed(places) if (of := folder_modality(place, told))), "")
        is_label = is_label or any(label_rank(folder) is not None for folder in folders)
    # A patient whose own name looks like a visit, such as T1-001, may be repeated in the names of files.
    patient = words_of(root.name)
    is_repeated = reading.words[: len(patient)] == patient
    dated = [
        name
        for depth, name in enumerate(folders)
        if not _is_of_one_modality(root.joinpath(*folders[: depth + 1]), told)
    ]
    visit = visit_of((*dated, "_".join(reading.words[len(patient) if is_repeated else 0 :])))
    return ImageFile(path, tuple(map(str.lower, folders)), reading.words, modality, is_label, visit)


def folder_modality(folder: Path, told: Mapping[Path, set[str]]) -> str:
    """Modality that the name of a folder tells of all that lies in it; empty if names of files say otherwise.

    Parameters
    ----------
    folder
        Perhaps called ``FLAIR``; or ``T1``, and then perhaps a visit; or ``PD``, and then perhaps a group of patients.
    told
        See `told_by_names`.
    """
    modality = guess_modality(folder.name)
    same = {"T1", "T1Gd"} if modality in ("T1", "T1Gd") else {modality}
    if modality == UNKNOWN or not told.get(folder, set()) <= same:
        return ""
    beside = (each.name for each in told if each.parent == folder.parent and each != folder)
    return "" if modality == "PD" and all(guess_modality(name) == UNKNOWN for name in beside) else modality


def _is_of_one_modality(folder: Path, told: Mapping[Path, set[str]]) -> bool:
    """Whether a folder is called after the modality in it, as are those beside it that tell one, not after a visit."""
    beside = [each for each in told if each.parent == folder.parent and guess_modality(each.name) != UNKNOWN]
    return bool(beside) and folder in beside and all(folder_modality(each, told) for each in beside)


def words_of(name: str) -> tuple[str, ...]:
    """Words of a name in lower case: whatever letters, digits and ``*`` make up."""
    return tuple(word.lower() for word in re.split(r"[^A-Za-z0-9*]+", name) if word)


def written_words(path: Path) -> list[str]:
    """Words of a file name as they are written."""
    stem = file_stem(path)
    words, start = [], 0
    for word in words_of(stem):
        at = stem.lower().index(word, start)
        words.append(stem[at : at + len(word)])
        start = at + len(word)
    return words


def identity_of(file: ImageFile) -> str:
    """Name of a subject by its file: without words that tell a modality, unless there are no others."""
    left = list(file.name_words)
    kept = []
    for word in written_words(file.path):
        if left and word.lower() == left[0]:
            kept.append(word)
            left.pop(0)
    is_whole = left or not kept or len(kept) == len(words_of(file_stem(file.path)))
    return file_stem(file.path) if is_whole else "_".join(kept)


def shared_words(files: Sequence[ImageFile]) -> tuple[str, ...]:
    """Words that all of some files have, in the order of the first."""
    return tuple(word for word in files[0].words if all(word in other.words for other in files)) if files else ()
