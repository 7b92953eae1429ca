"""Which files of a folder are the images of one subject, and which one holds the reference labels."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mrviewer.errors import InputError
from mrviewer.names.image_names import MODALITIES, NameReading, file_stem, label_rank, read_names
from mrviewer.names.label_words import LabelKind, label_kind
from mrviewer.names.pairing import drawn_on, pair_files
from mrviewer.names.versions import preferred_version, version_of
from mrviewer.names.visits import visit_of
from mrviewer.notes import Note, NoteKind, left_out
from mrviewer.readers.formats import FORMATS, is_listed

__all__ = ["SubjectFiles", "find_subject_files"]

DEEPEST = 3
MOST_IMAGES = 20
_FUSED = re.compile("fused|fusion|consensus|staple")


@dataclass(frozen=True)
class SubjectFiles:
    """Files of one subject.

    Parameters
    ----------
    images
        Path and modality, FLAIR first, then in the order of `MODALITIES`.
    labels
        The file whose name says most surely that it holds reference labels.
    notes
        Which files were left out, and why.
    """

    images: tuple[tuple[Path, str], ...]
    labels: Path | None
    notes: tuple[str, ...]


def find_subject_files(folder: Path) -> SubjectFiles:
    """Sort the files of a folder by their names; files lie in the folder itself, else up to three levels below it.

    Raises
    ------
    InputError
        If nothing in it can be an image, if no name tells a modality, or if there are too many for one subject.
    """
    listed = _listed(folder)
    healthy = [path for path in listed if label_kind(file_stem(path)) in (LabelKind.BRAIN, LabelKind.ANATOMY)]
    files = [path for path in listed if path not in healthy]
    readings = _readings(files)
    ranks = _label_ranks(folder, readings)
    present, versions = _of_one_version(folder, [path for path in files if path not in ranks])
    _refuse_database(folder, [(path, told) for path in present if (told := readings[path].modality) in MODALITIES])
    images_of_visit, labels_of_visit, elsewhere = _of_one_visit(folder, present, list(ranks), readings)
    pairing = pair_files(images_of_visit, labels_of_visit)
    labels, spare = _choose_labels({path: ranks[path] for path in pairing.labels})
    used = _drawn_on(labels, pairing.images, readings)
    images = [(path, readings[path].modality) for path in used]
    recognised = [pair for pair in images if pair[1] in MODALITIES]
    unknown = [path for path, modality in images if modality not in MODALITIES] if recognised else []
    images = sorted(recognised, key=lambda pair: MODALITIES.index(pair[1])) or _only_image(folder, images)
    notes = [
        *_left_out(unknown, "whose names tell no modality: open them as NAME=path"),
        *_left_out(healthy, "which by name is of the brain or its anatomy and not of lesions"),
        *versions,
        *spare,
        *_left_out(elsewhere, "of another visit"),
        *_left_out(
            [path for path in pairing.images if path not in used],
            f"since {labels.name if labels else ''} is of another image by its name",
        ),
        *(note for other in pairing.left_out for note in _left_out([other.path], other.why)),
    ]
    return SubjectFiles(tuple(images), labels, tuple(notes))


def _listed(folder: Path) -> list[Path]:
    """Files that may be images: in a folder itself, else as few levels below it as it takes, and labels above them."""
    files: list[Path] = []
    for depth in range(DEEPEST + 1):
        found = sorted(path for path in folder.glob("*/" * depth + "*") if path.is_file() and is_listed(path))
        files += found
        if any(label_kind(file_stem(path)) is None for path in found):
            return files
    if files:
        return files
    patterns = ", ".join(pattern for known in FORMATS for pattern in known.patterns)
    raise InputError(
        f"folder {folder.name} holds no file that opens here (DICOM, {patterns}); give a folder with images, "
        "or a .zip of DICOM or a .npy array itself"
    )


def _of_one_version(folder: Path, images: list[Path]) -> tuple[list[Path], list[Note]]:
    """Images of one version where folders hold several, and a note on the others."""
    versions = {path: version_of(path.relative_to(folder).parts[:-1]) for path in images}
    chosen = preferred_version(versions.values())
    others = [path for path in images if chosen and versions[path] not in ("", chosen)]
    why = f"another version of the images: those in {chosen} are used"
    return [path for path in images if path not in others], _left_out(others, why)


def _refuse_database(folder: Path, images: list[tuple[Path, str]]) -> None:
    """Refuse a folder in which several folders hold the same modality, or that holds very many images."""
    homes = {modality: {path.parent for path, other in images if other == modality} for _, modality in images}
    if len(images) > MOST_IMAGES or any(len(folders) > 1 for folders in homes.values()):
        raise InputError(
            f"folder {folder.name} holds {len(images)} images, of several subjects or visits as it seems; "
            "give the folder of one"
        )


def _only_image(folder: Path, images: list[tuple[Path, str]]) -> list[tuple[Path, str]]:
    """Return the one image, whatever it is."""
    if len(images) == 1:
        return images
    if not images:
        raise InputError(f"folder {folder.name} holds labels but no image; give a folder with images")
    raise InputError(
        f"folder {folder.name} holds {len(images)} images and no name tells its modality; "
        "open them one by one, or as FLAIR=path"
    )


def _readings(files: list[Path]) -> dict[Path, NameReading]:
    """What names tell, those of each folder read together."""
    told: dict[Path, NameReading] = {}
    for home in dict.fromkeys(path.parent for path in files):
        told |= read_names(path for path in files if path.parent == home)
    return told


def _of_one_visit(
    folder: Path, images: list[Path], labels: list[Path], readings: Mapping[Path, NameReading]
) -> tuple[list[Path], list[Path], list[Path]]:
    """Images and labels of the visit that has labels, where names tell visits; and the files of other visits.

    Labels that say of no visit may belong to all of them, as changes between visits do.
    """
    visits = {
        path: visit_of((*path.relative_to(folder).parts[:-1], "_".join(readings[path].words)))
        for path in (*images, *labels)
    }
    shared = set[str]().union(*visits.values()).intersection(*(visits[path] for path in images))
    told = {path: tuple(part for part in visit if part not in shared) for path, visit in visits.items()}
    seen = {told[path] for path in images} - {()}
    drawn = [told[path] for path in labels if told[path]]
    if len(seen) < 2 or not drawn:
        return images, labels, []
    visit = next((each for each in drawn if each in seen), ())
    kept = [path for path in images if not visit or told[path] in (visit, ())]
    used = [path for path in labels if told[path] in (visit, ())]
    return kept, used, [path for path in (*images, *labels) if path not in (*kept, *used)]


def _label_ranks(folder: Path, readings: Mapping[Path, NameReading]) -> dict[Path, tuple[int, ...]]:
    """Files that may hold labels, with how surely; the surest has the lowest rank.

    By their own names, or, where none says so, by that of the sub-folder in which files of no telling name lie; there
    the fusion of several segmentations goes before each of them.
    """
    ranks: dict[Path, tuple[int, ...]] = {
        path: (reading.label_rank,) for path, reading in readings.items() if reading.label_rank is not None
    }
    if ranks:
        return ranks
    for path, reading in readings.items():
        rank = None if path.parent == folder or reading.modality in MODALITIES else label_rank(path.parent)
        if rank is not None and label_kind(f"{file_stem(path)} mask") is not LabelKind.BRAIN:
            ranks[path] = (0 if _FUSED.search(path.parent.name.lower()) else 1, rank)
    return ranks


def _choose_labels(ranks: dict[Path, tuple[int, ...]]) -> tuple[Path | None, list[Note]]:
    """Return the surest label file, and a note on the others."""
    if not ranks:
        return None, []
    chosen, *others = sorted(ranks, key=lambda path: (ranks[path], path))
    notes = _left_out(others, f"which may hold labels too: {chosen.name} is taken as the reference")
    if label_kind(file_stem(chosen)) is LabelKind.MACHINE:
        said = (
            f"{chosen.name} was made by a program, as its name says; results are compared with that, not with an expert"
        )
        notes.append(Note(said, NoteKind.LABELS))
    return chosen, notes


def _drawn_on(labels: Path | None, images: Sequence[Path], readings: Mapping[Path, NameReading]) -> list[Path]:
    """Images without those of a modality of which the name of the labels says that they were drawn on another."""
    if labels is None:
        return list(images)
    by_modality: dict[str, dict[Path, tuple[str, ...]]] = {}
    for path in images:
        if readings[path].modality in MODALITIES:
            by_modality.setdefault(readings[path].modality, {})[path] = readings[path].words
    drawn = {path for group in by_modality.values() for path in drawn_on(readings[labels].words, group)}
    return [path for path in images if path in drawn or readings[path].modality not in MODALITIES]


def _left_out(paths: list[Path], why: str) -> list[Note]:
    if not paths:
        return []
    names = ", ".join(path.name for path in paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
    return [left_out(f"{names}, {why}", len(paths))]
