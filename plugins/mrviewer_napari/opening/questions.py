"""What has to be asked before something opens, and what opens with the answer. No Qt."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mrviewer.errors import FileFormatError
from mrviewer.notes import left_out
from mrviewer.progress import Progress
from mrviewer.raw.arrays.array_layout import ArrayLayout
from mrviewer.readers.arrays.numpy_array import ArrayFacts
from mrviewer.readers.dicom import SeriesEntry, read_slice
from mrviewer.readers.dicom.dicom_study import modality_rank
from mrviewer.readers.dicom_choice import open_chosen, proposed
from mrviewer_napari.facts.scan import Scan
from mrviewer_napari.opening.first_picture import FirstPicture, of_array
from mrviewer_napari.opening.load_scan import load_scan
from mrviewer_napari.opening.new_labels import NewLabels

__all__ = ["ArrayQuestion", "Question", "SeriesQuestion", "Work", "layout_text", "open_series", "picture_of"]


@dataclass(frozen=True, eq=False)
class SeriesQuestion:
    """Which of these series?

    Parameters
    ----------
    entries
        All series that were found, also those that cannot be opened.
    name
        What a study of them is called; nobody's name.
    drawn_on
        By number of a segmentation, the series that it names.
    labels
        File with reference labels beside the series.
    """

    entries: tuple[SeriesEntry, ...]
    name: str
    drawn_on: Mapping[int, frozenset[str]] = field(default_factory=dict)
    labels: Path | None = None

    @property
    def proposal(self) -> tuple[int, ...]:
        """Numbers of the series to open unless a person says otherwise."""
        return proposed(self.entries, self.drawn_on)

    def answered(self) -> Generator[Progress, None, Scan]:
        """Open what is proposed."""
        return open_series([self.entries[number] for number in self.proposal], self, unseen=self.entries)


@dataclass(frozen=True, eq=False)
class ArrayQuestion:
    """Which axis of this array is what?

    Parameters
    ----------
    path, facts
        The file, and what is known of its array.
    modality
        What its name tells, unless another array has it.
    told
        From the array with its axes to what opens, or to the next question: several files may open as one study.
    taken
        Modalities of the arrays that were told about before.
    waiting
        How many arrays will be asked about after this one.
    """

    path: Path
    facts: ArrayFacts
    modality: str
    told: Callable[[str], "Work"]
    taken: frozenset[str] = frozenset()
    waiting: int = 0

    def answered(self) -> "Work":
        """Open it as it seems to be."""
        return self.with_axes(self.facts.guess, self.modality)

    def with_axes(self, layout: ArrayLayout, modality: str) -> "Work":
        """Open it with the axes that somebody told.

        Raises
        ------
        InputError
            If the name of the array cannot be told.
        """
        yield Progress(0, 1, "opening")
        return (yield from self.told(f"{modality}={self.path}:{layout_text(layout)}"))


Question = SeriesQuestion | ArrayQuestion
Work = Generator[Progress, None, Scan | NewLabels | Question]
"""What opens a study, or finds out what has to be asked first."""


def open_series(
    chosen: Sequence[SeriesEntry], question: SeriesQuestion, unseen: Sequence[SeriesEntry] = ()
) -> Generator[Progress, None, Scan]:
    """Open chosen series as one study; the middle slice comes first, and the pixels of one modality are read.

    Parameters
    ----------
    chosen
        Series with the modalities that were confirmed.
    question
        Where they come from.
    unseen
        Series that nobody was shown; notes tell of those that cannot be opened.
    """
    yield Progress(0, 1, "opening", picture_of(sorted((entry for entry in chosen if entry.stacks), key=modality_rank)))
    study = open_chosen(chosen, question.name, question.labels)
    refused = [entry for entry in unseen if entry.refusal]
    notes = tuple(left_out(f"series {entry.title}, {entry.refusal}") for entry in refused)
    return (yield from load_scan(replace(study, notes=(*study.notes, *notes))))


def picture_of(entries: Sequence[SeriesEntry]) -> FirstPicture | None:
    """Middle slice of the first of these series that can be read."""
    for entry in entries:
        try:
            plane = read_slice(entry)
        except FileFormatError:
            continue
        _, row_mm, column_mm = entry.voxel_size_mm
        return of_array(plane, (row_mm or 1.0, column_mm or 1.0), entry.title)
    return None


def layout_text(layout: ArrayLayout) -> str:
    """A layout as `ArrayLayout.parse` reads it, with its domain, as the modality stands before the path.

    Raises
    ------
    InputError
        If the name of the array cannot be told in it.
    """
    return f"{layout.domain},{layout.text()}"
