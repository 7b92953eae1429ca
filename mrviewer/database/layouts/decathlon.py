"""Subjects of a Medical Segmentation Decathlon folder, and of its descendants: what ``dataset.json`` names.

The descendants are those of nnU-Net, with a file for each channel and regions for labels, and those of MONAI, in which
the image of a case may be a list of files.

References
----------
Antonelli M et al. (2022), The Medical Segmentation Decathlon, Nat Commun 13:4128, doi:10.1038/s41467-022-30695-9.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from mrviewer.database.found import FoundDatabase, FoundSubject
from mrviewer.database.image_files import identity_of, list_files, read_files, written_words
from mrviewer.database.layouts.described_paths import described_path
from mrviewer.database.layouts.file_names import is_file_name
from mrviewer.database.survey import Oddity
from mrviewer.errors import FileFormatError
from mrviewer.files.json_text import read_json_object
from mrviewer.names.image_names import UNKNOWN, file_stem, free_name, read_names
from mrviewer.names.visits import patient_of

__all__ = ["DESCRIPTION", "find_in_decathlon"]

DESCRIPTION = "dataset.json"
_LABEL = "label"
_IMAGE = "image"
_FIRST = "_0000"
_CHANNEL = re.compile(r"_\d{4}$")
_PARTS = ("training", "validation", "test", "testing")
_LONGEST_VALUE = 9
"""Digits of a label value; more are no label."""


@dataclass(frozen=True)
class _Case:
    """One case as it is described: the files of its image, and its labels."""

    images: tuple[Path, ...]
    label: Path | None
    name: str = ""


def find_in_decathlon(description: Path) -> FoundDatabase:
    """Find the subjects that a ``dataset.json`` names, or, where it names none, the files of ``imagesTr``.

    A case is one file, with one volume for each modality, or one file for each: a list of them, or
    ``CASE_0000.nii.gz``.

    Raises
    ------
    FileFormatError
        If the description cannot be read or describes no cases.
    """
    told = _read(description)
    modalities = _modalities(told, description.name)
    cases = list(dict.fromkeys(_cases(told, description)))
    counts = Counter(_case_name(case) for case in cases)
    subjects: dict[str, FoundSubject] = {}
    oddities: list[Oddity] = []
    for case in cases:
        name = _case_name(case)
        if counts[name] > 1 and not case.name:
            name = f"{case.images[0].parent.name}_{name}"
        if name in subjects:
            message = f"{description.name} names {name} twice, with other files; the first is used"
            oddities.append(Oddity(name, "duplicate", message))
            continue
        channels, frames = _channels(case, modalities, description.name)
        labels = {} if case.label is None else {_LABEL: case.label}
        subjects[name] = FoundSubject(name, _patient(case, name), channels, labels, frames)
    ordered = tuple(subjects[name] for name in sorted(subjects))
    return FoundDatabase(description, "decathlon", ordered, tuple(oddities), _label_names(told))


def _read(path: Path) -> Mapping[str, Any]:
    try:
        return read_json_object(path, "repair it, download it again, or give one of the Decathlon's form")
    except FileNotFoundError:
        raise FileFormatError(f"there is no {path.name}; check the path") from None


def _modalities(told: Mapping[str, Any], name: str) -> list[str]:
    """Names of the channels, in their order; empty if none are named."""
    entry = told.get("modality", told.get("channel_names", told.get("modalities", {})))
    if isinstance(entry, list):
        return [str(each) for each in entry]
    if isinstance(entry, str):
        return [entry]
    try:
        return [str(entry[key]) for key in sorted(entry, key=int)]
    except (TypeError, ValueError) as error:
        raise FileFormatError(f'{name} does not number its modalities ("0", "1", ...); repair it') from error


def _label_names(told: Mapping[str, Any]) -> dict[int, str]:
    """Name by value; the Decathlon writes value: name and nnU-Net name: value.

    In nnU-Net a name may be a region of several values. The last region that holds a value names it, which is the
    innermost one, as regions are listed from the outside in.
    """
    names: dict[int, str] = {}
    entry = told.get("labels")
    for key, value in entry.items() if isinstance(entry, dict) else ():
        if str(key).isdecimal():
            names |= dict.fromkeys(_whole(key), str(value))
        else:
            names |= dict.fromkeys(_whole(value), str(key))
    return names


def _whole(value: Any) -> list[int]:  # noqa: ANN401 - whatever JSON holds
    """Label values of an entry: a number, one as text, or a list of them."""
    if isinstance(value, list):
        return [number for each in value if not isinstance(each, list) for number in _whole(each)]
    text = str(value)
    return [int(text)] if text.isdecimal() and len(text) <= _LONGEST_VALUE else []


def _cases(told: Mapping[str, Any], description: Path) -> list[_Case]:
    root, name = description.parent, description.name
    cases = [_case(case, root, name) for part in _PARTS for case in _listed(told, part)]
    named = told.get("dataset")
    for key, case in named.items() if isinstance(named, dict) else ():
        found = _case(case, root, name)
        cases.append(_Case(found.images, found.label, str(key)))
    cases = cases or _by_folder(root)
    if not cases:
        raise FileFormatError(f"{name} names no case and there is no imagesTr beside it; give the folder of a database")
    return cases


def _case(case: Any, root: Path, name: str) -> _Case:  # noqa: ANN401 - whatever JSON holds
    """One entry: a path, or ``image`` and ``label``, each a path or a list of them."""
    image, label = case, None
    if isinstance(case, dict):
        image, label = case.get("image", case.get("images")), case.get("label")
    images = image if isinstance(image, list) else [image]
    if not images or not all(isinstance(each, str) and each for each in images):
        raise FileFormatError(f"{name} has a case whose image is neither a path nor a list of paths; repair it")
    if isinstance(label, list) and len(label) == 1:
        label = label[0]
    if not all(is_file_name(each) for each in (*images, label) if isinstance(each, str)):
        raise FileFormatError(f"{name} has a case whose files are called in a way that no file can be; repair it")
    if label is not None and not isinstance(label, str):
        raise FileFormatError(f"{name} has a case whose label is not one path; give each case one file of labels")
    paths = tuple(described_path(root, each) for each in images)
    return _Case(paths, described_path(root, label) if label else None)


def _listed(told: Mapping[str, Any], key: str) -> Sequence[Any]:
    entry = told.get(key)
    return entry if isinstance(entry, list) else ()


def _by_folder(root: Path) -> list[_Case]:
    """Cases of ``imagesTr`` and ``imagesTs``; several files of a case count as one."""
    labels = {file_stem(path): path for part in ("labelsTr", "labelsTs") for path in list_files(root / part)}
    cases: dict[str, _Case] = {}
    for path in (path for part in ("imagesTr", "imagesTs") for path in list_files(root / part)):
        stem = file_stem(path)
        name = stem if stem in labels else _CHANNEL.sub("", stem)
        cases.setdefault(name, _Case((path,), labels.get(name)))
    return list(cases.values())


def _case_name(case: _Case) -> str:
    """Name of a case: what the names of its files have in common, without the number of a channel."""
    first = file_stem(case.images[0])
    if case.name:
        return case.name
    if len(case.images) == 1:
        is_file = case.images[0].exists() and not first.endswith(_FIRST)
        return first if is_file else _CHANNEL.sub("", first)
    words = zip(*(written_words(path) for path in case.images), strict=False)
    count = sum(1 for _ in takewhile(lambda each: len(set(each)) == 1, words))
    shared = re.match(rf"(?:[^A-Za-z0-9*]*[A-Za-z0-9*]+){{{count}}}", first)
    return (shared[0] if shared else "") or case.images[0].parent.name


def _patient(case: _Case, name: str) -> str:
    """Whose case it is; two contrasts of one patient may be two cases."""
    [file] = read_files(case.images[:1], case.images[0].parent)
    return patient_of(identity_of(file) if name == file_stem(file.path) else name)


def _channels(case: _Case, modalities: Sequence[str], name: str) -> tuple[dict[str, Path], dict[str, int]]:
    """File by modality: several files, or several volumes of one."""
    if len(case.images) > 1:
        if modalities and len(modalities) != len(case.images):
            raise FileFormatError(
                f"{name} names {len(modalities)} modalities and {len(case.images)} images of {_case_name(case)}; "
                "repair it"
            )
        return dict(zip(modalities or _told_modalities(case.images), case.images, strict=True)), {}
    [image] = case.images
    modalities = modalities or [_IMAGE]
    stem = file_stem(image)
    ending = image.name[len(stem) :]
    base = stem.removesuffix(_FIRST)
    if stem.endswith(_FIRST) or (not image.exists() and image.with_name(f"{base}{_FIRST}{ending}").exists()):
        files = [image.with_name(f"{base}_{number:04d}{ending}") for number in range(len(modalities))]
        return dict(zip(modalities, files, strict=True)), {}
    if len(modalities) == 1:
        return {modalities[0]: image}, {}
    return dict.fromkeys(modalities, image), {name: number for number, name in enumerate(modalities)}


def _told_modalities(images: Sequence[Path]) -> list[str]:
    """Names of channels by the names of their files; numbered where these tell nothing."""
    readings = read_names(images)
    names: list[str] = []
    for number, path in enumerate(images):
        told = readings[path].modality
        names.append(free_name(f"{_IMAGE}_{number}" if told == UNKNOWN else told, names))
    return names
