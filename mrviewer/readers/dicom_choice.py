"""A person's choice among DICOM series: what opens together, what is proposed, and the study that comes of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mrviewer.errors import InputError
from mrviewer.names.image_names import MODALITIES
from mrviewer.notes import Note, NoteKind, left_out
from mrviewer.readers.dicom.dicom_study import modality_rank, with_names_of_their_own
from mrviewer.readers.dicom.reading import read_series
from mrviewer.readers.dicom.series import SeriesEntry
from mrviewer.readers.found_file import FoundFile
from mrviewer.readers.label_files import labels_of
from mrviewer.readers.opening import study_of
from mrviewer.readers.phases import split_into_phases
from mrviewer.readers.study_request import Candidate
from mrviewer.study import Study

__all__ = ["belongs_to", "lie_together", "open_chosen", "proposed"]


def lie_together(first: SeriesEntry, second: SeriesEntry) -> bool:
    """Whether two image series are of one study, in one frame of reference, and on one grid."""
    if first.study != second.study or not first.stacks or not second.stacks:
        return False
    frames = {entry.frame_of_reference for entry in (first, second)} - {""}
    return len(frames) < 2 and first.stacks[0].geometry.matches(second.stacks[0].geometry)


def belongs_to(segmentation: SeriesEntry, image: SeriesEntry, drawn_on: frozenset[str]) -> bool:
    """Whether a segmentation may be the labels of a series.

    Parameters
    ----------
    segmentation, image
        The two.
    drawn_on
        Series that the segmentation names, see `mrviewer.readers.dicom.segmentation.segmented_series`.
    """
    if segmentation.study != image.study:
        return False
    frames = {segmentation.frame_of_reference, image.frame_of_reference}
    if "" in frames:
        return not drawn_on or image.uid in drawn_on
    return len(frames) == 1 or image.uid in drawn_on


def proposed(entries: Sequence[SeriesEntry], drawn_on: Mapping[int, frozenset[str]]) -> tuple[int, ...]:
    """Numbers of the series to open unless a person says otherwise.

    Of the series that lie together the largest set of modalities, one series each; where sets are equal, the one with
    FLAIR, or what comes next in `mrviewer.names.image_names.MODALITIES`. A segmentation of one of them comes along.

    Parameters
    ----------
    entries
        From `mrviewer.readers.dicom.list_series`.
    drawn_on
        By number of a segmentation, the series that it names.
    """
    usable = [number for number, entry in enumerate(entries) if entry.stacks and not entry.refusal]
    groups = [
        _one_of_each([n for n in usable if lie_together(entries[n], entries[first])], entries) for first in usable
    ]
    if not groups:
        return ()
    best = max(groups, key=lambda group: (len(group), -min(modality_rank(entries[n]) for n in group)))
    for number, entry in enumerate(entries):
        is_labels = entry.is_segmentation and not entry.refusal
        if is_labels and any(belongs_to(entry, entries[n], drawn_on.get(number, frozenset())) for n in best):
            return (*best, number)
    return best


def _one_of_each(numbers: Sequence[int], entries: Sequence[SeriesEntry]) -> tuple[int, ...]:
    """First series of each modality; phases, maps and what has none only where there is nothing else."""
    first: dict[str, int] = {}
    for number in sorted(numbers, key=lambda number: modality_rank(entries[number])):
        first.setdefault(entries[number].modality, number)
    known = [number for modality, number in first.items() if modality in MODALITIES]
    return tuple(sorted(known or first.values()))


def open_chosen(chosen: Sequence[SeriesEntry], name: str, labels: Path | None = None) -> Study:
    """Open chosen series as one study, FLAIR first; a segmentation among them becomes the labels.

    Parameters
    ----------
    chosen
        Entries with the modalities that a person confirmed. A second one of a modality is called ``T1_2``.
    name
        What a person sees; nobody's name.
    labels
        File with reference labels that lies beside the series.

    Raises
    ------
    InputError
        If there is no image among them.
    FileFormatError
        If one of them cannot be opened.
    """
    images = with_names_of_their_own(sorted((e for e in chosen if not e.is_segmentation), key=modality_rank))
    opened = [split_into_phases(read_series(entry)) for entry in images]
    notes: list[str] = []
    if len(images) > 1:
        said = "; ".join(f"{entry.modality} is {_words(entry)}" for entry in images)
        notes.append(Note(f"series: {said}", NoteKind.MODALITY))
    found = Candidate(FoundFile(labels), "labels", is_asked_for=False) if labels is not None else None
    study = study_of(name, opened, notes, found)
    for segmentation in (entry for entry in chosen if entry.is_segmentation):
        study = _with_segmentation(study, segmentation)
    return study


def _words(entry: SeriesEntry) -> str:
    return f"{entry.number}, {entry.description or entry.sequence or 'no description'}"


def _with_segmentation(study: Study, segmentation: SeriesEntry) -> Study:
    """Take labels from a segmentation; one that cannot be used is noted, for the images open without it."""
    try:
        image = next(iter(study.images.values()), None)
        labels, notes = labels_of(read_series(segmentation), segmentation.title, study.grid, image)
    except InputError as error:
        return study.with_labels(study.labels, left_out(f"segmentation {segmentation.title}, {error}"))
    return study.with_labels(labels, *notes)
