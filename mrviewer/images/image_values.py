"""What the values of an image give away: voxels that no magnitude has, and label maps that were opened as images."""

import numpy as np
from numpy.typing import NDArray

from mrviewer.notes import Note, NoteKind
from mrviewer.study import Image

__all__ = ["label_values", "notes_on_values"]

_FEW = 16
"""Label maps have no more values than this; images have hundreds."""


def label_values(volume: NDArray[np.generic]) -> tuple[int, ...]:
    """Values of a volume that looks like a label map: a few whole numbers and nothing else.

    Parameters
    ----------
    volume : (z, y, x)
        Looked at from the middle, where an image shows itself in the first slice.

    Returns
    -------
    In order; empty for an image, and for a volume that has one value everywhere.
    """
    middle = len(volume) // 2
    found: set[float] = set()
    for plane in (*volume[middle:], *volume[:middle]):
        if not np.isrealobj(plane) or not np.all(np.isfinite(plane)):
            return ()
        found |= {float(value) for value in np.unique(plane)[: _FEW + 1]}
        if len(found) > 1 and not _as_labels(found):
            return ()
    return _as_labels(found)


def notes_on_values(image: Image, name: str, *, lost: str, negative: str) -> tuple[Note, ...]:
    """Say what somebody must know before they trust figures of an image.

    Parameters
    ----------
    image
        Read slice by slice.
    name
        What it is called in the notes.
    lost, negative
        What becomes of voxels that are not finite, and of those below 0, as the end of a sentence.

    Returns
    -------
    Notes of `NoteKind.VALUES`; none for a usual image.
    """
    slices = np.moveaxis(image.volume(), image.geometry.slice_axis, 0)
    found: set[float] = set()
    n_lost = n_negative = 0
    for plane in slices:
        finite = np.isfinite(plane)
        n_lost += plane.size - int(np.count_nonzero(finite))
        n_negative += int(np.count_nonzero(plane < 0))
        if len(found) <= _FEW:
            found |= {float(value) for value in np.unique(plane[finite])[: _FEW + 1]}
    notes = []
    if n_lost:
        notes.append(f"{n_lost:,} of {slices.size:,} voxels of {name} are NaN or infinite: {lost}")
    if n_negative:
        notes.append(
            f"{n_negative:,} of {slices.size:,} voxels of {name} are below 0, which no magnitude is: {negative}"
        )
    if len(found) <= 1:
        notes.append(f"{name} is {found.pop() if found else 0:g} everywhere: there is nothing to be seen")
    elif labels := _as_labels(found):
        listed = ", ".join(map(str, labels))
        notes.append(f"{name} holds the values {listed} alone: it may be a label map and not an image")
    return tuple(Note(note, NoteKind.VALUES) for note in notes)


def _as_labels(found: set[float]) -> tuple[int, ...]:
    """Values of a volume as those of a label map, in order; empty if they are too many, no whole numbers, or one."""
    if not 1 < len(found) <= _FEW or not all(value.is_integer() for value in found):
        return ()
    return tuple(sorted(map(int, found)))
