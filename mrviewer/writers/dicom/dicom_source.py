"""The DICOM series that an export belongs to: the headers of its slices, and its grid as the readers see it."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from mrviewer.errors import FileFormatError, InputError
from mrviewer.geometry import Geometry
from mrviewer.progress import finish
from mrviewer.readers.dicom.files.header import read_dataset, read_header
from mrviewer.readers.dicom.files.stored_file import StoredFile
from mrviewer.readers.dicom.files.tags import Tag
from mrviewer.readers.dicom.frames.frame import Frame, Place
from mrviewer.readers.dicom.listing import list_series
from mrviewer.readers.dicom.stacks.array import DicomArray
from mrviewer.readers.dicom.stacks.stack import Stack
from mrviewer.readers.phases import FrameArray
from mrviewer.study import Image
from mrviewer.writers.dicom.privacy import new_uid, silent_about_values

__all__ = ["DicomSource", "SourcePlane", "lies_on", "read_sources", "require_placed", "source_of"]

VOXEL_SHARE = 0.1
"""Part of the smallest voxel edge by which two programs may put the corners of one grid apart."""
_IDENTITY = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")


@dataclass(frozen=True, eq=False)
class SourcePlane:
    """One slice of a series.

    Parameters
    ----------
    header
        Of the file that holds it, without pixels.
    frame
        Its number in an enhanced file, from 1; `None` in others.
    position_mm : (3,)
        Centre of its first pixel, LPS+.
    orientation : (6,)
        Directions in which the column index and the row index grow, LPS+.
    spacing_mm
        Between rows, and between columns.
    """

    header: Dataset
    frame: int | None
    position_mm: NDArray[np.float64]
    orientation: tuple[float, ...]
    spacing_mm: tuple[float, float]


@dataclass(frozen=True, eq=False)
class DicomSource:
    """One volume of a series; of a dynamic series the first.

    Parameters
    ----------
    number
        Of the series.
    stack
        Where its slices lie.
    modality
        As its header proposes, or as a person corrected it.
    uid
        SeriesInstanceUID; empty where the files have none.
    """

    number: int
    stack: Stack
    modality: str = "unknown"
    uid: str = ""

    @property
    def geometry(self) -> Geometry:
        """Grid of the volume."""
        return self.stack.geometry

    @property
    def title(self) -> str:
        """What a person reads: the number of the series, and nothing of the patient."""
        return f"series {self.number}"

    @property
    def description(self) -> str:
        """Number, modality and size, from which a person can choose."""
        count = len(self.stack.frames[0])
        words = [self.modality, f"{count} slices" if count > 1 else "1 slice", self.stack.label]
        return f"{self.title} ({', '.join(word for word in words if word)})"

    @cached_property
    def planes(self) -> tuple[SourcePlane, ...]:
        """Slices in the order in which they are stored; the headers are read now.

        Raises
        ------
        FileFormatError
            If a slice is missing, or does not say where it lies or what it belongs to.
        """
        frames = self.stack.frames[0]
        headers: dict[StoredFile, Dataset] = {}
        planes = []
        for frame in frames:
            if frame is None or frame.place is None:
                raise FileFormatError(
                    f"{self.title} misses slices or does not say where they lie; export onto a complete series"
                )
            if frame.file not in headers:
                headers[frame.file] = _header(frame)
            planes.append(_plane(frame, frame.place, headers[frame.file]))
        return tuple(planes)

    @property
    def first(self) -> Dataset:
        """Header of the first slice."""
        return self.planes[0].header

    @property
    def is_enhanced(self) -> bool:
        """Whether the slices are frames of one file."""
        return self.planes[0].frame is not None

    @property
    def is_tiled(self) -> bool:
        """Whether one file holds all slices in one picture, as mosaics do."""
        first = self.stack.frames[0][0]
        return first is not None and first.shape != (first.pixels.rows, first.pixels.columns)

    @property
    def spacing_mm(self) -> float:
        """Distance from slice to slice; the thickness of a single one."""
        return float(np.linalg.norm(self.geometry.stored_affine[:3, 2]))

    @property
    def thickness_mm(self) -> float:
        """Stated thickness of a slice, or the distance between slices where none is stated."""
        stated = self.first.get("SliceThickness")
        return float(stated) if stated else self.spacing_mm

    def stored(self, volume: NDArray[np.generic]) -> NDArray[np.generic]:
        """View ``(slice, row, column)``, in the order of `planes`, of a volume ``(z, y, x)``."""
        return self.geometry.to_stored_order(volume).T


def lies_on(source: DicomSource, geometry: Geometry) -> bool:
    """Whether a volume has the grid of a series, up to rounding; one that is not placed lies nowhere.

    What counts is the voxel size of its files, not one that was given in place of it.
    """
    return geometry.is_placed and source.geometry.matches(
        geometry.as_filed, VOXEL_SHARE * min(source.geometry.voxel_size_mm)
    )


def require_placed(geometry: Geometry, what: str, series: Geometry | None = None) -> None:
    """Refuse what would need a place in the scanner to be invented: in DICOM every slice says where it lies.

    Parameters
    ----------
    geometry, what
        Grid of what is to be exported, and what that is.
    series
        Grid of the series that it goes to, if that is known. A bare identity is then not believed either.

    Raises
    ------
    InputError
        If the geometry is not placed.
    """
    is_default = series is not None and geometry.is_bare and not series.is_bare
    if not geometry.is_placed or is_default:
        stated = "states voxel sizes alone (the identity matrix) and not" if is_default else "does not say"
        raise InputError(
            f"{what} {stated} how it lies in the scanner, so it cannot be put on a DICOM series; export what was made "
            "from that series, or save it with its position first"
        )


def source_of(image: Image) -> DicomSource | None:
    """The series that an open image was read from, by the very files that were opened; `None` if not from DICOM.

    Raises
    ------
    FileFormatError
        If its files have been changed.
    """
    data = image.data
    frame = data.frame if isinstance(data, FrameArray) else 0
    array = data.series if isinstance(data, FrameArray) else data
    if not isinstance(array, DicomArray):
        return None
    stack = replace(array.stack, frames=array.stack.frames[frame:])
    file = next(stack.planes).file
    header = read_header(file)
    if header is None:
        raise FileFormatError(f"{file.name} is no DICOM file any more; open the study again")
    number = int(header.number(Tag.SERIES_NUMBER) or 0)
    return DicomSource(number, stack, image.modality, header.text(Tag.SERIES_INSTANCE))


def read_sources(path: Path) -> list[DicomSource]:
    """Volumes of all image series at a path, by the number of the series.

    Raises
    ------
    InputError
        If there is nothing at the path.
    FileFormatError
        If no image series there opens.
    """
    entries = finish(list_series(path))
    sources = [
        DicomSource(entry.number, stack, entry.modality, entry.uid)
        for entry in entries
        if not entry.refusal and not entry.is_segmentation
        for stack in entry.stacks
    ]
    if not sources:
        reasons = [entry.refusal for entry in entries if entry.refusal]
        raise FileFormatError(
            reasons[0] if reasons else f"{path.name} holds no image series; give the one to export on"
        )
    return sorted(sources, key=lambda source: source.number)


def _header(frame: Frame) -> Dataset:
    with silent_about_values():
        header: Dataset = read_dataset(frame.file, pixels=False)
    if missing := [name for name in _IDENTITY if not header.get(name)]:
        raise FileFormatError(
            f"{frame.file.name} has no {missing[0]}, so nothing can refer to it; export onto a complete series"
        )
    if not header.get("FrameOfReferenceUID"):
        # Exports must have one; made from the series, it is the same in all of them.
        header.FrameOfReferenceUID = new_uid(header.SeriesInstanceUID)
    return header


def _plane(frame: Frame, place: Place, header: Dataset) -> SourcePlane:
    number = frame.number + 1 if "PerFrameFunctionalGroupsSequence" in header else None
    _, row_mm, column_mm = frame.spacing_mm
    return SourcePlane(header, number, np.asarray(place.position), tuple(place.orientation), (row_mm, column_mm))
