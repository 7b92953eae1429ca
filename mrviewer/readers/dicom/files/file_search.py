"""Which files to look at: of a folder and all below it, of a zip, of a DICOMDIR, or beside one file of a series."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mrviewer.array_files.recognising import BLOCK, told_by_content
from mrviewer.errors import FileFormatError, InputError
from mrviewer.notes import Note, NoteKind, left_out
from mrviewer.readers.dicom.files.header import Header, read_dataset, read_header
from mrviewer.readers.dicom.files.library_faults import told_as
from mrviewer.readers.dicom.files.stored_file import StoredFile, is_zip, packed_files
from mrviewer.readers.dicom.files.tags import Tag

__all__ = ["FilesToRead", "files_of_all", "files_to_read", "is_dicom", "series_key"]

MOST_FILES = 200_000
_DIRECTORY_CLASS = "1.2.840.10008.1.3.10"
_OTHER_ENDINGS = frozenset(
    {
        ".nii",
        ".gz",
        ".hdr",
        ".img",
        ".mat",
        ".npy",
        ".h5",
        ".cfl",
        ".bval",
        ".bvec",
        ".json",
        ".txt",
        ".md",
        ".csv",
        ".tsv",
        ".png",
        ".jpg",
        ".jpeg",
        ".pdf",
        ".xml",
        ".html",
        ".py",
    }
)
"""Files with these names are not looked into."""
_FIRST_TRIED = 20


@dataclass(frozen=True)
class FilesToRead:
    """Files to look at.

    Parameters
    ----------
    files
        The files, in the order of their names.
    series
        The only series that are wanted, see `series_key`; `None` for all.
    notes
        What was left out.
    """

    files: tuple[StoredFile, ...]
    series: frozenset[tuple[str, str, str]] | None = None
    notes: tuple[str, ...] = ()


def is_dicom(path: Path) -> bool:
    """Whether a path leads to DICOM: a file of it, a zip with some, or a folder in which the first files are."""
    try:
        if path.is_dir():
            return any(map(_is_dicom_file, _below(path, most=_FIRST_TRIED)))
        if not path.is_file():
            return False
        return any(map(_is_dicom_file, packed_files(path)[:_FIRST_TRIED] if is_zip(path) else [StoredFile(path)]))
    except (InputError, OSError):
        return False


def files_to_read(path: Path) -> FilesToRead:
    """Files that a path stands for.

    Raises
    ------
    InputError
        If there is nothing at the path.
    FileFormatError
        If it is neither a folder nor DICOM nor a zip.
    """
    return files_of_all([path])[0]


def files_of_all(paths: Sequence[Path]) -> list[FilesToRead]:
    """Files that several paths stand for: each folder, zip and DICOMDIR, and all single files of one folder together.

    What cannot be used among them is noted.

    Raises
    ------
    InputError
        If nothing can be used.
    """
    parts: list[FilesToRead] = []
    given: dict[Path, dict[StoredFile, tuple[str, str, str]]] = {}
    failures: list[InputError] = []
    for path in paths:
        try:
            key = _series_of(path)
            if key is None:
                parts.append(_of_container(path))
            else:
                given.setdefault(path.parent, {})[StoredFile(path)] = key
        except InputError as error:
            failures.append(error)
    parts += map(_of_files, given.values())
    if not parts:
        raise failures[0]
    notes = tuple(left_out(str(error)) for error in failures)
    return [replace(parts[0], notes=(*parts[0].notes, *notes)), *parts[1:]]


def _of_files(given: Mapping[StoredFile, tuple[str, str, str]]) -> FilesToRead:
    """Files of one folder, and beside them those of the same series."""
    has_series = any(series for _, series, _ in given.values())
    beside = _beside(next(iter(given)).path) if has_series else ()
    return FilesToRead(tuple(dict.fromkeys((*given, *beside))), frozenset(given.values()))


def _series_of(path: Path) -> tuple[str, str, str] | None:
    """Series of a single DICOM file; `None` for what holds or lists several."""
    if path.is_dir():
        return None
    if not path.is_file():
        raise InputError(f"there is no file {path.name}; check the path")
    try:
        if not path.stat().st_size:
            raise FileFormatError(f"{path.name} is an empty file; copy or download it again")
        if is_zip(path):
            return None
    except OSError as error:
        raise FileFormatError(f"{path.name} cannot be read ({error.strerror or 'disk error'})") from error
    header = read_header(StoredFile(path))
    if header is None:
        told = told_by_content(StoredFile(path).read(count=BLOCK))
        raise FileFormatError(
            f"{path.name} is {told or 'no DICOM file; give a DICOM file, a folder of them, or a zip'}"
        )
    is_list = header.text(Tag.SOP_CLASS) == _DIRECTORY_CLASS or path.name.upper() == "DICOMDIR"
    return None if is_list else series_key(header)


def _of_container(path: Path) -> FilesToRead:
    """Files of a folder, a zip or a DICOMDIR."""
    if path.is_dir():
        return FilesToRead(tuple(_below(path, MOST_FILES)))
    if is_zip(path):
        return FilesToRead(tuple(file for file in packed_files(path) if _is_candidate(file.name)))
    return _of_directory(path)


def series_key(header: Header) -> tuple[str, str, str]:
    """Study, series and class of an object; what shares all of them belongs together."""
    return header.text(Tag.STUDY_INSTANCE), header.text(Tag.SERIES_INSTANCE), header.text(Tag.SOP_CLASS)


def _beside(path: Path) -> tuple[StoredFile, ...]:
    """A file, then the others of its folder that may be DICOM."""
    try:
        names = sorted(entry.name for entry in os.scandir(path.parent) if entry.is_file() and _is_candidate(entry.name))
    except OSError:
        names = []
    return tuple(StoredFile(path.parent / name) for name in dict.fromkeys((path.name, *names)))


def _below(folder: Path, most: int) -> list[StoredFile]:
    """Files in a folder and all below it that may be DICOM; links to folders are not followed."""
    found: list[StoredFile] = []
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [StoredFile(Path(root, name)) for name in sorted(names) if _is_candidate(name)]
        if len(found) >= most:
            break
    return [file for file in found[:most] if file.path.is_file()]


def _is_candidate(name: str) -> bool:
    """Whether a file is looked into, by its name: hidden files and those of other formats are not."""
    base = name.upper()
    ending = os.path.splitext(name)[1].lower()  # noqa: PTH122  for each of many thousand names
    return not name.startswith(".") and base != "DICOMDIR" and ending not in _OTHER_ENDINGS


def _is_dicom_file(file: StoredFile) -> bool:
    try:
        return file.read(128, 4) == b"DICM" or read_header(file) is not None
    except FileFormatError:
        return False


def _of_directory(path: Path) -> FilesToRead:
    """Files that a DICOMDIR lists, as far as they lie below it."""
    with told_as(f"{path.name} is damaged: it does not list files; give the folder instead"):
        records = read_dataset(StoredFile(path), pixels=False).DirectoryRecordSequence
        listed = [_parts(record.ReferencedFileID) for record in records if "ReferencedFileID" in record]
    root = path.parent.resolve()
    files: list[StoredFile] = []
    for parts in listed:
        file = next((f for f in (root.joinpath(*parts), root.joinpath(*map(str.lower, parts))) if f.is_file()), None)
        if file is not None and file.resolve().is_relative_to(root):
            files.append(StoredFile(file))
    absent = len(listed) - len(files)
    said = f"{absent} of {len(listed)} files that {path.name} lists are not there"
    notes = (Note(said, NoteKind.LEFT_OUT, absent),) if absent else ()
    return FilesToRead(tuple(dict.fromkeys(files)), notes=notes)


def _parts(reference: str | Sequence[str]) -> list[str]:
    """Folders and name of a listed file; pydicom gives a single name as text."""
    return [reference] if isinstance(reference, str) else [str(part) for part in reference]
