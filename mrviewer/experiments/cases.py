"""Test subjects on a coarser grid: what an experiment measures, quick enough to be measured often."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mrviewer.array_files.stored_npz import read_npz
from mrviewer.database import Subject
from mrviewer.files.portable_names import portable_name
from mrviewer.files.whole_file import whole_file
from mrviewer.geometry import Geometry
from mrviewer.notes import Note, as_note
from mrviewer.study import Image, Study

__all__ = ["coarse_study", "load_case", "with_modalities"]

_VERSION = 1


def load_case(subject: Subject, folder: Path, *, coarsen: int, every: int) -> Study:
    """Open a subject on the grid of an experiment; what was made once lies in a folder and is read from there.

    Parameters
    ----------
    subject
        Simulated or real.
    folder
        Where cases are kept. It is made where it does not exist.
    coarsen, every
        See `coarse_study`.
    """
    if subject.seed is None:
        return coarse_study(subject.load(), coarsen=coarsen, every=every)
    key = json.dumps([_VERSION, subject.name, subject.seed, coarsen, every])
    path = folder / f"{portable_name(subject.name)}-{hashlib.sha256(key.encode()).hexdigest()[:12]}.npz"
    stored = _stored_case(path)
    if stored is not None:
        return stored
    study = coarse_study(subject.load(), coarsen=coarsen, every=every)
    folder.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **_arrays(study))
    return study


def coarse_study(study: Study, *, coarsen: int, every: int) -> Study:
    """Merge pixels within slices and leave out slices; k-space is simulated from the magnitudes that are left.

    Images are averaged over blocks of ``coarsen x coarsen`` pixels, labels are what most of a block is, as in the
    training slices. Rows and columns that fill no block are cut off.

    Parameters
    ----------
    study
        Images and labels of any grids; each is cut along the slice axis of its own.
    coarsen
        Pixels merged along both axes of a slice.
    every
        Take every so-many-th slice, beginning in the middle of the first so many.
    """
    images = {
        name: replace(image, data=_coarse(image.volume(), image.geometry, coarsen, every), geometry=geometry)
        for name, image in study.images.items()
        for geometry in [_coarse_geometry(image.geometry, coarsen, every)]
    }
    labels = study.labels
    if labels is not None:
        part = _coarse(labels.volume().astype(bool), labels.geometry, coarsen, every) >= 0.5
        labels = replace(labels, data=part.astype(np.uint8), geometry=_coarse_geometry(labels.geometry, coarsen, every))
    return replace(study, images=images, labels=labels, raw={})


def with_modalities(study: Study, modalities: Sequence[str]) -> Study:
    """Return the study as if only some of its images had been taken; those that it lacks are not missed."""
    kept = {name: image for name, image in study.images.items() if not modalities or name in modalities}
    return replace(study, images=kept)


def _coarse(volume: NDArray[np.generic], geometry: Geometry, coarsen: int, every: int) -> NDArray[np.float32]:
    axis = geometry.slice_axis
    stack = np.moveaxis(volume, axis, 0)[every // 2 :: every].astype(np.float32)
    rows, columns = stack.shape[1] // coarsen, stack.shape[2] // coarsen
    blocks = stack[:, : rows * coarsen, : columns * coarsen].reshape(len(stack), rows, coarsen, columns, coarsen)
    coarse: NDArray[np.float32] = np.moveaxis(blocks.mean(axis=(2, 4)), 0, axis)
    return np.ascontiguousarray(coarse)


def _coarse_geometry(geometry: Geometry, coarsen: int, every: int) -> Geometry:
    steps = np.full(3, coarsen)
    steps[geometry.slice_axis] = every
    offset = (steps - 1) / 2
    offset[geometry.slice_axis] = every // 2
    shape = np.asarray(geometry.shape) // steps
    shape[geometry.slice_axis] = len(range(every // 2, geometry.shape[geometry.slice_axis], every))
    to_fine = np.eye(4)
    to_fine[:3, :3] = np.diag(steps)
    to_fine[:3, 3] = offset
    z, y, x = (int(size) for size in shape)
    return Geometry((z, y, x), geometry.affine @ to_fine, geometry.to_stored)


def _arrays(study: Study) -> dict[str, NDArray[np.generic]]:
    """Everything of a coarse study that must be kept, by names that tell what it is."""
    every = {**{f"image {name}": image for name, image in study.images.items()}}
    if study.labels is not None:
        every["labels"] = study.labels
    arrays: dict[str, NDArray[np.generic]] = {
        "name": np.asarray(study.name),
        "diagnosis": np.asarray(study.diagnosis),
        "notes": np.asarray(study.notes, str),
        "note kinds": np.asarray([as_note(note).kind for note in study.notes], str),
    }
    for name, image in every.items():
        arrays |= {name: image.volume(), f"{name} affine": image.geometry.affine}
        arrays[f"{name} to_stored"] = image.geometry.to_stored
    return arrays


def _stored_case(path: Path) -> Study | None:
    """Read a kept case; `None` where there is none, or one that is damaged."""
    try:
        arrays = read_npz(path)
        images = {
            name.removeprefix("image "): _image(arrays, name, name.removeprefix("image "))
            for name in arrays
            if name.startswith("image ") and not name.endswith((" affine", " to_stored"))
        }
        labels = _image(arrays, "labels", "labels") if "labels" in arrays else None
        notes = tuple(map(Note, map(str, arrays["notes"]), map(str, arrays["note kinds"])))
        return Study(str(arrays["name"]), images, labels, notes=notes, diagnosis=str(arrays["diagnosis"]))
    except (OSError, ValueError, KeyError):
        return None


def _image(arrays: dict[str, NDArray[np.generic]], name: str, modality: str) -> Image:
    volume = arrays[name]
    z, y, x = volume.shape
    affine, to_stored = arrays[f"{name} affine"], arrays[f"{name} to_stored"]
    return Image(volume, Geometry((z, y, x), affine.astype(float), to_stored.astype(float)), modality)
