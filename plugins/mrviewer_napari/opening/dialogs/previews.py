"""What a dialog needs while a person thinks: thumbnails, facts about an array, a preview of it. No Qt."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mrviewer.progress import Progress
from mrviewer.raw.arrays.array_layout import ArrayLayout
from mrviewer.readers.arrays.numpy_array import ArrayFacts, describe_array, read_array
from mrviewer.readers.contents import FileContents
from mrviewer.readers.dicom import SeriesEntry, thumbnail
from mrviewer_napari.opening.first_picture import FirstPicture, of_array, of_raw

__all__ = ["Thumbnail", "facts_of", "preview", "thumbnails"]


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """Picture of a series: its number, and gray values (64, 64)."""

    number: int
    grey: NDArray[np.uint8]


def thumbnails(entries: Sequence[SeriesEntry]) -> Generator[Progress, None, None]:
    """Make the picture of each series; each comes as the detail of its progress."""
    for number, entry in enumerate(entries):
        picture = Thumbnail(number, thumbnail(entry)) if entry.stacks else None
        yield Progress(number + 1, len(entries), "thumbnails", picture)


def facts_of(path: Path, name: str) -> Generator[Progress, None, ArrayFacts]:
    """Facts about one array of a file, and a proposal what its axes are."""
    yield Progress(0, 1, "looking at the array")
    return describe_array(path, name)


def preview(path: Path, layout: ArrayLayout) -> Generator[Progress, None, FirstPicture]:
    """Middle slice of an array as a layout has it, all coils together.

    Raises
    ------
    FileFormatError
        If the layout does not fit the array.
    """
    yield Progress(0, 1, "preview")
    return _middle(read_array(path, "unknown", layout))


def _middle(contents: FileContents) -> FirstPicture:
    if contents.raw:
        raw = contents.raw[0]
        n_slices, n_coils, rows, columns = raw.shape
        gaps = "" if raw.acquired is None else ", acquired undersampled"
        coils = "1 coil" if n_coils == 1 else f"{n_coils} coils"
        return of_raw(raw, f"{columns} × {rows}, {_slices(n_slices)}, {coils}{gaps}")
    image = contents.images[0]
    n_slices, rows, columns = image.geometry.shape
    _, row_mm, column_mm = image.geometry.voxel_size_mm
    frames = f", {image.n_frames} frames" if image.n_frames > 1 else ""
    plane = image.volume()[n_slices // 2]
    return of_array(plane, (row_mm, column_mm), f"{columns} × {rows}, {_slices(n_slices)}{frames}")


def _slices(count: int) -> str:
    return "1 slice" if count == 1 else f"middle one of {count} slices"
