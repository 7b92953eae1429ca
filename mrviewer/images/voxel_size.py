"""Voxel sizes that cannot be true, and true ones in their place.

Programs that do not know a voxel size write 1 mm, and others scale a picture and forget the slices: a head comes out
half a metre wide and 22 mm tall. Nothing in the pixels tells the true size, so it is noticed, said and asked for.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mrviewer.errors import InputError
from mrviewer.geometry import Geometry
from mrviewer.images.redescribed import RedescribedRawData
from mrviewer.notes import Note, NoteKind, as_note
from mrviewer.study import Image, Study

__all__ = [
    "parse_voxel_size",
    "size_doubt",
    "size_note",
    "size_text",
    "with_size_note",
    "with_true_voxel_size",
]

VoxelSize = tuple[float, float, float]

_WIDEST_MM = 700.0
"""More than any bore; a longer axis has a wrong unit or voxel size."""
_WIDEST_PICTURE_MM = 505.0
"""More than the largest field that scanners image at once, in both directions of a slice."""
_NARROWEST_MM = 12.0
"""The smallest part of a body that is imaged here; the two longer axes reach at least so far."""
_SMALLEST_IMAGE = 32
"""Images of fewer voxels along their axes are samples and tests, of which nothing can be told."""
_FLAT = 4
"""A volume with so many times fewer slices than pixels was not scanned with cubic voxels of 1 mm, as a rule."""
_FLATTEST = 8
"""A stack of slices that are no thicker than their pixels is not so many times wider than it is tall, and a volume of
as many slices as pixels not twice as many times."""
_FEWEST_SLICES = 4
"""Fewer slices may be a slab as thin as it likes."""
_LARGEST_MM = 1000.0


def size_doubt(geometry: Geometry) -> str:
    """What makes a voxel size hard to believe, in a few words; empty if nothing does."""
    sizes, shape = geometry.voxel_size_mm, geometry.shape
    extents = [count * size for count, size in zip(shape, sizes, strict=True)]
    thin = int(np.argmin(shape))
    others = [axis for axis in range(3) if axis != thin]
    if max(extents) > _WIDEST_MM:
        return f"a field of {max(extents):.0f} mm"
    if max(shape) < _SMALLEST_IMAGE:
        return ""
    if sorted(shape)[1] >= _SMALLEST_IMAGE and sorted(extents)[1] < _NARROWEST_MM:
        return f"a field of {sorted(extents)[1]:.1f} mm"
    if all(abs(size - 1) < 1e-6 for size in sizes) and _FLAT * min(shape) <= max(shape):
        return f"a slab of {min(extents):.0f} mm, and 1 mm is what programs write that do not know"
    wide = max(extents[axis] for axis in others)
    flattest = _FLATTEST if _FLAT * shape[thin] <= max(shape) else 2 * _FLATTEST
    is_fine = shape[thin] >= _FEWEST_SLICES and sizes[thin] <= max(sizes[axis] for axis in others)
    if is_fine and wide > flattest * extents[thin]:
        return f"{shape[thin]} slices that are {wide:.0f} mm wide and {extents[thin]:.0f} mm tall together"
    if min(extents[axis] for axis in others) > _WIDEST_PICTURE_MM:
        return f"slices of {extents[others[1]]:.0f} x {extents[others[0]]:.0f} mm"
    return ""


def size_text(voxel_mm: Sequence[float]) -> str:
    """A voxel size ``(z, y, x)`` in words, in the order in which it is shown and given: x, y, z."""
    return f"{' x '.join(f'{edge:.4g}' for edge in reversed(voxel_mm))} mm"


def size_note(geometry: Geometry) -> Note | None:
    """Note on a voxel size that can hardly be true; `None` if it can."""
    doubt = size_doubt(geometry)
    if not doubt:
        return None
    return Note(
        f"the voxel size of {size_text(geometry.voxel_size_mm)} can hardly be true ({doubt}), so figures in mm and ml "
        "would be wrong: give the true one under Study, or with --voxel-size X,Y,Z",
        NoteKind.VOXEL_SIZE,
    )


def with_size_note(study: Study) -> Study:
    """The study with a note on each voxel size in it that can hardly be true."""
    notes = (size_note(study.geometry(modality)) for modality in study.modalities)
    return replace(study, notes=(*study.notes, *dict.fromkeys(note for note in notes if note is not None)))


def parse_voxel_size(text: str) -> VoxelSize:
    """Edges ``(z, y, x)`` of a voxel in mm from ``X,Y,Z``.

    Raises
    ------
    InputError
        If these are not three lengths above 0, and not above a metre.
    """
    try:
        x, y, z = (float(part) for part in text.split(","))
    except ValueError:
        x = y = z = math.nan
    if not all(0 < edge <= _LARGEST_MM for edge in (x, y, z)):
        raise InputError(
            f"the voxel size {text!r} is not three lengths in mm; give them along x, y and z as in 0.9,0.9,6.5"
        )
    return z, y, x


def with_true_voxel_size(study: Study, voxel_mm: VoxelSize) -> Study:
    """The study with another voxel size in place of that of its files, and a note that says so.

    Parameters
    ----------
    study
        Its images lie on one grid.
    voxel_mm : (z, y, x)
        True edges of a voxel.
    """

    def resized(image: Image) -> Image:
        return replace(image, geometry=image.geometry.resized(voxel_mm))

    raw = {
        name: RedescribedRawData(data, data.modality, data.geometry.resized(voxel_mm))
        for name, data in study.raw.items()
    }
    kept = [note for note in map(as_note, study.notes) if note.kind is not NoteKind.VOXEL_SIZE]
    said = f"the voxel size was given as {size_text(voxel_mm)} (x, y, z), in place of the file's"
    changed = replace(
        study,
        images={name: resized(image) for name, image in study.images.items()},
        labels=None if study.labels is None else resized(study.labels),
        raw=raw,
        notes=(*kept, Note(said, NoteKind.VOXEL_SIZE)),
    )
    return with_size_note(changed)
