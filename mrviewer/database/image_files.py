"""Files of a database that may hold images: which there are, and what their names tell."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mrviewer.corrections import CORRECTIONS_FOLDER
from mrviewer.readers.formats import is_listed
from mrviewer.readers.names import file_stem, guess_modality, label_rank

__all__ = [
    "ImageFile",
    "image_file",
    "is_brain_mask",
    "list_files",
    "patient_of",
    "shared_words",
    "words_of",
    "written_words",
]

_VISIT = (
    r"(?:ses(?:sion)?|visit|time(?:point)?|tp|scan|study|exam|follow-?up|fu|baseline|bl|pre|post|date|week|month|day)"
)
_VISIT_PART = re.compile(
    rf"(?i)(?:^|(?<=[_\-. ])){_VISIT}(?:[_\-]?\d+d?)?(?=[_\-. ]|$)"
    r"|(?:^|(?<=[_\-. ]))(?:v|m|w|y|t)\d{1,3}(?=[_\-. ]|$)"
    r"|(?:^|(?<=[_\-. ]))(?:19|20)\d{2}[_\-.]?\d{2}[_\-.]?\d{2}(?=[_\-. ]|$)"
    r"|(?<=\d{5})-\d{3}$"
)
"""Parts of a name that tell the visit and not the patient; the last one is that of BraTS-GLI-00005-001."""


@dataclass(frozen=True)
class ImageFile:
    """What the name of a file tells.

    Parameters
    ----------
    path
        The file.
    words
        Folders below the place that was searched, and the words of the name, in lower case.
    modality
        By the name, else by the folder; empty if neither tells one.
    is_label
        Whether the name, or else the folder, says that it holds labels.
    """

    path: Path
    words: tuple[str, ...]
    modality: str
    is_label: bool


def list_files(root: Path) -> list[Path]:
    """Files under a folder that may be images, sorted; corrections and hidden files are left out."""
    found: list[Path] = []
    for folder, below, names in os.walk(root):
        below[:] = sorted(name for name in below if not name.startswith(".") and name != CORRECTIONS_FOLDER)
        paths = (Path(folder, name) for name in names)
        # A MATLAB file in a folder of images is nearly always a transform or a result.
        found += [path for path in paths if is_listed(path) and path.suffix.lower() != ".mat"]
    return sorted(found)


def image_file(path: Path, root: Path) -> ImageFile:
    """Read the name of a file that lies somewhere under `root`."""
    folders = path.relative_to(root).parts[:-1]
    modality = guess_modality(path)
    is_label = label_rank(path) is not None
    if modality == "unknown":
        told = [guess_modality(folder) for folder in reversed(folders)]
        modality = next((guess for guess in told if guess != "unknown"), "")
        is_label = is_label or any(label_rank(folder) is not None for folder in folders)
    words = (*(folder.lower() for folder in folders), *words_of(file_stem(path)))
    return ImageFile(path, words, modality, is_label)


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


def is_brain_mask(path: Path) -> bool:
    """Whether a name says where the brain lies, which is neither an image nor a lesion."""
    joined = " ".join(re.split(r"[^A-Za-z0-9]+|(?<=[a-z])(?=[A-Z])", file_stem(path))).lower()
    return re.search(r"\b(?:brain|bet) ?masks?\b|\bmasks? (?:brain|bet)", joined) is not None


def patient_of(name: str) -> str:
    """Name of the patient in that of a study: what is left without date, session or visit.

    What is left must be the beginning of the name or hold a digit, else it may be the same for every patient.
    """
    left = re.sub(r"[_\-. ]{2,}", "_", _VISIT_PART.sub("", name)).strip("_-. ")
    tells = bool(left) and (name.startswith(left) or any(sign.isdigit() for sign in left))
    return left if tells else name


def shared_words(files: Sequence[ImageFile]) -> tuple[str, ...]:
    """Words that all of some files have, in the order of the first."""
    return tuple(word for word in files[0].words if all(word in other.words for other in files)) if files else ()
