"""The studies and series that a folder, a file, a DICOMDIR or a zip holds."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from mrviewer.errors import FileFormatError
from mrviewer.notes import Note, NoteKind, left_out
from mrviewer.progress import Progress
from mrviewer.readers.dicom.describe import describe_series, usable_frames
from mrviewer.readers.dicom.files.file_search import FilesToRead, files_of_all, series_key
from mrviewer.readers.dicom.files.header import Header, read_header
from mrviewer.readers.dicom.files.patient import Identity, patient_key
from mrviewer.readers.dicom.files.stored_file import StoredFile
from mrviewer.readers.dicom.files.tags import Tag
from mrviewer.readers.dicom.frames.soundness import different_images
from mrviewer.readers.dicom.series import SeriesEntry

__all__ = ["list_series"]

_MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"
MOST_NAMED = 10
"""Damaged files that are named one by one."""

SeriesKey = tuple[str, str, str]
_Chosen = list[tuple[list[Header], str]]
"""Images of each key of a series, and what is said of their copies."""


@dataclass
class _Found:
    """What the headers told so far."""

    series: dict[tuple[str, str, str], list[Header]] = field(default_factory=dict)
    studies: dict[str, int] = field(default_factory=dict)
    patients: dict[str, int] = field(default_factory=dict)
    identity: Identity = field(default_factory=Identity)
    copies: dict[tuple[object, ...], list[Header]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    n_copies: int = 0
    named: frozenset[Path] = frozenset()
    """Files that the user named one by one; folders and archives are not among them."""


def list_series(
    paths: str | Path | Sequence[str | Path],
) -> Generator[Progress, None, tuple[SeriesEntry, ...]]:
    """Find the series of a folder (and all below it), a zip, a DICOMDIR, or those to which single files belong.

    Yields after each file; the progress that brings the first file of a series carries a preliminary `SeriesEntry` of
    that file alone as its detail, so that a picture can be shown long before the last file is read.

    Returns
    -------
    Series by study and number. One that cannot be opened is among them, and says why.

    Raises
    ------
    InputError
        If there is nothing at the path.
    FileFormatError
        If it holds no DICOM file.
    """
    given = [Path(path) for path in ([paths] if isinstance(paths, str | Path) else paths)]
    parts = files_of_all(given)
    files = {file: part.series for part in parts for file in part.files}
    found = _Found(named=frozenset(path for path in given if path.is_file()))
    for done, (file, wanted_series) in enumerate(files.items(), 1):
        first = _take(file, wanted_series, found)
        yield Progress(done, len(files), "files looked at", _preliminary(first, found) if first else None)
    if not found.series:
        reason = f": {found.failures[0]}" if found.failures else ""
        raise FileFormatError(f"{given[0].name} holds no DICOM file that opens{reason}")
    chosen = {key: [_images(header, found) for header in headers] for key, headers in found.series.items()}
    return tuple(_entries(found, chosen, _notes(found, parts, [path.name for path in given])))


def _take(file: StoredFile, wanted_series: frozenset[tuple[str, str, str]] | None, found: _Found) -> Header | None:
    """Sort one file in; the header is returned if it begins a new series."""
    try:
        header = read_header(file)
    except FileFormatError as error:
        found.failures.append(str(error))
        return None
    if header is None or header.text(Tag.SOP_CLASS) == _MEDIA_DIRECTORY:
        return None
    key = series_key(header)
    if wanted_series is not None and key not in wanted_series:
        return None
    found.identity |= Identity.of(header)
    headers = found.series.setdefault(key, [])
    if header.text(Tag.SOP_INSTANCE):
        copies = found.copies.setdefault(_image_key(header), [])
        copies.append(header)
        if len(copies) > 1:
            return None
    found.studies.setdefault(key[0], len(found.studies) + 1)
    if patient := patient_key(header):
        found.patients.setdefault(patient, len(found.patients) + 1)
    headers.append(header)
    return header if len(headers) == 1 else None


def _image_key(header: Header) -> tuple[object, ...]:
    """What copies of one image share: series, number and place, for careless exports repeat numbers."""
    return series_key(header), header.text(Tag.SOP_INSTANCE), header.data(Tag.POSITION)


def _images(header: Header, found: _Found) -> tuple[list[Header], str]:
    """Images of one key, of each the copy whose pixels are sound, and a note where they differ."""
    copies = found.copies.get(_image_key(header), [header])
    if len(copies) == 1:
        return [header], ""
    numbers, is_damaged = different_images([usable_frames(copy) for copy in copies])
    kept = [copies[number] for number in numbers] or _by_content(copies)
    found.n_copies += len(copies) - len(kept)
    asked = [copy for copy in kept if copy.file.place in found.named]
    names = ", ".join(copy.file.name for copy in copies[:MOST_NAMED])
    if len(kept) > 1 and asked:
        used = ", ".join(copy.file.name for copy in asked[:MOST_NAMED])
        return (
            asked,
            f"{len(kept)} different images share one identifier (SOPInstanceUID) and place: {names}; {used} is used",
        )
    if len(kept) > 1:
        return kept, f"{len(kept)} different images share one identifier (SOPInstanceUID) and place: {names}"
    if is_damaged:
        return kept, f"{len(copies)} copies of one image differ ({names}); {kept[0].file.name} is used"
    return kept, ""


def _by_content(copies: Sequence[Header]) -> list[Header]:
    """Files that differ at all, where no pixels can be decoded."""
    contents: dict[bytes, Header] = {}
    for copy in copies:
        with suppress(FileFormatError):
            contents.setdefault(sha256(copy.file.read()).digest(), copy)
    return list(contents.values()) or [copies[0]]


def _preliminary(header: Header, found: _Found) -> SeriesEntry:
    return describe_series([header], found.studies[header.text(Tag.STUDY_INSTANCE)], found.identity)


def _entries(found: _Found, chosen: Mapping[SeriesKey, _Chosen], notes: tuple[str, ...]) -> Iterator[SeriesEntry]:
    """Series in the order of study and number."""
    names = [copy.file.name for copies in found.copies.values() for copy in copies]
    entries = []
    for (study, _, _), images in chosen.items():
        headers = [header for kept, _ in images for header in kept]
        told = found.identity.kept_out((said for _, said in images if said), names)
        differing = [Note(said, NoteKind.VALUES) for said in told[:MOST_NAMED]]
        if (more := len(told) - MOST_NAMED) > 0:
            differing.append(Note(f"{more} more images have copies that differ", NoteKind.VALUES, more))
        entry = describe_series(headers, found.studies[study], found.identity, (*notes, *differing))
        entries.append(replace(entry, patient=found.patients.get(patient_key(headers[0]), 0)))
    yield from sorted(entries, key=lambda entry: (entry.study, entry.number, entry.description))


def _notes(found: _Found, parts: Sequence[FilesToRead], given: Sequence[str]) -> tuple[str, ...]:
    """What was left out of the whole listing."""
    notes = [note for part in parts for note in part.notes]
    notes += [left_out(str(failure)) for failure in found.failures[:MOST_NAMED]]
    if len(found.failures) > MOST_NAMED:
        more = len(found.failures) - MOST_NAMED
        notes.append(left_out(f"{more} more damaged files", more))
    if n_copies := found.n_copies:
        notes.append(left_out(f"{_counted(n_copies)} of images that are there twice", n_copies))
    return found.identity.kept_out(notes, [*given, *(file.name for part in parts for file in part.files)])


def _counted(n_copies: int) -> str:
    return "1 copy" if n_copies == 1 else f"{n_copies} copies"
