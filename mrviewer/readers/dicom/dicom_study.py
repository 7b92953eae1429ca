"""All series of one DICOM study, as images by modality; and a name for it that tells nobody who the patient is."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from mrviewer.errors import FileFormatError, InputError
from mrviewer.names.image_names import MODALITIES
from mrviewer.notes import Note, NoteKind, left_out, prefixed
from mrviewer.progress import finish
from mrviewer.readers.contents import FileContents
from mrviewer.readers.dicom.files.file_search import files_to_read
from mrviewer.readers.dicom.files.header import read_header
from mrviewer.readers.dicom.files.patient import Identity
from mrviewer.readers.dicom.frames.components import component_rank
from mrviewer.readers.dicom.listing import list_series
from mrviewer.readers.dicom.reading import read_series
from mrviewer.readers.dicom.series import SeriesEntry, with_volume
from mrviewer.study import Image

__all__ = ["modality_rank", "public_name", "read_dicom", "with_names_of_their_own"]

ANONYMOUS = "DICOM study"
MOST_STUDIES = 4
"""Studies that a refusal tells of one by one."""
MOST_COMPONENTS = 100
"""Above every rank of a component."""
FIRST_LOOKED_AT = 10
"""Files whose headers are compared with the name of a folder."""


def read_dicom(path: Path, modality: str) -> FileContents:
    """Open all image series of a folder, a file, a DICOMDIR or a zip; a segmentation among them becomes labels.

    Parameters
    ----------
    path
        Where the files lie.
    modality
        ``unknown`` takes what the headers propose, ``labels`` a segmentation. Any other name is given to the only
        image series, or chooses the series that has it.

    Raises
    ------
    InputError
        If there is nothing at the path, several studies, or no single series of that modality.
    FileFormatError
        If nothing in it can be opened.
    """
    entries = finish(list_series(path))
    if modality == "labels":
        return read_series(_labels(entries, path.name))
    images = sorted((entry for entry in entries if _is_image(entry)), key=modality_rank)
    if not images:
        raise FileFormatError(_nothing_opens(entries, path.name))
    if len({entry.study for entry in images}) > 1:
        raise InputError(_several_studies(images, path))
    if modality.partition("_")[0] != "unknown":
        return read_series(replace(_named(images, modality, path.name), modality=modality))
    segmentations = [entry for entry in entries if entry.is_segmentation and not entry.refusal]
    return _together(with_names_of_their_own(images), segmentations, [entry for entry in entries if entry.refusal])


def _several_studies(images: Sequence[SeriesEntry], path: Path) -> str:
    """How many studies there are, of whom, and how to give one: a file stands for its series."""
    first = {entry.study: entry for entry in reversed(images)}
    patients = {entry.patient for entry in images}
    whose = "" if 0 in patients else " of one patient" if len(patients) == 1 else f" of {len(patients)} patients"
    told = "; ".join(
        f"study {study}: {_count([entry for entry in images if entry.study == study], path)}"
        for study in sorted(first)[:MOST_STUDIES]
    )
    more = f"; and {len(first) - MOST_STUDIES} more" if len(first) > MOST_STUDIES else ""
    sentence = f"{path.name} holds {len(first)} DICOM studies{whose} ({told}{more})"
    if any(entry.files[0].member for entry in images):
        return f"{sentence}; unpack it, and give one file of the series that you want"
    return f"{sentence}; give one file of the series that you want, and the whole series opens"


def _count(entries: Sequence[SeriesEntry], given: Path) -> str:
    """Number of series of a study, and a file of one unless its name or its folder tells who the patient is."""
    entry, base = entries[0], given if given.is_dir() else given.parent
    file = entry.files[0].path
    if entry.files[0].member or not file.is_relative_to(base):
        return f"{len(entries)} series"
    inside = file.relative_to(base)
    folders = [base / parent for parent in inside.parents if parent.name]
    if public_name(file) != file.stem or any(public_name(folder) != folder.name for folder in folders):
        return f"{len(entries)} series"
    words = entry.description or entry.sequence or entry.modality
    return f"{len(entries)} series, such as {words!r} with the file {inside}"


def public_name(path: Path) -> str:
    """Name of a folder or file, unless it tells who the patient is: name and number in the headers are compared."""
    name = path.resolve().name
    identity = Identity()
    for file in files_to_read(path).files[:FIRST_LOOKED_AT]:
        with suppress(FileFormatError):
            header = read_header(file)
            identity |= Identity.of(header) if header else Identity()
    stem = name if path.is_dir() else Path(name).stem
    return identity.without(stem, ANONYMOUS)


def _is_image(entry: SeriesEntry) -> bool:
    return not entry.refusal and not entry.is_segmentation


def modality_rank(entry: SeriesEntry) -> int:
    """Place of a series in the order in which modalities are opened; of one modality water comes before fat."""
    place = MODALITIES.index(entry.modality) if entry.modality in MODALITIES else len(MODALITIES)
    return place * MOST_COMPONENTS + component_rank(entry.component)


def _labels(entries: Sequence[SeriesEntry], name: str) -> SeriesEntry:
    """Segmentation, else the only image, which may be one of labels."""
    if segmentations := [entry for entry in entries if entry.is_segmentation]:
        return segmentations[0]
    images = [entry for entry in entries if _is_image(entry)]
    if len(images) != 1:
        raise FileFormatError(f"{name} holds no DICOM segmentation; give a DICOM SEG or a NIfTI file as labels")
    return replace(images[0], modality="labels")


def _named(images: Sequence[SeriesEntry], modality: str, name: str) -> SeriesEntry:
    """Series, or volume of a series, that the user's word for its modality means."""
    parts = [
        with_volume(entry, place)
        for entry in images
        for place, stack in enumerate(entry.stacks)
        if len(entry.stacks) > 1 and modality.lower() in (stack.component.lower(), stack.label.lower())
    ]
    if len(parts) == 1:
        return parts[0]
    if len(images) == 1:
        return images[0]
    fitting = [entry for entry in images if entry.modality == modality]
    if len(fitting) == 1:
        return fitting[0]
    titles = "; ".join(entry.title for entry in images[:6])
    raise InputError(f"{name} holds {len(images)} series ({titles}); name a file of the one that is {modality}")


def _nothing_opens(entries: Sequence[SeriesEntry], name: str) -> str:
    refusals = [entry.refusal for entry in entries if entry.refusal]
    if not refusals:
        return f"{name} is a DICOM segmentation and no image; give the image too, and this as labels"
    return refusals[0] if len(refusals) == 1 else f"{name} holds {len(refusals)} series and none opens: {refusals[0]}"


def with_names_of_their_own(images: Sequence[SeriesEntry]) -> list[SeriesEntry]:
    """Call a second series of one modality ``T1_2``."""
    named: list[SeriesEntry] = []
    for entry in images:
        times = [other.modality.partition("_")[0] for other in named].count(entry.modality) + 1
        named.append(entry if times == 1 else replace(entry, modality=f"{entry.modality}_{times}"))
    return named


def _together(
    images: Sequence[SeriesEntry], segmentations: Sequence[SeriesEntry], refused: Sequence[SeriesEntry]
) -> FileContents:
    opened: list[Image] = []
    told: list[tuple[str, str]] = []
    labels, failed, spare = _labels_of(segmentations)
    for modality, contents in [*((entry.modality, read_series(entry)) for entry in images), *labels]:
        opened += contents.images
        told += [(modality, note) for note in contents.notes]
    n_series = len(images) + len(labels)
    notes = [
        note if [other for _, other in told].count(note) == n_series else prefixed(modality, note)
        for modality, note in told
    ]
    if len(images) > 1:
        said = "; ".join(f"{entry.modality} is {entry.title}" for entry in images)
        notes.append(Note(f"series: {said}", NoteKind.MODALITY))
    notes += [left_out(f"series {entry.title}, {entry.refusal}") for entry in refused]
    notes += failed
    notes += [left_out(f"segmentation {entry.title}; another one holds the labels") for entry in spare]
    return FileContents(tuple(opened), notes=tuple(dict.fromkeys(notes)))


def _labels_of(
    segmentations: Sequence[SeriesEntry],
) -> tuple[list[tuple[str, FileContents]], list[Note], Sequence[SeriesEntry]]:
    """The first segmentation that can be read, notes on those before it that cannot, and those that come after it."""
    notes: list[Note] = []
    for number, entry in enumerate(segmentations, 1):
        try:
            return [(entry.modality, read_series(entry))], notes, segmentations[number:]
        except FileFormatError as error:
            notes.append(left_out(f"segmentation {entry.title}, {error}"))
    return [], notes, ()
