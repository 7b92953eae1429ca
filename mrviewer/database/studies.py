"""Dividing files of one place into studies by their names: visits of a patient, or subjects side by side.

Files of the same modality are of different studies; what their names do not share is the key of each. ``Pre_Scan_T1``
and ``Post_Scan_T1`` have the keys ``pre`` and ``post``, and ``Pre_Mask`` belongs to the first.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mrviewer.database.image_files import ImageFile, shared_words, words_of, written_words
from mrviewer.readers.names import file_stem

__all__ = ["StudyFiles", "divide_studies", "name_sources"]

Key = tuple[str, ...]


@dataclass(frozen=True)
class StudyFiles:
    """Files of one study.

    Parameters
    ----------
    key
        Words that tell it from its neighbours; empty if there are none.
    images, labels
        Its files.
    """

    key: Key
    images: tuple[ImageFile, ...]
    labels: tuple[ImageFile, ...]


def divide_studies(
    images: Sequence[ImageFile], labels: Sequence[ImageFile], *, side_by_side: bool
) -> tuple[list[StudyFiles], list[ImageFile]]:
    """Divide files into studies.

    Parameters
    ----------
    images, labels
        Files of one place.
    side_by_side
        Whether the place may hold one file for each of many subjects. Else it is the folder of one patient, and two
        files of one modality are two visits only where every file says of which.

    Returns
    -------
    The studies, and labels that belong to none of them.
    """
    classes = Counter(image.modality for image in images)
    main = max(classes, key=lambda name: classes[name])
    if classes[main] == 1:
        return [StudyFiles((), tuple(images), tuple(labels))], []
    files = [image for image in images if image.modality == main]
    shared = shared_words(files)
    keys = [tuple(word for word in file.words if word not in shared) for file in files]
    by_key: dict[Key, list[ImageFile]] = {key: [] for key in keys}
    loose: list[ImageFile] = []
    for image in images:
        key = _key_of(image, by_key)
        (loose if key is None else by_key[key]).append(image)
    labels_of: dict[Key, list[ImageFile]] = {key: [] for key in keys}
    spare: list[ImageFile] = []
    for label in labels:
        key = _key_of(label, by_key)
        (spare if key is None else labels_of[key]).append(label)
    if not side_by_side and (loose or not _are_visits(labels_of)):
        return [StudyFiles((), tuple(images), tuple(labels))], []
    studies = [StudyFiles(key, tuple(by_key[key]), tuple(labels_of[key])) for key in by_key]
    return [*studies, *(StudyFiles(image.words, (image,), ()) for image in loose)], spare


def name_sources(files: Sequence[ImageFile], key: Key, home: str) -> dict[str, Path]:
    """Name every file by its modality, or else by the words that are left without those of the study.

    Parameters
    ----------
    files
        Images, or labels, of one study.
    key
        Of the study.
    home
        Name of the folder that it was found in, whose words say nothing new.
    """
    counts = Counter(file.modality for file in files if not file.is_label)
    stems = Counter(file_stem(file.path) for file in files)
    named: dict[str, Path] = {}
    for file in files:
        if file.modality and not file.is_label and counts[file.modality] == 1:
            name = file.modality
        else:
            name = "_".join(_without(written_words(file.path), (*key, *words_of(home))))
            name = name or ("label" if file.is_label else file.modality or "image")
            if stems[file_stem(file.path)] > 1:
                name = f"{file.path.parent.name}/{name}"
        free, number = name, 1
        while free in named:
            number += 1
            free = f"{name}_{number}"
        named[free] = file.path
    return named


def _key_of(file: ImageFile, keys: Mapping[Key, object]) -> Key | None:
    """The longest key whose words all stand in the name, in their order."""
    fitting = [key for key in keys if _runs_through(key, file.words)]
    return max(fitting, key=len, default=None)


def _runs_through(key: Key, words: Sequence[str]) -> bool:
    rest = iter(words)
    return all(word in rest for word in key)


def _are_visits(labels_of: Mapping[Key, Sequence[ImageFile]]) -> bool:
    """Whether no file is just a variant of another one, as ``T1_brain`` is of ``T1``."""
    return () not in labels_of or all(labels_of.values())


def _without(words: Sequence[str], others: Sequence[str]) -> list[str]:
    """Words of a name without others, each taken away once."""
    rest = list(others)
    kept = []
    for word in words:
        if word.lower() in rest:
            rest.remove(word.lower())
        else:
            kept.append(word)
    return kept
