"""Finding the DICOM series that an export refers to. No Qt."""

from collections.abc import Generator
from pathlib import Path

from mrviewer.errors import MrviewerError
from mrviewer.progress import Progress
from mrviewer.readers.formats import is_dicom_path
from mrviewer.writers.dicom_source import find_source
from mrviewer_napari.exporting.items import SourceState
from mrviewer_napari.scan import Scan

__all__ = ["find_series", "path_of"]


def path_of(scan: Scan) -> Path | None:
    """File that the shown image comes from."""
    image = scan.study.images.get(scan.modality)
    return None if image is None else image.path


def find_series(scan: Scan, path: Path | None, *, asked: bool) -> Generator[Progress, None, SourceState]:
    """Look at a path for the series on whose grid a scan lies, and read the headers of its slices.

    Parameters
    ----------
    scan
        What shall be exported.
    path
        A folder, or a file of the series.
    asked
        Whether a person named the path; one that holds no DICOM is then refused with its reason.
    """
    yield Progress(0, 1, "looking for the DICOM series")
    if path is None or not path.exists() or (not asked and not is_dicom_path(path)):
        return SourceState()
    try:
        source, note = find_source(path, scan.geometry)
        yield Progress(0, 1, "reading the headers of the series")
        count = len(source.planes)
    except MrviewerError as error:
        return SourceState(reason=f"no series can be used: {error}")
    return SourceState(source, note=note or f"{source.title}, {count} slices")
