"""From a chosen series to an image, a first picture, or labels."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from mrviewer.errors import FileFormatError, InputError
from mrviewer.notes import Note, NoteKind
from mrviewer.readers.contents import FileContents, series_note
from mrviewer.readers.dicom.files.header import read_header
from mrviewer.readers.dicom.files.patient import Identity
from mrviewer.readers.dicom.frames.components import shows_contrast
from mrviewer.readers.dicom.segmentation import read_segmentation
from mrviewer.readers.dicom.series import SeriesEntry
from mrviewer.readers.dicom.stacks.array import DicomArray
from mrviewer.study import Image

__all__ = ["read_series", "read_slice", "thumbnail"]

THUMBNAIL = 64
_DARKEST, _BRIGHTEST = 1.0, 99.0
"""Percentiles that become black and white."""


def read_series(entry: SeriesEntry, volume: int = 0) -> FileContents:
    """Open one volume of a series; its pixels are read when somebody looks at them.

    Parameters
    ----------
    entry
        From `list_series`.
    volume
        Which of `SeriesEntry.volumes`.

    Returns
    -------
    One image; time points and diffusion weightings are its frames.

    Raises
    ------
    FileFormatError
        If it cannot be opened; the sentence says why.
    InputError
        If there is no such volume.
    """
    if entry.refusal:
        raise FileFormatError(entry.refusal)
    if entry.is_segmentation:
        return read_segmentation(entry.files)
    if not 0 <= volume < len(entry.stacks):
        raise InputError(f"the series holds {len(entry.stacks)} volumes and number {volume + 1} was asked for")
    stack = entry.stacks[volume]
    image = Image(
        DicomArray(stack),
        stack.geometry,
        entry.modality,
        entry.files[0].path,
        stack.missing,
        kind=stack.component,
        frame_axis=stack.frame_axis,
        frame_names=stack.frame_names,
        parts=tuple(dict.fromkeys(frame.file.place for frame in stack.planes)),
        frame_of_reference=stack.reference,
    )
    notes = [*entry.notes, *_identity(entry).kept_out(stack.notes, (file.name for file in entry.files))]
    if len(stack.frames) > 1:
        notes.append(series_note(len(stack.frames), stack.frame_axis, stack.frame_names))
    if not shows_contrast(stack.component):
        notes.append(Note(f"the images show {stack.component} and not magnitude", NoteKind.MODALITY))
    if len(entry.stacks) > 1:
        said = f"the series holds {len(entry.stacks)} volumes ({'; '.join(entry.volumes)}); {stack.label} is shown"
        notes.append(Note(said, NoteKind.LEFT_OUT, len(entry.stacks) - 1))
    return FileContents((image,), notes=tuple(notes))


def read_slice(entry: SeriesEntry, index: int | None = None, volume: int = 0) -> NDArray[np.generic]:
    """One plane ``(row, column)`` as the scanner stored it, from one file alone.

    Parameters
    ----------
    entry
        From `list_series`, or from the progress on the way.
    index
        Its number along the normal; by default the middle one.
    volume
        Which of `SeriesEntry.volumes`.

    Raises
    ------
    FileFormatError
        If it cannot be read.
    """
    if entry.refusal or not entry.stacks:
        raise FileFormatError(entry.refusal or "a segmentation has no picture of its own; open an image with it")
    stack = entry.stacks[volume]
    return DicomArray(stack).plane(len(stack.frames[0]) // 2 if index is None else index)


def thumbnail(entry: SeriesEntry) -> NDArray[np.uint8]:
    """Middle slice as a small picture (64, 64), black around it; all black where there is none to show."""
    picture = np.zeros((THUMBNAIL, THUMBNAIL), np.uint8)
    try:
        plane = np.nan_to_num(read_slice(entry).astype(np.float32))
    except FileFormatError:
        return picture
    low, high = np.percentile(plane, (_DARKEST, _BRIGHTEST))
    if not high > low:
        return picture
    grey = np.clip((plane - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    _, row_mm, column_mm = entry.voxel_size_mm
    height, width = plane.shape[0] * row_mm, plane.shape[1] * column_mm
    scale = THUMBNAIL / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(Picture.fromarray(grey).resize(size, Picture.Resampling.BOX))
    top, left = (THUMBNAIL - size[1]) // 2, (THUMBNAIL - size[0]) // 2
    picture[top : top + size[1], left : left + size[0]] = small
    return picture


def _identity(entry: SeriesEntry) -> Identity:
    """Who the patient is, by the first file of a series."""
    header = read_header(entry.files[0])
    return Identity.of(header) if header else Identity()
