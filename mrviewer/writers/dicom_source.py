"""The DICOM series that an export belongs to: its headers in the order of its slices, and its grid."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from mrviewer.errors import FileFormatError, InputError
from mrviewer.geometry import Geometry

__all__ = ["DicomSource", "Plane", "find_source", "lies_on", "read_sources"]

EVEN_MM = 0.05
"""Distance by which a slice may lie off an even stack; decimals of a header are cut there."""
VOXEL_SHARE = 0.1
"""Part of the smallest voxel edge by which two programs may put the corners of one grid apart."""
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])


@dataclass(frozen=True, eq=False)
class Plane:
    """One slice of a series.

    Parameters
    ----------
    header
        Of the file that holds it, without pixels.
    frame
        Its number in an enhanced file, from 1; `None` in a classic one.
    position_mm : (3,)
        Centre of its first pixel, LPS+.
    row, column : (3,)
        Directions in which the column index and the row index grow, LPS+.
    spacing_mm
        Between rows, and between columns.
    """

    header: Dataset
    frame: int | None
    position_mm: NDArray[np.float64]
    row: NDArray[np.float64]
    column: NDArray[np.float64]
    spacing_mm: tuple[float, float]

    @property
    def normal(self) -> NDArray[np.float64]:
        """Direction across the slice, LPS+."""
        normal: NDArray[np.float64] = np.cross(self.row, self.column)
        return normal

    @property
    def depth_mm(self) -> float:
        """Position along `normal`."""
        return float(self.position_mm @ self.normal)


@dataclass(frozen=True, eq=False)
class DicomSource:
    """One volume of a series.

    Parameters
    ----------
    planes
        Its slices, in the order in which they lie along their normal.
    """

    planes: tuple[Plane, ...]

    @property
    def first(self) -> Dataset:
        """Header of the first slice."""
        return self.planes[0].header

    @property
    def is_enhanced(self) -> bool:
        """Whether all slices lie in one file."""
        return self.planes[0].frame is not None

    @property
    def spacing_mm(self) -> float:
        """Distance from slice to slice; the thickness of a single one."""
        if len(self.planes) > 1:
            return (self.planes[-1].depth_mm - self.planes[0].depth_mm) / (len(self.planes) - 1)
        return self._stated_thickness or 1.0

    @property
    def thickness_mm(self) -> float:
        """Stated thickness of a slice, or the distance between slices where none is stated."""
        return self._stated_thickness or self.spacing_mm

    @property
    def geometry(self) -> Geometry:
        """Grid of the volume; the stored order is (slice, row, column).

        Raises
        ------
        FileFormatError
            If the slices do not form an even stack.
        """
        first, last = self.planes[0], self.planes[-1]
        step = first.normal * self.spacing_mm
        if len(self.planes) > 1:
            step = (last.position_mm - first.position_mm) / (len(self.planes) - 1)
        even = first.position_mm + np.arange(len(self.planes))[:, None] * step
        if np.abs(np.stack([plane.position_mm for plane in self.planes]) - even).max() > EVEN_MM:
            raise FileFormatError(f"{self.title} has slices at uneven distances; export onto a series without gaps")
        affine = np.eye(4)
        affine[:3, :3] = _LPS_TO_RAS @ np.stack(
            [step, first.column * first.spacing_mm[0], first.row * first.spacing_mm[1]], axis=1
        )
        affine[:3, 3] = _LPS_TO_RAS @ first.position_mm
        return Geometry.from_stored((len(self.planes), int(self.first.Rows), int(self.first.Columns)), affine)

    @property
    def _stated_thickness(self) -> float | None:
        first = self.planes[0]
        stated = _read(first.header, first.frame, "PixelMeasuresSequence", "SliceThickness")
        return float(str(stated)) if stated else None

    @property
    def title(self) -> str:
        """What a person reads: the number of the series, and nothing of the patient."""
        return f"series {self.first.get('SeriesNumber', '?')}"


def find_source(paths: Path | Sequence[Path], geometry: Geometry, series: int | None = None) -> tuple[DicomSource, str]:
    """The series on whose grid a volume lies.

    Parameters
    ----------
    paths
        A folder, searched with its subfolders, or files.
    geometry
        Grid of the volume that shall be exported.
    series
        Number of the series; by default the first one on that grid, else the only one there is.

    Returns
    -------
    The series, and a sentence if another one would have done as well; empty if not.

    Raises
    ------
    InputError
        If there is no such series, or several on other grids.
    """
    sources = read_sources(paths)
    if series is not None:
        chosen = [source for source in sources if source.first.get("SeriesNumber") == series]
        if not chosen:
            raise InputError(f"there is no series {series}; there are {_titles(sources)}")
        return chosen[0], ""
    fitting = [source for source in sources if lies_on(source, geometry)]
    if fitting:
        more = f"; {_titles(fitting[1:])} would do as well" if len(fitting) > 1 else ""
        return fitting[0], f"it was laid on {fitting[0].title}{more}" if more else ""
    if len(sources) > 1:
        raise InputError(f"the volume lies on the grid of none of {_titles(sources)}; choose one by its number")
    return sources[0], ""


def lies_on(source: DicomSource, geometry: Geometry) -> bool:
    """Whether a volume has the grid of a series, up to rounding."""
    try:
        grid = source.geometry
    except FileFormatError:
        return False
    return grid.matches(geometry, VOXEL_SHARE * min(grid.voxel_size_mm))


def read_sources(paths: Path | Sequence[Path]) -> list[DicomSource]:
    """Read the headers of all image series in a folder, or of files.

    Raises
    ------
    InputError
        If nothing is there, or no file is a DICOM image with a position.
    """
    files = _files(paths)
    by_series: dict[tuple[str, str], list[Dataset]] = defaultdict(list)
    for header in _headers(files):
        by_series[str(header.StudyInstanceUID), str(header.SeriesInstanceUID)].append(header)
    found = [source for headers in by_series.values() if (source := _source(headers))]
    if not found:
        raise InputError(
            f"none of {len(files)} files is a DICOM image that has a position; give the folder of a series"
        )
    return sorted(
        found, key=lambda source: (int(source.first.get("SeriesNumber") or 0), source.first.SeriesInstanceUID)
    )


def _files(paths: Path | Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for path in [paths] if isinstance(paths, Path) else paths:
        if not path.exists():
            raise InputError(f"there is no folder or file {path.name}; check the path")
        files += sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
    return files


def _headers(files: Iterable[Path]) -> Iterator[Dataset]:
    """Headers of images; what is no DICOM file, or damaged, is passed over."""
    for path in files:
        try:
            # A remark on a value that breaks the standard would print the value, which may be a name.
            with disable_value_validation():
                header = dcmread(path, stop_before_pixels=True)
        except (InvalidDicomError, OSError, EOFError, ValueError, AttributeError, KeyError, TypeError):
            continue
        if all(name in header for name in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Rows")):
            yield header


def _source(headers: Sequence[Dataset]) -> DicomSource | None:
    """The first volume of a series: the most common matrix and orientation, one slice a position."""
    planes = [plane for header in headers for plane in _planes(header)]
    if not planes:
        return None
    kinds = [_kind(plane) for plane in planes]
    common = Counter(kinds).most_common(1)[0][0]
    by_depth: dict[float, Plane] = {}
    of_kind = [plane for plane, kind in zip(planes, kinds, strict=True) if kind == common]
    for plane in sorted(of_kind, key=lambda one: (int(one.header.get("InstanceNumber") or 0), one.frame or 0)):
        by_depth.setdefault(round(plane.depth_mm, 2), plane)
    return DicomSource(tuple(by_depth[depth] for depth in sorted(by_depth)))


def _kind(plane: Plane) -> tuple[object, ...]:
    directions = np.round(np.concatenate([plane.row, plane.column]), 3) + 0.0
    return (int(plane.header.Rows), int(plane.header.Columns), *directions.tolist())


def _planes(header: Dataset) -> Iterator[Plane]:
    """Slices of a file that say where they lie; a mosaic, whose position is that of the picture, has none."""
    if "MOSAIC" in header.get("ImageType", ()) or header.get("Modality") in ("SEG", "RTSTRUCT", "SR", "PR"):
        return
    frames = range(1, int(header.NumberOfFrames) + 1) if "PerFrameFunctionalGroupsSequence" in header else (None,)
    for frame in frames:
        position = _read(header, frame, "PlanePositionSequence", "ImagePositionPatient")
        orientation = _read(header, frame, "PlaneOrientationSequence", "ImageOrientationPatient")
        spacing = _read(header, frame, "PixelMeasuresSequence", "PixelSpacing")
        if position is None or orientation is None or spacing is None:
            continue
        try:
            numbers = [np.asarray(one, np.float64) for one in (position, orientation, spacing)]
        except (TypeError, ValueError):
            continue
        if [one.shape for one in numbers] == [(3,), (6,), (2,)] and all(np.isfinite(one).all() for one in numbers):
            row, column = numbers[1][:3], numbers[1][3:]
            yield Plane(header, frame, numbers[0], row, column, (float(numbers[2][0]), float(numbers[2][1])))


def _read(header: Dataset, frame: int | None, group: str, name: str) -> object | None:
    """An attribute of a frame: its own, that of all frames, or that of a classic image."""
    if frame is None:
        value: object = header.get(name)
        return value
    per_frame = header.PerFrameFunctionalGroupsSequence
    shared = header.get("SharedFunctionalGroupsSequence") or [Dataset()]
    for item in (per_frame[frame - 1] if frame <= len(per_frame) else Dataset(), shared[0]):
        if item.get(group):
            found: object = item[group].value[0].get(name)
            return found
    return None


def _titles(sources: Sequence[DicomSource]) -> str:
    return ", ".join(source.title for source in sources)
