"""DICOM SEG as labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import FileFormatError
from mrviewer.geometry import Geometry
from mrviewer.notes import Note, NoteKind
from mrviewer.readers.contents import FileContents
from mrviewer.readers.dicom.faults import told_as
from mrviewer.readers.dicom.header import read_dataset, read_header
from mrviewer.readers.dicom.stored_file import StoredFile, is_zip
from mrviewer.readers.dicom.tags import Tag
from mrviewer.study import Image

if TYPE_CHECKING:
    from highdicom.seg import Segmentation

__all__ = ["SEGMENTATION_CLASSES", "is_segmentation", "read_segmentation", "segmented_series"]

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
MOST_VOXELS = 1 << 30
INSIDE = 0.5
"""Fraction from which on a voxel belongs to a fractional segment."""
SEGMENTATION_CLASSES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
"""UIDs of segmentation and label map storage."""


@dataclass(frozen=True, eq=False)
class _Segments:
    """Label volume in the order of the file, and what the labels mean."""

    labels: NDArray[np.generic]
    affine: NDArray[np.float64]
    names: tuple[str, ...]
    notes: tuple[str, ...]


def is_segmentation(path: Path) -> bool:
    """Whether a file is a DICOM SEG, by its header."""
    try:
        header = None if is_zip(path) else read_header(StoredFile(path))
    except (FileFormatError, OSError):
        return False
    return header is not None and header.text(Tag.SOP_CLASS) in SEGMENTATION_CLASSES


def segmented_series(file: StoredFile) -> frozenset[str]:
    """Identifiers of the series that a segmentation says it was drawn on; none if it does not say.

    Raises
    ------
    FileFormatError
        If it is damaged.
    """
    with told_as(f"{file.name} is a segmentation that cannot be read: it is damaged"):
        references = read_dataset(file, pixels=False).get("ReferencedSeriesSequence") or ()
        return frozenset(str(item.SeriesInstanceUID) for item in references if "SeriesInstanceUID" in item)


def read_segmentation(files: Sequence[StoredFile]) -> FileContents:
    """Open a segmentation: one label volume, segment n is label n; fractional segments are cut at one half.

    Where segments overlap, the last one wins, and a note says so.

    Raises
    ------
    FileFormatError
        If it is damaged, lies on no regular grid, or is compressed in a way that no decoder knows.
    """
    file = files[0]
    with told_as(
        f"{file.name} is a segmentation that cannot be read: it is damaged, lies on no regular grid, or is compressed "
        "in a way that does not open here"
    ):
        segments = _segments(file)
    i, j, k = segments.labels.shape
    geometry = Geometry.from_stored((i, j, k), segments.affine)
    labels = np.ascontiguousarray(geometry.to_internal(segments.labels))
    labels.setflags(write=False)
    notes = list(segments.notes)
    if len(files) > 1:
        said = f"the series holds {len(files)} segmentations; the first is used"
        notes.append(Note(said, NoteKind.LEFT_OUT, len(files) - 1))
    said = ", ".join(f"{number} {name}" for number, name in enumerate(segments.names, 1))
    notes.append(Note(f"segments: {said}", NoteKind.LABELS))
    return FileContents((Image(labels, geometry, "labels", file.path),), notes=tuple(notes))


def _segments(file: StoredFile) -> _Segments:
    # Loading it takes a second, which only who opens a segmentation shall wait for.
    import highdicom

    segmentation = highdicom.seg.Segmentation.from_dataset(read_dataset(file, pixels=True), copy=False)
    # The shape is asked for first: positions far apart would claim a volume that fills the memory.
    grid = segmentation.get_volume_geometry(allow_missing_positions=True)
    if grid is None:
        raise ValueError("no regular grid")
    if int(np.prod(grid.spatial_shape)) > MOST_VOXELS:
        raise FileFormatError(f"{file.name} claims a volume of {grid.spatial_shape} voxels; export it again")
    labels, overlap = _combined(segmentation)
    said = f"segments overlap in {overlap:,} voxels, where the last one is kept"
    notes = (Note(said, NoteKind.LABELS),) if overlap else ()
    names = tuple(
        str(segmentation.get_segment_description(number).segment_label) for number in segmentation.segment_numbers
    )
    return _Segments(labels, _LPS_TO_RAS @ grid.affine, names, notes)


def _combined(segmentation: "Segmentation") -> tuple[NDArray[np.generic], int]:
    """Labels (slice, row, column), and in how many voxels segments overlap."""
    if segmentation.segmentation_type.value != "FRACTIONAL":
        try:
            whole = segmentation.get_volume(combine_segments=True, relabel=True, allow_missing_positions=True)
            return np.asarray(whole.array), 0
        except RuntimeError:
            # They overlap, so that they are taken one by one.
            pass
    labels = np.zeros(0, np.uint16)
    overlap = 0
    for label, number in enumerate(segmentation.segment_numbers, 1):
        volume = segmentation.get_volume(
            segment_numbers=[number], rescale_fractional=True, allow_missing_positions=True
        ).array[..., 0]
        if label == 1:
            labels = np.zeros(volume.shape, np.uint16)
        inside = volume >= INSIDE
        overlap += int(np.count_nonzero(inside & (labels > 0)))
        labels[inside] = label
    return labels, overlap
