"""Corrected labels: saved beside the study with who, when and from which result, and never over anything.

They lie in the folder ``mrviewer-corrections`` beside the images, as ``STUDY_TIME_label.nii.gz`` with a ``.json`` of
the same name. What a study came with is left as it is.
"""

import hashlib
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import InputError, ShapeError
from mrviewer.files.json_text import json_text, read_json_object
from mrviewer.files.new_file import new_file
from mrviewer.geometry import Geometry
from mrviewer.images.alignment import lay_over
from mrviewer.study import Image, Study
from mrviewer.writers.nifti import write_volume

__all__ = ["CORRECTIONS_FOLDER", "Correction", "list_corrections", "save_correction", "survey_corrections"]

CORRECTIONS_FOLDER = "mrviewer-corrections"

_logger = logging.getLogger(__name__)
_ENDING = "_label.nii.gz"
_MOST_AT_ONE_TIME = 1000


@dataclass(frozen=True)
class Correction:
    """Labels that a person corrected.

    Parameters
    ----------
    path
        The labels, on the grid of the study's images.
    study
        Name of the study that they belong to.
    images
        Names of the study's image files, by which a survey knows the subject again.
    author
        Who corrected.
    made
        When, UTC.
    source
        What was corrected: ``method``, ``mask``, result file or hash of the weights, as the saver knew it.
    based_on
        SHA-256 of the study's files at that time, by file name.
    """

    path: Path
    study: str
    images: tuple[str, ...]
    author: str
    made: datetime
    source: Mapping[str, str]
    based_on: Mapping[str, str]


def save_correction(
    study: Study,
    labels: Image | NDArray[np.integer],
    *,
    author: str,
    source: Mapping[str, str],
    now: datetime | None = None,
    folder: Path | None = None,
) -> Path:
    """Save corrected labels beside the files of a study, as a new file each time.

    Parameters
    ----------
    study
        What was corrected.
    labels : (z, y, x)
        Classes as whole numbers from 0, on the grid of the study's images; an array lies on that of its first image.
    author
        Who corrected. It is written into a file that may travel: initials do.
    source
        What was corrected, such as ``{"method": ..., "mask": ..., "weights_sha256": ...}``. No paths, no names.
    now
        The time with its zone; by default that of the clock.
    folder
        Where to make ``mrviewer-corrections`` in place of the folder of the study's first image file.

    Returns
    -------
    Path
        The label file. It opens like any labels.

    Raises
    ------
    ShapeError
        If the labels lie on another grid than the study.
    InputError
        If they are no whole numbers from 0, nobody is named as author, or the folder cannot be written.
    """
    if not author.strip():
        raise InputError("a correction says who made it; give an author, initials will do")
    volume, geometry = _on_grid(study, labels)
    made = (now or datetime.now(UTC)).astimezone(UTC)
    paths = _files(study)
    target = _folder(study, paths, folder)
    facts = {
        "study": study.name,
        "images": [path.name for path in _image_files(study)],
        "author": author.strip(),
        "made": made.isoformat(timespec="microseconds"),
        "source": dict(source),
        "based_on": {path.name: _sha256(path) for path in paths},
    }
    with _in_words(target):
        target.mkdir(exist_ok=True)
        return _write(target, f"{_slug(study.name)}_{made:%Y%m%dT%H%M%SZ}", volume, geometry, facts)


def list_corrections(folder: Path) -> list[Correction]:
    """Corrections of the studies whose files lie in a folder, the oldest first.

    What is damaged or belongs to no correction is left out, and a line of the log says so.
    """
    found, unreadable = survey_corrections(folder)
    for reason in unreadable:
        _logger.warning("left out of the corrections: %s", reason)
    return found


def survey_corrections(folder: Path) -> tuple[list[Correction], list[str]]:
    """Corrections of the studies whose files lie in a folder, the oldest first; and why others cannot be read."""
    found, unreadable = [], []
    for path in sorted((Path(folder) / CORRECTIONS_FOLDER).glob(f"*{_ENDING}")):
        if path.name.startswith("."):
            continue
        try:
            found.append(_read(path))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
            unreadable.append(f"{path.name} has no readable .json beside it; save the correction again")
    return sorted(found, key=lambda correction: (correction.made, correction.path.name)), unreadable


def _on_grid(study: Study, labels: Image | NDArray[np.integer]) -> tuple[NDArray[np.integer], Geometry]:
    """Labels in memory and their grid, which is one of the study's."""
    if not study.images:
        raise InputError(f"study {study.name!r} has k-space but no image, so labels have no grid; open its images too")
    grids = [image.geometry for image in study.images.values()]
    if isinstance(labels, Image):
        found = [(grid, laid[0]) for grid in grids if (laid := lay_over(labels, grid)) is not None]
        geometry, labels = found[0] if found else (None, labels)
        volume = np.asarray(labels.data)
    else:
        geometry = grids[0] if labels.shape == grids[0].shape else None
        volume = np.asarray(labels)
    if geometry is None or volume.shape != geometry.shape:
        raise ShapeError(
            f"the labels are {volume.shape} and lie on another grid than study {study.name!r}, {grids[0].shape} "
            "(z, y, x); correct them on the grid of its images"
        )
    # Beside files that state another voxel size the labels would lie elsewhere, if they had the true one.
    return _whole_numbers(volume), geometry.as_filed


def _whole_numbers(volume: NDArray[np.generic]) -> NDArray[np.integer]:
    """Labels in the smallest type that holds them."""
    if volume.dtype.kind not in "biu":
        raise InputError(f"labels are whole numbers and these are {volume.dtype}; round them first")
    lowest, highest = int(volume.min(initial=0)), int(volume.max(initial=0))
    if lowest < 0 or highest > np.iinfo(np.int32).max:
        raise InputError(f"labels count from 0 and these go from {lowest} to {highest}; renumber them")
    smallest = next(kind for kind in (np.uint8, np.int16, np.int32) if highest <= np.iinfo(kind).max)
    return volume.astype(smallest)


def _image_files(study: Study) -> list[Path]:
    return [image.path for image in study.images.values() if image.path is not None]


def _files(study: Study) -> list[Path]:
    """Files that the labels were corrected over: images and reference labels."""
    reference = study.labels.path if study.labels is not None else None
    every = [*_image_files(study), *([reference] if reference is not None else [])]
    return [path for path in dict.fromkeys(every) if path.is_file()]


def _folder(study: Study, paths: list[Path], wanted: Path | None) -> Path:
    home = Path(wanted) if wanted is not None else paths[0].parent if paths else None
    if home is None:
        raise InputError(f"study {study.name!r} lies in no folder; say in which folder its corrections go")
    if not home.is_dir():
        raise InputError(f"there is no folder {home.name}; give one in which corrections can be saved")
    return home / CORRECTIONS_FOLDER


@contextmanager
def _in_words(folder: Path) -> Iterator[None]:
    """Say in one sentence why nothing can be saved in a folder."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"the correction cannot be saved in {folder.parent.name} ({error.strerror or error}); give another folder"
        ) from error


def _write(
    folder: Path, stem: str, volume: NDArray[np.integer], geometry: Geometry, facts: Mapping[str, object]
) -> Path:
    """Write labels and facts under the first free name; the labels come last, for they make it count."""
    for number in range(1, _MOST_AT_ONE_TIME):
        path = folder / f"{stem if number == 1 else f'{stem}-{number}'}{_ENDING}"
        told = _told(path)
        try:
            with new_file(told) as temporary:
                temporary.write_text(json_text(facts, indent=1), encoding="utf-8")
        except FileExistsError:
            continue
        try:
            with new_file(path) as temporary:
                write_volume(temporary, volume, geometry, description="corrected labels")
        except FileExistsError:
            # Labels that have lost their .json: theirs this one is not.
            told.unlink()
            continue
        except BaseException:
            told.unlink()
            raise
        return path
    raise InputError(f"{folder.name} holds {_MOST_AT_ONE_TIME} corrections of one second; wait, and save again")


def _told(path: Path) -> Path:
    """The facts about a label file."""
    return path.with_name(path.name.removesuffix(".nii.gz") + ".json")


def _read(path: Path) -> Correction:
    facts = read_json_object(_told(path), "save the correction again")
    made = datetime.fromisoformat(facts["made"])
    return Correction(
        path=path,
        study=str(facts["study"]),
        images=tuple(map(str, facts["images"])),
        author=str(facts["author"]),
        made=made if made.tzinfo else made.replace(tzinfo=UTC),
        source={str(name): str(value) for name, value in facts["source"].items()},
        based_on={str(name): str(value) for name, value in facts["based_on"].items()},
    )


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9-]+", "-", name).strip("-")[:60] or "study"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
