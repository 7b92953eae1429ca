"""Subjects of a BIDS folder: ``sub-*/[ses-*/]*/*.nii.gz``, labels beside them or in ``derivatives``.

The images may lie in the folder itself or in its ``rawdata``. What is not in the standard but common is taken too:
masks called ``msk``, and a missing ``dataset_description.json``.

References
----------
Gorgolewski KJ et al. (2016), The brain imaging data structure, Sci Data 3:160044, doi:10.1038/sdata.2016.44.
"""

import csv
import re
from collections import defaultdict
from pathlib import Path

from mrviewer.database.found import FoundDatabase, FoundSubject
from mrviewer.database.image_files import is_brain_mask, list_files
from mrviewer.database.survey import Oddity
from mrviewer.readers.names import file_stem, guess_modality

__all__ = ["find_in_bids", "is_bids"]

_LABEL_SUFFIXES = {"mask", "msk", "dseg", "seg", "label", "labels", "roi", "lesion", "lesions", "gt"}
_ENTITY = re.compile(r"([A-Za-z]+)-([^_]+)")

Visit = tuple[str, str]


def is_bids(root: Path) -> bool:
    """Whether a folder looks like BIDS: it, or its ``rawdata``, has folders ``sub-*``."""
    return any(path.is_dir() for place in (root, root / "rawdata") for path in place.glob("sub-*"))


def find_in_bids(root: Path) -> FoundDatabase:
    """Find the subjects of a BIDS folder by the names of its files; one study a session."""
    raw = root / "rawdata" if any((root / "rawdata").glob("sub-*")) else root
    derivatives = [place / "derivatives" for place in dict.fromkeys((root, raw)) if (place / "derivatives").is_dir()]
    channels: dict[Visit, dict[str, Path]] = defaultdict(dict)
    labels: dict[Visit, dict[str, Path]] = defaultdict(dict)
    for folder in sorted(raw.glob("sub-*")):
        for path in list_files(folder) if folder.is_dir() else ():
            visit, name = _visit(path), _name(path)
            if not is_brain_mask(path):
                (labels if _is_label(path) else channels)[visit][name] = path
    for place in derivatives:
        for path in list_files(place):
            if _is_label(path) and not is_brain_mask(path):
                pipeline = path.relative_to(place).parts[0]
                source = _name(path) if pipeline.startswith("sub-") else f"{pipeline}/{_name(path)}"
                labels[_visit(path)][source] = path
    subjects = tuple(
        FoundSubject("_".join(part for part in visit if part), visit[0], _shortened(images), labels.get(visit, {}))
        for visit, images in sorted(channels.items())
    )
    stray = [path for visit, files in sorted(labels.items()) if visit not in channels for path in files.values()]
    oddities = [_stray(stray)] if stray else []
    return FoundDatabase(root, "bids", subjects, (*oddities, *_absent(root, raw, subjects)))


def _visit(path: Path) -> Visit:
    """``sub-X`` and ``ses-Y`` of a file: by its name, else by its folders."""
    entities = dict(_ENTITY.findall(file_stem(path)))
    for folder in path.parts[:-1]:
        match = _ENTITY.fullmatch(folder)
        if match and match[1] in ("sub", "ses"):
            entities.setdefault(match[1], match[2])
    session = entities.get("ses")
    return f"sub-{entities.get('sub', 'unknown')}", f"ses-{session}" if session else ""


def _name(path: Path) -> str:
    """Name of a file without subject and session: ``acq-fast_T1w``."""
    parts = [part for part in file_stem(path).split("_") if not part.startswith(("sub-", "ses-"))]
    return "_".join(parts) or file_stem(path)


def _is_label(path: Path) -> bool:
    return file_stem(path).split("_")[-1].lower() in _LABEL_SUFFIXES


def _shortened(images: dict[str, Path]) -> dict[str, Path]:
    """Channels called by their modality where no other one of the study has it, so that they agree between studies."""
    modalities = [guess_modality(path) for path in images.values()]
    return {
        modality if modality != "unknown" and modalities.count(modality) == 1 else name: path
        for (name, path), modality in zip(images.items(), modalities, strict=True)
    }


def _stray(paths: list[Path]) -> Oddity:
    return Oddity("", "unused-file", f"{len(paths)} label file(s) belong to no image: {paths[0].name} first", True)


def _absent(root: Path, raw: Path, subjects: tuple[FoundSubject, ...]) -> list[Oddity]:
    """Participants that a table names and that have no image."""
    table = next((place / "participants.tsv" for place in (root, raw) if (place / "participants.tsv").is_file()), None)
    if table is None:
        return []
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            named = [row.get("participant_id") or "" for row in csv.DictReader(file, delimiter="\t")]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        return [Oddity("", "broken-file", f"participants.tsv cannot be read ({error}) and was not looked at", True)]
    there = {subject.patient for subject in subjects}
    return [
        Oddity(name, "missing-file", f"participants.tsv names {name} and there is no image of it")
        for name in named
        if name and name not in there
    ]
