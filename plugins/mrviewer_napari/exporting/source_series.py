"""Finding the DICOM series that an export refers to. No Qt."""

from collections.abc import Generator
from pathlib import Path

from mrviewer.errors import MrviewerError
from mrviewer.progress import Progress
from mrviewer.writers.dicom.dicom_source import DicomSource, read_sources, source_of
from mrviewer.writers.dicom.source_choice import SourceWish, UnclearSourceError, choose_source
from mrviewer_napari.exporting.export_items import SourceState
from mrviewer_napari.facts.scan import Scan

__all__ = ["find_opened", "find_series", "use_series"]

_Work = Generator[Progress, None, SourceState]


def find_opened(scan: Scan) -> _Work:
    """The series that the shown image was read from, by its files; none if it was not read from DICOM."""
    yield Progress(0, 1, "looking for the DICOM series")
    try:
        source = _opened(scan)
    except MrviewerError as error:
        return _nothing(error)
    return SourceState() if source is None else (yield from use_series(source))


def find_series(scan: Scan, folder: Path) -> _Work:
    """The series in a folder that a scan belongs to; where that is not clear all of them, to choose from.

    Parameters
    ----------
    scan
        What shall be exported.
    folder
        As a person named it.
    """
    yield Progress(0, 1, "looking for the DICOM series")
    try:
        opened = _opened(scan)
        choices = tuple(read_sources(folder))
    except MrviewerError as error:
        return _nothing(error)
    wish = SourceWish(scan.geometry, scan.modality, "" if opened is None else opened.uid)
    try:
        source = choose_source(choices, wish)
    except UnclearSourceError:
        count = "The series there" if len(choices) == 1 else f"None of the {len(choices)} series there"
        is_it = "may not be" if len(choices) == 1 else "is surely"
        note = f"{count} {is_it} the {scan.modality} image that is open; choose here what the results belong to"
        return SourceState(reason="choose the series below", note=note, choices=choices)
    return (yield from use_series(source, choices))


def use_series(source: DicomSource, choices: tuple[DicomSource, ...] = ()) -> _Work:
    """Read the headers of the slices of a series; `choices` are all that there are."""
    yield Progress(0, 1, "reading the headers of the series")
    try:
        n_slices = len(source.planes)
    except MrviewerError as error:
        return _nothing(error, choices)
    return SourceState(source, note=f"{source.title}, {n_slices} slices, {source.modality}", choices=choices)


def _opened(scan: Scan) -> DicomSource | None:
    image = scan.patient.images.get(scan.modality)
    return None if image is None else source_of(image)


def _nothing(error: MrviewerError, choices: tuple[DicomSource, ...] = ()) -> SourceState:
    return SourceState(reason=f"no series can be used: {error}", choices=choices)
