"""What a study holds, told so that it can be checked: files, kind, grid and frames of each image, and its labels.

Nothing is opened here: what is told is the study that a command or the viewer has opened.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from mrviewer.metrics.components import find_components
from mrviewer.notes import Note, as_note
from mrviewer.study import Image, Origin, Study

__all__ = ["ClassFacts", "ImageFacts", "Inventory", "LabelFacts", "take_inventory"]


@dataclass(frozen=True)
class ImageFacts:
    """One image of a study, or the k-space that makes it.

    Parameters
    ----------
    modality
        Its name in the study.
    files
        Where it comes from, as the folder that was given names them; empty for a simulated patient.
    kind
        What its values are: what the file says (``magnitude``, ``phase``, ``water``, ...), ``k-space``, or ``image``.
    shape, voxel_size_mm : (z, y, x)
        Voxels, and their edges.
    orientation
        Letters of the ends to which the axes of the file run, such as ``LPS``; of an image without a position those
        that its axes are taken for.
    placed
        Whether the file says where the volume lies in the scanner.
    frames
        What tells each volume apart.
    missing_slices
        Slices that the files lack.
    coils
        Receiver coils; `None` for an image that is no raw data.
    kspace
        ``fully sampled``, ``undersampled``, or ``from magnitude`` where it would be simulated.
    """

    modality: str
    files: tuple[str, ...]
    kind: str
    shape: tuple[int, int, int]
    voxel_size_mm: tuple[float, float, float]
    orientation: str
    placed: bool
    frames: tuple[str, ...]
    missing_slices: tuple[int, ...]
    coils: int | None
    kspace: str


@dataclass(frozen=True)
class ClassFacts:
    """One value of the labels: voxels, their volume, and 26-connected components."""

    value: int
    voxels: int
    ml: float
    components: int


@dataclass(frozen=True)
class LabelFacts:
    """Reference labels as they lie on the grid of the images.

    Parameters
    ----------
    source
        The file; ``simulated patient`` where there is none.
    classes
        Each value above 0.
    """

    source: str
    classes: tuple[ClassFacts, ...]


@dataclass(frozen=True)
class Inventory:
    """What a study holds."""

    name: str
    images: tuple[ImageFacts, ...]
    labels: LabelFacts | None
    notes: tuple[Note, ...]

    def to_json(self) -> dict[str, object]:
        """Return what ``mrviewer info FILE... --json`` prints."""
        return {**asdict(self), "notes": [note.to_json() for note in self.notes]}


def take_inventory(study: Study, given: Iterable[Path] = ()) -> Inventory:
    """Tell what a study holds; the pixels of labels are read, those of images are not.

    Parameters
    ----------
    study
        As it was opened.
    given
        Files and folders that the user named: files are told as these folders name them, others by their name alone.
    """
    folders = tuple(given)
    return Inventory(
        study.name,
        tuple(_image_facts(study, modality, folders) for modality in study.modalities),
        None if study.labels is None else _label_facts(study.labels, folders),
        tuple(map(as_note, study.notes)),
    )


def _image_facts(study: Study, modality: str, folders: Sequence[Path]) -> ImageFacts:
    geometry, raw, image = study.geometry(modality), study.raw.get(modality), study.images.get(modality)
    return ImageFacts(
        modality=modality,
        files=_names(study.files.get(modality, ()), folders),
        kind="k-space" if raw is not None else (image.kind if image is not None else "") or "image",
        shape=geometry.shape,
        voxel_size_mm=geometry.voxel_size_mm,
        orientation=geometry.orientation,
        placed=geometry.is_placed,
        frames=("the only volume",) if image is None else image.frames,
        missing_slices=() if image is None else image.missing,
        coils=None if raw is None else raw.shape[1],
        kspace="from magnitude" if raw is None else "fully sampled" if raw.acquired is None else "undersampled",
    )


def _label_facts(labels: Image, folders: Sequence[Path]) -> LabelFacts:
    values = labels.volume()
    found = []
    for value in np.unique(values[np.greater(values, 0)]):
        mask = values == value
        voxels = int(np.count_nonzero(mask))
        ml = voxels * labels.geometry.voxel_volume_ml
        found.append(ClassFacts(int(value), voxels, ml, find_components(mask).n_components))
    source = ", ".join(_names(labels.files, folders)) or Origin.PHANTOM.value
    return LabelFacts(source, tuple(found))


def _names(files: Sequence[Path], folders: Sequence[Path]) -> tuple[str, ...]:
    return tuple(_name(file, folders) for file in files)


def _name(file: Path, folders: Sequence[Path]) -> str:
    for folder in folders:
        if file != folder and file.is_relative_to(folder):
            return file.relative_to(folder).as_posix()
    return file.name
