"""Subjects of a plain folder, by the names of its files and sub-folders.

A sub-folder is a patient, who may have several visits; or a visit, which holds patients or is one of a single patient;
or, where sub-folders are called ``images`` and ``labels`` or after modalities and hold files of the same names, the
files are the subjects; or all files lie in one folder.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from mrviewer.database.found import FoundDatabase, FoundSubject
from mrviewer.database.image_files import (
    ImageFile,
    folder_modality,
    identity_of,
    list_files,
    read_files,
    told_by_names,
    words_of,
)
from mrviewer.database.layouts.studies import StudyFiles, divide_studies, name_sources
from mrviewer.database.survey import Oddity
from mrviewer.names.image_names import UNKNOWN, file_stem, guess_modality, is_brain_mask, label_rank
from mrviewer.names.versions import preferred_version, version_of
from mrviewer.names.visits import are_patients, is_visit, patient_of

__all__ = ["find_in_folders"]

_KINDS = {
    "image", "images", "imgs", "img", "volumes", "unlabelled", "unlabeled", "imagestr", "imagests",
    "mri", "mris", "mr", "scans", "nifti", "niftis",
}  # fmt: skip
_CONTAINERS = {
    "train", "training", "test", "testing", "val", "validation", "data", "patients", "subjects", "cases", "rawdata",
    "hgg", "lgg", "pd", "hc", "hcs", "ms", "ad", "mci", "control", "controls", "healthy",
}  # fmt: skip


def find_in_folders(root: Path) -> FoundDatabase:
    """Find the subjects of a folder; no file is opened.

    Parameters
    ----------
    root
        It may hold nothing that opens here, and then has no subject.
    """
    found = _found_in(root, [path for path in list_files(root) if not is_brain_mask(path)])
    return replace(found, oddities=(*found.oddities, *_versions(found)))


def _versions(found: FoundDatabase) -> list[Oddity]:
    """Say of which version of several images are proposed, and that there are others."""
    paths = (path for each in found.subjects for path in each.channels.values())
    folders = {version_of([path.parent.name]) for path in paths} - {""}
    chosen = preferred_version(folders)
    if not chosen:
        return []
    others = ", ".join(sorted(folders - {chosen}))
    message = f"images lie there in several versions: those in {chosen} are proposed; {others} are channels beside them"
    return [Oddity("", "versions", message, True)]


def _found_in(root: Path, paths: Sequence[Path]) -> FoundDatabase:
    told = told_by_names(paths)
    top = _deepest_shared(root, paths, told)
    kinds = {path.parent for path in paths if path.parent.parent == top and _kind(path.parent, told)}
    if _are_paired(kinds, paths):
        return _side_by_side(root, top, [path for path in paths if path.parent in kinds])
    homes = _homes(top, paths, told)
    if not homes:
        return _side_by_side(root, top, paths)
    if all(is_visit(home.name) and not folder_modality(home, told) for home in homes):
        return _by_visit(root, top, homes)
    return _by_home(root, top, homes, is_one=any(_is_modality(home, told) for home in homes))


def _by_home(root: Path, top: Path, homes: Mapping[Path, Sequence[Path]], *, is_one: bool) -> FoundDatabase:
    """Subjects of folders of which each is a patient, or, if `is_one`, each is a part of one patient."""
    names = Counter(home.name for home in homes)
    subjects: list[FoundSubject] = []
    oddities: list[Oddity] = [Oddity("", "one-patient", _ONE_PATIENT)] if is_one else []
    for home, inside in homes.items():
        if home.name.lower() in _CONTAINERS and not is_one:
            found = _side_by_side(root, home, inside)
            subjects += found.subjects
            oddities += found.oddities
            continue
        files = read_files(inside, home)
        images = [file for file in files if not file.is_label]
        if not images:
            oddities.append(_unused(home.name, files))
            continue
        studies, spare = divide_studies(images, [file for file in files if file.is_label], side_by_side=False)
        parts = home.relative_to(top).parts
        name = home.name if names[home.name] == 1 else "_".join(parts)
        # Two sites may each have a patient 11; one whose parts lie in training and test is the same.
        whose = home.name if names[home.name] == 1 else "_".join(part for part in parts if not _is_container(part))
        patient = root.name if is_one else patient_of(whose or home.name)
        subjects += [_subject(study, home, name, patient, alone=len(studies) == 1) for study in studies]
        oddities += [_unused(home.name, spare)] if spare else []
    return FoundDatabase(root, "folders", _with_own_names(subjects), tuple(oddities))


def _with_own_names(subjects: Sequence[FoundSubject]) -> tuple[FoundSubject, ...]:
    """Subjects, those of one name called after their folders too."""
    names = Counter(each.name for each in subjects)
    return tuple(
        each
        if names[each.name] == 1
        else replace(each, name=f"{next(iter(each.channels.values())).parent.name}_{each.name}")
        for each in subjects
    )


def _by_visit(root: Path, top: Path, homes: Mapping[Path, Sequence[Path]]) -> FoundDatabase:
    """Subjects of folders of which each is a visit: of patients that lie in it, or of one, called like `top`."""
    subjects: list[FoundSubject] = []
    oddities: list[Oddity] = []
    for home, inside in homes.items():
        found = _found_in(home, inside)
        oddities += found.oddities
        for each in found.subjects:
            is_top = each.name == home.name
            name = home.name if is_top else f"{each.name}_{home.name}"
            subjects.append(replace(each, name=name, patient=top.name if is_top else each.patient))
    return FoundDatabase(root, "folders", tuple(sorted(subjects, key=lambda each: each.name)), tuple(oddities))


_ONE_PATIENT = (
    "sub-folders are called after modalities and share no file names, so all are taken as studies of one patient; "
    "name the patients in a table of paths if there are several"
)


def _deepest_shared(root: Path, paths: Sequence[Path], told: Mapping[Path, set[str]]) -> Path:
    """Go down while there is nothing but one folder, as in an archive that was unpacked into one of its name."""
    top = root
    while paths and not any(path.parent == top for path in paths):
        below = {path.relative_to(top).parts[0] for path in paths}
        if len(below) != 1 or not _is_wrapper(inner := top / below.pop(), paths, told):
            break
        top = inner
    return top


def _is_wrapper(folder: Path, paths: Sequence[Path], told: Mapping[Path, set[str]]) -> bool:
    """Whether the only folder of a database is a mere shell, and no patient.

    Where that cannot be told it is a patient: then a split is refused, while a patient taken for several would leak
    from training into validation.
    """
    if _kind(folder, told) or any(path.parent == folder for path in paths):
        return folder.name.lower() in _CONTAINERS
    below = {folder / path.relative_to(folder).parts[0] for path in paths}
    if _are_paired({path for path in below if _kind(path, told)}, paths):
        return True
    are_visits = any(is_visit(path.name) for path in below)
    return len(below) > 2 and not are_visits and not any(_kind(path, told) for path in below)


def _is_container(name: str) -> bool:
    return name.lower() in _CONTAINERS


def _sites(top: Path, paths: Sequence[Path], told: Mapping[Path, set[str]]) -> set[Path]:
    """Folders below `top` that hold folders of patients, as those of hospitals do, and no images of their own."""
    below: dict[Path, set[Path]] = defaultdict(set)
    for path in paths:
        folders = [folder for folder in path.parents if top in folder.parents]
        for inner, outer in pairwise(folders):
            below[outer].add(inner)
    direct = {path.parent for path in paths}
    sites: set[Path] = set()

    def elsewhere(folder: Path) -> set[str]:
        same = (each for each in below if each != folder and len(each.parts) == len(folder.parts))
        return {inner.name for each in same for inner in below[each]}

    for folder in sorted(below, key=lambda each: -len(each.parts)):
        inside = below[folder]
        if folder in direct or is_visit(folder.name):
            continue
        counts = Counter(modality for each in inside for modality in told.get(each, set()))
        are_alike = max(counts.values(), default=0) > 1 or len(inside) == 1
        if inside <= sites or (are_alike and are_patients([each.name for each in inside], elsewhere(folder))):
            sites.add(folder)
    return sites


def _homes(top: Path, paths: Sequence[Path], told: Mapping[Path, set[str]]) -> dict[Path, list[Path]]:
    """Folders of patients, with their files: below `top`, or below the folders in which a database keeps its parts."""
    homes: dict[Path, list[Path]] = defaultdict(list)
    sites = _sites(top, paths, told)
    is_flat = True
    for path in paths:
        parts = path.relative_to(top).parts
        if len(parts) < 2:
            continue
        depth = 1
        while len(parts) > depth + 1 and (_is_container(parts[depth - 1]) or top.joinpath(*parts[:depth]) in sites):
            depth += 1
        homes[top.joinpath(*parts[:depth])].append(path)
        is_flat = is_flat and len(parts) == 2
    if len(homes) == 1 and is_flat and next(iter(homes)).name.lower() in _CONTAINERS | _KINDS:
        return {}
    return dict(homes)


def _kind(folder: Path, told: Mapping[Path, set[str]]) -> bool:
    """Whether the name of a folder says what kind of files it holds, and not whose or when."""
    return folder.name.lower() in _KINDS or label_rank(folder.name) is not None or _is_modality(folder, told)


def _is_modality(folder: Path, told: Mapping[Path, set[str]]) -> bool:
    return len(words_of(folder.name)) == 1 and folder_modality(folder, told) != ""


def _are_paired(kinds: set[Path], paths: Sequence[Path]) -> bool:
    """Whether at least half of the files of a folder have partners of the same subject in another one."""
    keys = [{key for path in paths if path.parent == kind for key in _identities(path)} for kind in sorted(kinds)]
    return any(
        first and second and 2 * len(first & second) >= min(len(first), len(second))
        for number, first in enumerate(keys)
        for second in keys[:number]
    )


def _identities(path: Path) -> set[tuple[str, ...]]:
    """Words of a file name that may tell whose it is, with and without those that look like a modality."""
    [file] = read_files([path], path.parent)
    words = tuple(word for word in file.name_words if label_rank(word) is None)
    return {words, tuple(word for word in words if guess_modality(word) == UNKNOWN)} - {()}


def _side_by_side(root: Path, top: Path, paths: Sequence[Path]) -> FoundDatabase:
    """Subjects whose files lie next to one another, or in folders by kind, whose names are no part of theirs."""
    files = [replace(file, folders=()) for file in read_files(paths, top)]
    images = [file for file in files if not file.is_label]
    labels = [file for file in files if file.is_label]
    if not images:
        return FoundDatabase(root, "folders", (), (_unused(top.name, labels),) if labels else ())
    studies, spare = divide_studies(images, labels, side_by_side=True)
    if len(studies) == 1:
        subject = _subject(studies[0], top, top.name, patient_of(top.name), alone=True)
        return FoundDatabase(root, "folders", (subject,))
    subjects = []
    names = Counter(identity_of(study.images[0]) for study in studies)
    for study in studies:
        name = identity_of(study.images[0])
        name = name if names[name] == 1 else file_stem(study.images[0].path)
        channels = name_sources(study.images, words_of(name), top.name)
        truth = name_sources(study.labels, words_of(name), top.name)
        subjects.append(FoundSubject(name, patient_of(name), channels, truth))
    oddities = (_unused(top.name, spare),) if spare else ()
    return FoundDatabase(root, "folders", tuple(sorted(subjects, key=lambda each: each.name)), oddities)


def _subject(study: StudyFiles, home: Path, name: str, patient: str, *, alone: bool) -> FoundSubject:
    return FoundSubject(
        name if alone else "_".join((name, *study.key)),
        patient,
        name_sources(study.images, study.key, home.name),
        name_sources(study.labels, study.key, home.name),
        folder=home if alone else None,
    )


def _unused(where: str, files: Sequence[ImageFile]) -> Oddity:
    names = ", ".join(file.path.name for file in files[:2]) + (" ..." if len(files) > 2 else "")
    return Oddity(
        "", "unused-file", f"{len(files)} file(s) of {where} belong to no study and are not used: {names}", True
    )
