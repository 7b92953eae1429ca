"""What a person asked for: from paths, folders and ``FLAIR=path`` to the files that make a study."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mrviewer.errors import InputError
from mrviewer.names.image_names import canonical_modality, file_stem, read_names
from mrviewer.notes import left_out
from mrviewer.readers.arrays.array_names import ARRAY_ENDINGS
from mrviewer.readers.dicom_subject import is_dicom_segmentation, labels_beside, note_on_dicom
from mrviewer.readers.found_file import FoundFile
from mrviewer.readers.subject_folder import find_subject_files

__all__ = ["Candidate", "StudyRequest", "path_of", "study_request"]

_DOMAINS = ("kspace", "image")
"""Names before a path that tell what an array holds, and no modality."""


_ARRAYS = "|".join(map(re.escape, ARRAY_ENDINGS))


@dataclass(frozen=True)
class Candidate:
    """A file to open.

    Parameters
    ----------
    file, modality
        The file, and what it is.
    is_asked_for
        Whether a person named it. One that was found in a folder may fail without failing the study.
    axes
        What the axes of an array are, as `mrviewer.raw.arrays.array_layout.ArrayLayout.parse` reads it; empty to guess.
    """

    file: FoundFile
    modality: str
    is_asked_for: bool = True
    axes: str = ""


@dataclass(frozen=True)
class StudyRequest:
    """The files that make a study, its name, and what was left out on the way."""

    name: str
    images: tuple[Candidate, ...]
    labels: Candidate | None
    notes: tuple[str, ...]


def study_request(paths: Sequence[str | Path], labels: str | Path | None, name: str | None) -> StudyRequest:
    """Sort what was given into images and labels; no file is opened, but for headers that tell DICOM.

    Raises
    ------
    InputError
        If nothing was given, a folder holds no subject, a modality was given twice, or there are only labels.
    """
    if not paths:
        raise InputError("no path was given; give an image, or the folder of one subject")
    items = [_split_axes(item) for item in paths]
    given = [_split(item) for item, _ in items]
    axes = {path: text for (path, _), (_, text) in zip(given, items, strict=True)}
    given = [(path, None if modality in _DOMAINS else modality) for path, modality in given]
    _refuse_repeated([modality for _, modality in given if modality is not None])
    images: list[Candidate] = []
    references = [Candidate(FoundFile(Path(labels)), "labels")] if labels is not None else []
    notes: list[str] = []
    readings = read_names(path for path, modality in given if modality is None)
    files = [FoundFile(path) for path, _ in given]
    for file, (path, modality) in zip(files, given, strict=True):
        is_label = modality is None and len(paths) > 1 and readings[path].label_rank is not None
        if modality is None and not is_label and file.is_dicom_study:
            if is_dicom_segmentation(path) and len(paths) > 1:
                references.append(Candidate(file, "labels"))
                continue
            images.append(Candidate(file, "unknown"))
            references += [_found(beside, "labels") for beside in labels_beside(file)]
        elif modality is None and file.is_folder:
            found = find_subject_files(path)
            images += [_found(image, guess) for image, guess in found.images]
            references += [_found(found.labels, "labels")] if found.labels is not None else []
            notes += [*found.notes, *filter(None, [note_on_dicom(path)])]
        elif modality == "labels" or is_label:
            references.append(Candidate(file, "labels"))
        else:
            images.append(Candidate(file, modality or readings[path].modality, axes=axes[path]))
    if not images:
        raise InputError("labels were given but no image; give an image too")
    names = [reference.file.path.name for reference in references]
    notes += [left_out(f"{other}, {names[0]} holds the labels") for other in names[1:]]
    return StudyRequest(name or _title(files[0]), tuple(images), references[0] if references else None, tuple(notes))


def path_of(item: str | Path) -> Path:
    """Path of ``FLAIR=path`` and of ``kspace=path.npy:coil,y,x``."""
    return _split(_split_axes(item)[0])[0]


def _found(path: Path, modality: str) -> Candidate:
    """A file that nobody named."""
    return Candidate(FoundFile(path), modality, is_asked_for=False)


def _title(file: FoundFile) -> str:
    """Name of a folder or file; one that holds DICOM may be named like the patient."""
    if file.is_dicom_study:
        from mrviewer.readers.dicom.dicom_study import public_name

        return public_name(file.path)
    return file.path.resolve().name if file.is_folder else file_stem(file.path)


def _split_axes(item: str | Path) -> tuple[str | Path, str]:
    """Take the axes off ``NAME=path.npy:coil,y,x``; the name may tell the domain."""
    match = re.fullmatch(rf"(.+(?:{_ARRAYS})):([^:]+)", str(item), re.DOTALL | re.IGNORECASE)
    if match is None or Path(item).exists():
        return item, ""
    domain = match[1].partition("=")[0]
    return match[1], f"{match[2]},{domain}" if domain in _DOMAINS else match[2]


def _split(item: str | Path) -> tuple[Path, str | None]:
    """Path and modality of ``FLAIR=path``; an existing file of such a name is a path."""
    match = re.fullmatch(r"([A-Za-z0-9*+_ -]+)=(.+)", item, re.DOTALL) if isinstance(item, str) else None
    if match is None or Path(item).exists():
        return Path(item), None
    return Path(match[2]), canonical_modality(match[1].strip())


def _refuse_repeated(modalities: list[str]) -> None:
    for modality in modalities:
        if (times := modalities.count(modality)) > 1:
            raise InputError(f"{modality} was given {times} times; give each modality one file")
