"""Subjects of a Medical Segmentation Decathlon folder, and of its nnU-Net descendants: what ``dataset.json`` names.

References
----------
Antonelli M et al. (2022), The Medical Segmentation Decathlon, Nat Commun 13:4128, doi:10.1038/s41467-022-30695-9.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mrviewer.database.found import FoundDatabase, FoundSubject
from mrviewer.database.image_files import list_files, patient_of
from mrviewer.database.survey import Oddity
from mrviewer.errors import FileFormatError
from mrviewer.readers.names import file_stem

__all__ = ["DESCRIPTION", "find_in_decathlon"]

DESCRIPTION = "dataset.json"
_LABEL = "label"
_CHANNEL = re.compile(r"_\d{4}$")


def find_in_decathlon(description: Path) -> FoundDatabase:
    """Find the subjects that a ``dataset.json`` names, or, where it names none, the files of ``imagesTr``.

    A case is one file, with one volume for each modality, or one file for each (``CASE_0000.nii.gz``).

    Raises
    ------
    FileFormatError
        If the description cannot be read or describes no cases.
    """
    told = _read(description)
    root = description.parent
    modalities = _modalities(told, description.name)
    pairs = _pairs(told, root, description.name)
    subjects: dict[str, FoundSubject] = {}
    oddities: list[Oddity] = []
    for image, label in pairs:
        name = _CHANNEL.sub("", file_stem(image)) if not image.exists() or _is_channel(image) else file_stem(image)
        if name in subjects:
            oddities.append(
                Oddity(name, "duplicate", f"{description.name} names {name} twice; the first is used", True)
            )
            continue
        channels, frames = _channels(image, modalities)
        labels = {} if label is None else {_LABEL: label}
        subjects[name] = FoundSubject(name, patient_of(name), channels, labels, frames)
    ordered = tuple(subjects[name] for name in sorted(subjects))
    return FoundDatabase(description, "decathlon", ordered, tuple(oddities), _label_names(told))


def _read(path: Path) -> Mapping[str, Any]:
    try:
        told = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise FileFormatError(
            f"{path.name} cannot be read as JSON ({error}); repair it or download it again"
        ) from error
    if not isinstance(told, dict):
        raise FileFormatError(f"{path.name} holds no description of a database; give one of the Decathlon's form")
    return told


def _modalities(told: Mapping[str, Any], name: str) -> list[str]:
    """Names of the channels, in their order."""
    entry = told.get("modality", told.get("channel_names", {"0": "image"}))
    if isinstance(entry, list):
        return [str(each) for each in entry]
    try:
        return [str(entry[key]) for key in sorted(entry, key=int)]
    except (TypeError, ValueError) as error:
        raise FileFormatError(f'{name} does not number its modalities ("0", "1", ...); repair it') from error


def _label_names(told: Mapping[str, Any]) -> dict[int, str]:
    """Name by value; the Decathlon writes value: name and nnU-Net name: value."""
    names: dict[int, str] = {}
    entry = told.get("labels")
    for key, value in entry.items() if isinstance(entry, dict) else ():
        if str(key).isdigit():
            names[int(key)] = str(value)
        elif isinstance(value, int):
            names[value] = str(key)
    return names


def _pairs(told: Mapping[str, Any], root: Path, name: str) -> list[tuple[Path, Path | None]]:
    """Image and label of every case."""
    pairs: list[tuple[Path, Path | None]] = []
    for case in (*_listed(told, "training"), *_listed(told, "test")):
        image, label = (case.get("image"), case.get("label")) if isinstance(case, dict) else (case, None)
        if not isinstance(image, str):
            raise FileFormatError(f"{name} has a case without an image; repair it")
        pairs.append((root / image, root / label if isinstance(label, str) else None))
    if not pairs:
        pairs = _by_folder(root)
    if not pairs:
        raise FileFormatError(f"{name} names no case and there is no imagesTr beside it; give the folder of a database")
    return pairs


def _listed(told: Mapping[str, Any], key: str) -> Sequence[Any]:
    entry = told.get(key)
    return entry if isinstance(entry, list) else ()


def _by_folder(root: Path) -> list[tuple[Path, Path | None]]:
    """Cases of ``imagesTr`` and ``imagesTs``; several files of a case count as one."""
    labels = {file_stem(path): path for part in ("labelsTr", "labelsTs") for path in list_files(root / part)}
    pairs: dict[str, tuple[Path, Path | None]] = {}
    for path in (path for part in ("imagesTr", "imagesTs") for path in list_files(root / part)):
        stem = file_stem(path)
        name = stem if stem in labels else _CHANNEL.sub("", stem)
        pairs.setdefault(name, (path, labels.get(name)))
    return list(pairs.values())


def _is_channel(image: Path) -> bool:
    """Whether a file is the first of a case that has one file a modality."""
    return file_stem(image).endswith("_0000")


def _channels(image: Path, modalities: Sequence[str]) -> tuple[dict[str, Path], dict[str, int]]:
    """File by modality: several files, or several volumes of one."""
    stem = file_stem(image)
    ending = image.name[len(stem) :]
    base = stem.removesuffix("_0000")
    if _is_channel(image) or (not image.exists() and image.with_name(f"{base}_0000{ending}").exists()):
        files = [image.with_name(f"{base}_{number:04d}{ending}") for number in range(len(modalities))]
        return dict(zip(modalities, files, strict=True)), {}
    if len(modalities) == 1:
        return {modalities[0]: image}, {}
    return dict.fromkeys(modalities, image), {name: number for number, name in enumerate(modalities)}
