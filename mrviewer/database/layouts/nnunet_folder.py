"""Subjects of a folder as nnU-Net has it, ``imagesTr/NAME_0000`` and ``labelsTr/NAME``, without a ``dataset.json``."""

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from mrviewer.database.found import FoundDatabase, FoundSubject
from mrviewer.database.image_files import identity_of, list_files, read_files
from mrviewer.database.survey import Oddity
from mrviewer.names.image_names import file_stem
from mrviewer.names.visits import patient_of

__all__ = ["find_in_nnunet_folder", "is_nnunet_folder"]

_IMAGES = ("imagesTr", "imagesTs", "imagesVal", "images")
_LABELS = ("labelsTr", "labelsTs", "labelsVal", "labels")
_CHANNEL = re.compile(r"_(\d{4})$")


def is_nnunet_folder(root: Path) -> bool:
    """Whether labels are called like images but for the number of their channel."""
    labels = _labels(root)
    stems = [file_stem(path) for part in _IMAGES for path in list_files(root / part)]
    return any(stem not in labels and _CHANNEL.sub("", stem) in labels for stem in stems)


def find_in_nnunet_folder(root: Path) -> FoundDatabase:
    """Find the subjects of such a folder: files of one name but for the number of the channel are one study."""
    labels = _labels(root)
    images: dict[str, dict[str, Path]] = defaultdict(dict)
    for path in (path for part in _IMAGES for path in list_files(root / part)):
        stem = file_stem(path)
        number = _CHANNEL.search(stem)
        images[_CHANNEL.sub("", stem)].setdefault(number[1] if number else "0000", path)
    is_single = {number for channels in images.values() for number in channels} == {"0000"}
    subjects = []
    for name, channels in sorted(images.items()):
        [file] = read_files([next(iter(channels.values()))], root)
        named = {"image" if is_single else f"image_{int(number)}": channels[number] for number in sorted(channels)}
        truth = {"label": labels[name]} if name in labels else {}
        subjects.append(FoundSubject(name, patient_of(_CHANNEL.sub("", identity_of(file))), named, truth))
    stray = sorted(path for name, path in labels.items() if name not in images)
    return FoundDatabase(root, "nnunet", tuple(subjects), tuple(_unused(stray)))


def _unused(labels: Sequence[Path]) -> list[Oddity]:
    if not labels:
        return []
    message = f"{len(labels)} label file(s) belong to no image: {labels[0].name} first"
    return [Oddity("", "unused-file", message, True)]


def _labels(root: Path) -> dict[str, Path]:
    return {file_stem(path): path for part in _LABELS for path in list_files(root / part)}
