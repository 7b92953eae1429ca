"""Headers of the files of one study: what can be opened, and which of it is odd."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mrviewer.database.found import FoundSubject
from mrviewer.database.mapped import open_contents
from mrviewer.database.survey import Oddity, SurveyedSubject
from mrviewer.errors import FileFormatError, InputError
from mrviewer.files.checksums import content_signature
from mrviewer.geometry import Geometry
from mrviewer.images.alignment import Relation, common_grid, lie_together, relation, why_unknown
from mrviewer.images.dynamic import PHASES, SERIES
from mrviewer.images.voxel_size import size_doubt
from mrviewer.names.image_names import guess_modality
from mrviewer.study import Image
from mrviewer.system.reasons import reason_of

__all__ = ["SubjectHeaders", "read_headers"]


@dataclass(frozen=True, eq=False)
class SubjectHeaders:
    """What the headers of one study say.

    Parameters
    ----------
    subject
        With the files that open; `None` if none of its channels does.
    oddities
        What is odd about it.
    signatures
        Of the content of each channel's file, by channel.
    """

    subject: SurveyedSubject | None
    oddities: tuple[Oddity, ...]
    signatures: Mapping[str, str]


def read_headers(found: FoundSubject) -> SubjectHeaders:
    """Read the headers of a study; what does not open is named and left out."""
    oddities: list[Oddity] = []
    signatures: dict[Path, str] = {}
    images = _opened(found, found.channels, oddities, signatures)
    labels = _opened(found, found.labels, oddities, signatures)
    if not images:
        message = f"{found.name} has no image that opens and is left out"
        return SubjectHeaders(None, (*oddities, Oddity(found.name, "broken-subject", message)), {})
    grid = _grid_of(list(images.values()), list(labels.values()))
    oddities += _series(found, images)
    oddities += _other_grids(found.name, images, labels, grid)
    oddities += _voxel_size(found.name, grid)
    content = [f"{path.name} {signature}" for path, signature in sorted(signatures.items())]
    subject = SurveyedSubject(
        found.name,
        found.patient,
        {name: found.channels[name] for name in images},
        {name: found.labels[name] for name in labels},
        grid.shape,
        grid.voxel_size_mm,
        tuple(oddities),
        {name: frame for name, frame in found.frames.items() if name in images},
        found.folder,
        hashlib.sha256("\n".join(content).encode()).hexdigest()[:16],
    )
    # Channels that are volumes of one file are no copies of one another.
    told = {name: f"{signatures[found.channels[name]]}#{found.frames.get(name, 0)}" for name in images}
    return SubjectHeaders(subject, tuple(oddities), told)


def _opened(
    found: FoundSubject, files: Mapping[str, Path], oddities: list[Oddity], signatures: dict[Path, str]
) -> dict[str, Image]:
    """Images whose headers can be read; the others become oddities."""
    opened: dict[str, Image] = {}
    for name, path in files.items():
        try:
            contents = open_contents(path, name)
            if len(contents.images) != 1:
                raise FileFormatError(f"{path.name} holds {len(contents.images)} images and one was expected")
            if not 0 <= found.frames.get(name, 0) < contents.images[0].n_frames:
                raise FileFormatError(
                    f"{path.name} holds {contents.images[0].n_frames} volume(s) and no {name} in them"
                )
            signatures[path] = content_signature(path)
        except InputError as error:
            kind = "broken-file" if path.exists() else "missing-file"
            oddities.append(Oddity(found.name, kind, f"{name} of {found.name} is left out: {reason_of(error)}"))
        else:
            opened[name] = contents.images[0]
    return opened


def _grid_of(images: Sequence[Image], labels: Sequence[Image]) -> Geometry:
    """Grid on which the study would be used: that of labels where images lie on it, else that of most images."""
    grids = [image.geometry for image in images]
    fitting = (label.geometry for label in labels if any(lie_together(label.geometry, grid) for grid in grids))
    return common_grid(grids, preferred=next(fitting, None))


def _series(found: FoundSubject, images: Mapping[str, Image]) -> list[Oddity]:
    """Files of several volumes that are not one volume a channel."""
    told = []
    for name, image in images.items():
        if image.n_frames == 1 or name in found.frames:
            continue
        if guess_modality(name) == SERIES and image.n_frames == len(PHASES):
            message = f"{name} of {found.name} is a series of four volumes, taken as {', '.join(PHASES)}"
            told.append(Oddity(found.name, "series", message, True))
        else:
            message = f"{name} of {found.name} is a series of {image.n_frames} volumes; only the first would be used"
            told.append(Oddity(found.name, "series", message))
    return told


def _other_grids(
    subject: str, images: Mapping[str, Image], labels: Mapping[str, Image], grid: Geometry
) -> list[Oddity]:
    """Images and labels that do not lie on the grid of the study."""
    told = []
    for name, image in images.items():
        how = relation(image.geometry, grid)
        if how is Relation.VOXEL_FOR_VOXEL:
            told.append(_voxel_for_voxel(subject, name, "image-grid"))
        elif how is Relation.PERMUTED:
            reason = why_unknown(image, grid, f"the rest of {subject}")
            told.append(Oddity(subject, "image-grid", f"{name} of {subject} is left out: {reason}"))
        elif how is not Relation.SAME:
            message = (
                f"{name} of {subject} ({_in_words(image.geometry)}) lies on another grid than the rest "
                f"({_in_words(grid)}); used together, it is left out"
            )
            told.append(Oddity(subject, "image-grid", message))
    on_grid = {name: image for name, image in images.items() if lie_together(image.geometry, grid)}
    first = next(iter(on_grid), "")
    for name, image in on_grid.items():
        if not image.shares_reference(on_grid[first]):
            message = (
                f"{name} of {subject} lies in another frame of reference than {first}; used together, it is left out"
            )
            told.append(Oddity(subject, "image-grid", message))
    for name, label in labels.items():
        how = relation(label.geometry, grid)
        if how is Relation.VOXEL_FOR_VOXEL:
            told.append(_voxel_for_voxel(subject, f"the label {name}", "label-grid"))
        elif reason := why_unknown(label, grid, f"the images of {subject}"):
            told.append(Oddity(subject, "label-grid", f"the labels {name} of {subject} cannot be used: {reason}"))
        elif not any(lie_together(label.geometry, image.geometry) for image in images.values()):
            message = (
                f"the labels {name} of {subject} ({_in_words(label.geometry)}) lie on another grid than the images "
                f"({_in_words(grid)}); they are resampled to the nearest voxel"
            )
            told.append(Oddity(subject, "label-grid", message))
    return told


def _voxel_for_voxel(subject: str, what: str, kind: str) -> Oddity:
    """Something that lies on the grid of the study only if its matrix, which agrees, means so."""
    message = (
        f"{what} of {subject} or what it belongs to does not say how it lies in the scanner; it is laid over voxel for "
        "voxel, since the matrices agree"
    )
    return Oddity(subject, kind, message, True)


def _voxel_size(subject: str, grid: Geometry) -> list[Oddity]:
    """A voxel size that a scanner did not write."""
    problem = size_doubt(grid)
    if not problem:
        return []
    message = (
        f"the header of {subject} says {_in_words(grid)}, {problem}; it can hardly be true, so volumes and distances "
        "would be wrong: give the true voxel size"
    )
    return [Oddity(subject, "voxel-size", message)]


def _in_words(grid: Geometry) -> str:
    return f"{_times(grid.shape)} voxels of {_times([round(size, 2) for size in grid.voxel_size_mm])} mm"


def _times(values: Sequence[float]) -> str:
    return " x ".join(f"{value:g}" for value in values)
