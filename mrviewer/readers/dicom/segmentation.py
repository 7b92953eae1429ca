"""DICOM SEG as labels: the number of a segment is its label, and none disappears under another."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.pixels import iter_pixels

from mrviewer.errors import FileFormatError
from mrviewer.notes import Note, NoteKind
from mrviewer.readers.contents import FileContents
from mrviewer.readers.dicom.files.header import read_dataset, read_header
from mrviewer.readers.dicom.files.library_faults import told_as
from mrviewer.readers.dicom.files.stored_file import StoredFile, is_zip
from mrviewer.readers.dicom.files.tags import Tag
from mrviewer.readers.dicom.frames.frame import Place
from mrviewer.readers.dicom.frames.multi_frame import FunctionalGroups, stated_numbers
from mrviewer.readers.dicom.frames.single_frame import orthonormal_place
from mrviewer.readers.dicom.segment_planes import MOST_VOXELS, LabelPlane, SegmentPlanes, segment_grid
from mrviewer.study import Image

__all__ = ["SEGMENTATION_CLASSES", "is_segmentation", "read_segmentation", "segmented_series"]

INSIDE = 0.5
"""Fraction from which on a voxel belongs to a fractional segment."""
SAME_DIRECTION = 2e-3
"""Largest difference between orientation vectors of parallel planes."""
SAME_HEIGHT_MM = 0.01
"""Frames nearer than this lie on one slice."""
MOST_OVERLAPS = 5
"""Pairs of overlapping segments that are named one by one."""
SEGMENTATION_CLASSES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
"""UIDs of segmentation and label map storage."""

Masks = Mapping[int, Mapping[int, NDArray[np.bool_]]]
"""Pixels of each segment, by the number of the plane."""


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

    Where segments overlap the smaller one lies on top, and a note says so.

    Raises
    ------
    FileFormatError
        If it is damaged, lies on no regular grid, is compressed in a way that no decoder knows, or if a segment would
        disappear under others.
    """
    file = files[0]
    with told_as(
        f"{file.name} is a segmentation that cannot be read: it is damaged, lies on no regular grid, or is compressed "
        "in a way that does not open here"
    ):
        dataset = read_dataset(file, pixels=True)
        image, notes = _image(dataset, file)
    if len(files) > 1:
        said = f"the series holds {len(files)} segmentations; the first is used"
        notes.append(Note(said, NoteKind.LEFT_OUT, len(files) - 1))
    return FileContents((image,), notes=tuple(notes))


def _image(dataset: pydicom.Dataset, file: StoredFile) -> tuple[Image, list[Note]]:
    """Labels of a segmentation on a grid of their own, and what has to be said of them."""
    shape = (int(dataset.Rows), int(dataset.Columns))
    n_frames = int(dataset.get("NumberOfFrames") or 1)
    if n_frames * shape[0] * shape[1] > MOST_VOXELS:
        raise FileFormatError(f"{file.name} claims {n_frames} frames of {shape} pixels; export it again")
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [pydicom.Dataset()])[0]
    groups = [FunctionalGroups(own, shared) for own in dataset.PerFrameFunctionalGroupsSequence]
    if len(groups) != n_frames:
        raise ValueError("frames without a description")
    measures = groups[0].find("PixelMeasuresSequence")
    row_mm, column_mm = stated_numbers(measures.get("PixelSpacing"), 2) or (0.0, 0.0)
    if not row_mm or not column_mm:
        raise ValueError("no size of a pixel")
    places, numbers = _places(groups)
    steps = [float(measures.get(name) or 0) for name in ("SpacingBetweenSlices", "SliceThickness")]
    grid = segment_grid(places, shape, (row_mm, column_mm), steps)
    names = _names(dataset)
    masks, joined = _masks(dataset, groups, numbers)
    values, notes = _painted(masks, (len(places), *shape), names, file.name)
    planes = [LabelPlane(place, plane) for place, plane in zip(places, values, strict=True)]
    notes += joined
    notes.append(Note("the segments are " + ", ".join(f"{n} {name}" for n, name in names.items()), NoteKind.LABELS))
    if dataset.get("SegmentationType") == "FRACTIONAL":
        notes.append(Note("the segments are fractions and were cut at one half", NoteKind.LABELS))
    if grid.is_guessed:
        said = "the segmentation does not state how far its slices are apart; lay it on its images to know its volume"
        notes.append(Note(said, NoteKind.VOXEL_SIZE))
    data = SegmentPlanes(planes, grid, (row_mm, column_mm))
    reference = str(dataset.get("FrameOfReferenceUID") or "")
    return Image(data, grid.geometry, "labels", file.path, frame_of_reference=reference), notes


def _places(groups: Sequence[FunctionalGroups]) -> tuple[list[Place], list[int]]:
    """Planes along their normal, and the number of the plane of each frame."""
    found: list[Place] = []
    for group in groups:
        place = orthonormal_place(
            stated_numbers(group.find("PlanePositionSequence").get("ImagePositionPatient"), 3),
            stated_numbers(group.find("PlaneOrientationSequence").get("ImageOrientationPatient"), 6),
        )
        if place is None:
            raise ValueError("a frame without a place")
        if np.abs(np.subtract(place.orientation, (found or [place])[0].orientation)).max() > SAME_DIRECTION:
            raise ValueError("frames in several directions")
        found.append(place)
    places: list[Place] = []
    numbers = [0] * len(found)
    for index in sorted(range(len(found)), key=lambda index: found[index].height_mm):
        if not places or found[index].height_mm - places[-1].height_mm > SAME_HEIGHT_MM:
            places.append(found[index])
        numbers[index] = len(places) - 1
    return places, numbers


def _names(dataset: pydicom.Dataset) -> dict[int, str]:
    """Name of each segment by its number; 0 is the background of a label map."""
    listed = {int(item.SegmentNumber): str(item.get("SegmentLabel") or "") for item in dataset.SegmentSequence}
    return {number: name for number, name in sorted(listed.items()) if number}


def _masks(
    dataset: pydicom.Dataset, groups: Sequence[FunctionalGroups], numbers: Sequence[int]
) -> tuple[Masks, list[Note]]:
    """Masks of the first time point, and what was left out or joined."""
    times = [float(group.find("FrameContentSequence").get("TemporalPositionIndex") or 0) for group in groups]
    masks: dict[int, dict[int, NDArray[np.bool_]]] = {}
    repeated: set[tuple[int, int]] = set()
    for (segment, inside), plane, time in _segments(dataset, groups, numbers, times):
        if time != min(times):
            continue
        own = masks.setdefault(segment, {})
        if plane in own and not np.array_equal(own[plane], inside):
            repeated.add((segment, plane))
        own[plane] = own[plane] | inside if plane in own else inside
    notes = []
    if n_more := len(set(times)) - 1:
        said = f"the segmentation holds {n_more + 1} time points; the first is used"
        notes.append(Note(said, NoteKind.LEFT_OUT, n_more))
    if repeated:
        told = ", ".join(str(segment) for segment in sorted({segment for segment, _ in repeated}))
        said = f"segments drawn more than once on a slice, here differently, were joined: {told}"
        notes.append(Note(said, NoteKind.LABELS, len(repeated)))
    return masks, notes


def _segments(
    dataset: pydicom.Dataset, groups: Sequence[FunctionalGroups], numbers: Sequence[int], times: Sequence[float]
) -> Iterator[tuple[tuple[int, NDArray[np.bool_]], int, float]]:
    """Pixels of each segment in each frame, the number of the plane, and the time point."""
    kind = str(dataset.get("SegmentationType") or "BINARY")
    full = float(dataset.get("MaximumFractionalValue") or 1)
    for group, plane, time, pixels in zip(groups, numbers, times, iter_pixels(dataset, raw=True), strict=True):
        if kind == "LABELMAP":
            yield from (((int(value), pixels == value), plane, time) for value in np.unique(pixels) if value)
            continue
        segment = int(group.find("SegmentIdentificationSequence").ReferencedSegmentNumber)
        yield (segment, pixels >= INSIDE * full if kind == "FRACTIONAL" else pixels > 0), plane, time


def _painted(
    masks: Masks, shape: tuple[int, int, int], names: Mapping[int, str], file_name: str
) -> tuple[NDArray[np.uint16], list[Note]]:
    """Planes of labels, smaller segments over larger ones, and what overlaps."""
    sizes = {segment: sum(map(np.count_nonzero, planes.values())) for segment, planes in masks.items()}
    values = np.zeros(shape, np.uint16)
    for segment in sorted(masks, key=lambda segment: (-sizes[segment], segment)):
        for plane, inside in masks[segment].items():
            values[plane][inside] = segment
    left = dict(zip(*np.unique(values, return_counts=True), strict=True))
    told = {segment: f"{segment} {names.get(segment, '')}".strip() for segment in masks}
    overlaps = [
        (first, second, count)
        for first, second in combinations(sorted(masks), 2)
        if sizes[first] + sizes[second] > left.get(first, 0) + left.get(second, 0)
        and (count := _overlap(masks[first], masks[second]))
    ]
    for segment, size in sizes.items():
        if size and not left.get(segment):
            over = [told[other] for pair in overlaps if segment in pair[:2] for other in pair[:2] if other != segment]
            raise FileFormatError(
                f"segment {told[segment]} of {file_name} lies wholly under {', '.join(over)}, so one volume of labels "
                "cannot hold both; export the segments as files of their own"
            )
    notes = [
        Note(
            f"segments {told[first]} and {told[second]} overlap in {count:,} voxels, where the smaller one is shown; "
            f"{first} has {sizes[first]:,} voxels and {second} has {sizes[second]:,}",
            NoteKind.LABELS,
        )
        for first, second, count in overlaps[:MOST_OVERLAPS]
    ]
    if len(overlaps) > MOST_OVERLAPS:
        notes.append(Note(f"{len(overlaps) - MOST_OVERLAPS} more pairs of segments overlap", NoteKind.LABELS))
    return values, notes


def _overlap(first: Mapping[int, NDArray[np.bool_]], second: Mapping[int, NDArray[np.bool_]]) -> int:
    return sum(int(np.count_nonzero(first[plane] & second[plane])) for plane in first.keys() & second.keys())
