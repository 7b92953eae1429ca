"""Subjects of a BIDS folder: ``sub-*/[ses-*/]*/*.nii.gz``, labels beside them or in ``derivatives``.

The images may lie in the folder itself or in its ``rawdata``. What is not in the standard but common is taken too:
masks called ``msk``, and a missing ``dataset_description.json``.

References
----------
Gorgolewski KJ et al. (2016), The brain imaging data structure, Sci Data 3:160044, doi:10.1038/sdata.2016.44.
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mrviewer.database.found import FoundDatabase, FoundSubject
from mrviewer.database.image_files import list_files
from mrviewer.database.survey import Oddity
from mrviewer.names.bids_names import bids_name
from mrviewer.names.image_names import UNKNOWN, file_stem, guess_modality, is_brain_mask, label_rank
from mrviewer.names.pairing import LeftOut, pair_files
from mrviewer.names.visits import is_visit
from mrviewer.readers.formats import is_listed
from mrviewer.system.reasons import reason_of

__all__ = ["find_in_bids", "is_bids"]

_NOT_IN_NAMES = ("sub", "ses", "run", "space")
"""Entities by which files were chosen, and which would name the same channel differently in every study."""

Visit = tuple[str, str]


@dataclass
class _Files:
    """Files of one visit; labels with the pipeline that they come from."""

    images: list[Path] = field(default_factory=list)
    labels: dict[Path, str] = field(default_factory=dict)


def is_bids(root: Path) -> bool:
    """Whether a folder looks like BIDS: it, or its ``rawdata``, has folders ``sub-*``, or all files are called so."""
    if any(path.is_dir() for place in (root, root / "rawdata") for path in place.glob("sub-*")):
        return True
    files = list_files(root)
    return bool(files) and all(path.parent == root and bids_name(file_stem(path)).is_standard for path in files)


def find_in_bids(root: Path) -> FoundDatabase:
    """Find the subjects of a BIDS folder by the names of its files; one study a session.

    Of each image one run is taken, and labels of the same run and space; what is left out is named.
    """
    raw = root / "rawdata" if any((root / "rawdata").glob("sub-*")) else root
    derivatives = [place / "derivatives" for place in dict.fromkeys((root, raw)) if (place / "derivatives").is_dir()]
    visits: dict[Visit, _Files] = defaultdict(_Files)
    for folder in sorted(raw.glob("sub-*")):
        for path in list_files(folder) if folder.is_dir() else [folder]:
            if is_brain_mask(path) or not is_listed(path):
                continue
            files = visits[_visit(path, raw)]
            if label_rank(path) is None:
                files.images.append(path)
            else:
                files.labels[path] = ""
    for place in derivatives:
        for path in list_files(place):
            if label_rank(path) is not None and not is_brain_mask(path):
                pipeline = path.relative_to(place).parts[0]
                visits[_visit(path, place)].labels[path] = "" if pipeline.startswith("sub-") else f"{pipeline}/"
    stray = [path for files in visits.values() if not files.images for path in files.labels]
    oddities = [_stray(sorted(stray))] if stray else []
    subjects = []
    for visit, files in sorted(visits.items()):
        if files.images:
            subject, left_out = _subject(visit, files)
            subjects.append(subject)
            oddities += [_not_used(subject, other) for other in left_out]
    return FoundDatabase(root, "bids", tuple(subjects), (*oddities, *_absent(root, raw, subjects)))


def _subject(visit: Visit, files: _Files) -> tuple[FoundSubject, Sequence[LeftOut]]:
    pairing = pair_files(files.images, sorted(files.labels))
    labels = _named(pairing.labels, [files.labels[path] for path in pairing.labels])
    name = "_".join(part for part in visit if part)
    return FoundSubject(name, visit[0], _shortened(_named(pairing.images)), labels), pairing.left_out


def _visit(path: Path, root: Path) -> Visit:
    """``sub-X`` and ``ses-Y`` of a file: by its name, else by its folders; also of a folder that names a visit."""
    entities = dict(bids_name(file_stem(path)).entities)
    folders = path.relative_to(root).parts[:-1]
    for folder in folders:
        for key, value in bids_name(folder).entities.items():
            if key in ("sub", "ses"):
                entities.setdefault(key, value)
    session = entities.get("ses")
    if session:
        return f"sub-{entities.get('sub', UNKNOWN)}", f"ses-{session}"
    below = [folder for folder in folders if not folder.startswith("sub-") and is_visit(folder)]
    return f"sub-{entities.get('sub', UNKNOWN)}", below[-1] if below else ""


def _named(paths: Sequence[Path], prefixes: Sequence[str] = ()) -> dict[str, Path]:
    """Files by their names without subject, session, run and space: ``acq-fast_T1w``; in full where two share one."""
    prefixes = prefixes or [""] * len(paths)
    short = [prefix + _name(path, _NOT_IN_NAMES) for path, prefix in zip(paths, prefixes, strict=True)]
    long = [prefix + _name(path, ("sub", "ses")) for path, prefix in zip(paths, prefixes, strict=True)]
    names = [name if short.count(name) == 1 else full for name, full in zip(short, long, strict=True)]
    named: dict[str, Path] = {}
    for name, path in zip(names, paths, strict=True):
        named[name if names.count(name) == 1 else f"{path.parent.name}/{name}"] = path
    return named


def _name(path: Path, without: Sequence[str]) -> str:
    parts = file_stem(path).split("_")
    return "_".join(part for part in parts if part.partition("-")[0] not in without or "-" not in part) or parts[-1]


def _shortened(images: dict[str, Path]) -> dict[str, Path]:
    """Channels called by their modality where no other one of the study has it, so that they agree between studies."""
    modalities = {name: guess_modality(path) for name, path in images.items()}
    counts = Counter(modalities.values())
    return {
        modality if modality != UNKNOWN and counts[modality] == 1 else name: images[name]
        for name, modality in modalities.items()
    }


def _stray(paths: Sequence[Path]) -> Oddity:
    return Oddity("", "unused-file", f"{len(paths)} label file(s) belong to no image: {paths[0].name} first", True)


def _not_used(subject: FoundSubject, other: LeftOut) -> Oddity:
    what = "labels" if other.is_label else "an image"
    message = f"{what} of {subject.name} left out: {other.path.name}, {other.why}"
    return Oddity(subject.name, "unused-file", message, harmless=bool(subject.labels) or not other.is_label)


def _absent(root: Path, raw: Path, subjects: Sequence[FoundSubject]) -> list[Oddity]:
    """Participants that a table names and that have no image."""
    table = next((place / "participants.tsv" for place in (root, raw) if (place / "participants.tsv").is_file()), None)
    if table is None:
        return []
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            named = [row.get("participant_id") or "" for row in csv.DictReader(file, delimiter="\t")]
    except (OSError, ValueError, csv.Error) as error:
        message = f"participants.tsv cannot be read ({reason_of(error)}) and was not looked at"
        return [Oddity("", "broken-file", message, True)]
    there = {subject.patient for subject in subjects}
    return [
        Oddity(name, "missing-file", f"participants.tsv names {name} and there is no image of it")
        for name in named
        if name and name not in there
    ]
