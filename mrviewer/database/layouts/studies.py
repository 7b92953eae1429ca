"""Dividing files of one place into studies by their names: visits of a patient, or subjects side by side.

Files of the same modality are of different studies; what their names do not share is the key of each. ``Pre_Scan_T1``
and ``Post_Scan_T1`` have the keys ``pre`` and ``post``, and ``Pre_Mask`` belongs to the first.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mrviewer.database.image_files import ImageFile, shared_words, words_of, written_words
from mrviewer.names.image_names import file_stem
from mrviewer.names.versions import preferred_version, version_of

__all__ = ["StudyFiles", "divide_studies", "name_sources"]

_ACCESSION = re.compile(r"\d{4,}")
"""Numbers of files on a server, which call the labels of every study differently: ``VSD.Brain.XX.O.OT.6560``."""

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
        files of one modality are two visits only where names or folders say when, or every file says of which.

    Returns
    -------
    The studies, and files that belong to none of them.
    """
    visits = [] if side_by_side else _visits(images)
    if visits:
        return _divided(images, labels, visits, lambda file: file.visit)
    classes = Counter(image.modality for image in images)
    main = max(classes, key=lambda name: classes[name])
    if classes[main] == 1:
        return [StudyFiles((), tuple(images), tuple(labels))], []
    files = [image for image in images if image.modality == main]
    shared = (*shared_words(files), *_versions(images))
    keys = list(dict.fromkeys(_without_shared(file, shared) for file in files))
    known = _StudyKeys(keys)
    loose = [image for image in images if known.of(_split_words(image)) is None]
    if not side_by_side and (loose or _are_variants(keys, labels)):
        return [StudyFiles((), tuple(images), tuple(labels))], []
    keys = list(dict.fromkeys((*keys, *(_without_shared(image, shared) for image in loose))))
    return _divided(images, labels, keys, _split_words)


def _versions(images: Sequence[ImageFile]) -> tuple[str, ...]:
    """Folders of versions of the same images, which tell no studies apart."""
    versions = dict.fromkeys(version for image in images if (version := version_of(image.folders)))
    return tuple(versions) if preferred_version(versions) else ()


def _visits(images: Sequence[ImageFile]) -> list[Key]:
    """Keys of the visits that names and folders tell; empty if these may be no visits.

    They are visits if a modality is in two of them, or if all are numbered or dated.
    """
    named = [image for image in images if image.visit]
    shared = set(named[0].visit).intersection(*(image.visit for image in named)) if named else set()
    of: dict[Key, set[str]] = {}
    for image in named:
        of.setdefault(tuple(part for part in image.visit if part not in shared), set()).add(image.modality)
    counts = Counter(modality for told in of.values() for modality in told)
    are_dated = len(of) > 1 and all(re.search(r"\d", "".join(key)) for key in of)
    return list(of) if () not in of and (are_dated or max(counts.values(), default=0) > 1) else []


def _divided(
    images: Sequence[ImageFile],
    labels: Sequence[ImageFile],
    keys: Sequence[Key],
    words_of_file: Callable[[ImageFile], Sequence[str]],
) -> tuple[list[StudyFiles], list[ImageFile]]:
    """Studies by key, and files that no key fits."""
    known = _StudyKeys(keys)
    by_key: dict[Key | None, tuple[list[ImageFile], list[ImageFile]]] = {key: ([], []) for key in (*keys, None)}
    for file in images:
        by_key[known.of(words_of_file(file))][0].append(file)
    for file in labels:
        by_key[known.of(words_of_file(file))][1].append(file)
    spare = [file for files in by_key.pop(None) for file in files]
    spare += [file for own, drawn in by_key.values() if not own for file in drawn]
    return [
        StudyFiles(key, tuple(own), tuple(drawn)) for key, (own, drawn) in by_key.items() if key is not None and own
    ], spare


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
            written = _without(written_words(file.path), (*words_of(" ".join(key)), *words_of(home)))
            name = "_".join(word for word in written if not (file.is_label and _ACCESSION.fullmatch(word)))
            name = name or ("label" if file.is_label else file.modality or "image")
            if stems[file_stem(file.path)] > 1:
                name = f"{file.path.parent.name}/{name}"
        free, number = name, 1
        while free in named:
            number += 1
            free = f"{name}_{number}"
        named[free] = file.path
    return named


def _split_words(file: ImageFile) -> Sequence[str]:
    """Folders as they are, their words, and the words of the name."""
    return [
        *(word for folder in file.folders for word in dict.fromkeys((folder, *words_of(folder)))),
        *file.name_words,
    ]


class _StudyKeys:
    """Keys of studies, found by the words of a file."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._by_first: dict[str, list[Key]] = {}
        for key in keys:
            self._by_first.setdefault(key[0] if key else "", []).append(key)

    def of(self, words: Sequence[str]) -> Key | None:
        """The longest key whose words all stand in some others, in their order; of equals the one that begins first."""
        near = (key for first in dict.fromkeys((*words, "")) for key in self._by_first.get(first, ()))
        fitting = [key for key in near if _runs_through(key, words)]
        return max(fitting, key=lambda key: (len(key), -_first(key, words)), default=None)


def _first(key: Key, words: Sequence[str]) -> int:
    return next((place for place, word in enumerate(words) if word in key), 0)


def _runs_through(key: Key, words: Sequence[str]) -> bool:
    rest = iter(words)
    return all(word in rest for word in key)


def _without_shared(file: ImageFile, shared: Sequence[str]) -> Key:
    return tuple(dict.fromkeys(word for word in file.words if word not in shared))


def _are_variants(keys: Sequence[Key], labels: Sequence[ImageFile]) -> bool:
    """Whether files of one modality are variants of one image, as ``T1_brain`` is of ``T1``, and not visits."""
    known = _StudyKeys(keys)
    drawn = {known.of(_split_words(label)) for label in labels}
    return None in drawn or (() in keys and not drawn >= set(keys))


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
