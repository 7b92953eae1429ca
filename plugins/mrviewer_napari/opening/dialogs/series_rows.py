"""What a row of the series chooser says, and which rows may be ticked together. No Qt."""

from collections.abc import Sequence
from dataclasses import dataclass

from mrviewer.names.image_names import MODALITIES
from mrviewer.readers.dicom import SeriesEntry
from mrviewer.readers.dicom_choice import belongs_to, lie_together
from mrviewer_napari.opening.questions import SeriesQuestion

__all__ = ["Ticks", "modality_choices", "size_text", "study_text", "title"]

_LEAVE_OUT = "leave out"
_UNKNOWN, _LABELS = "unknown", "labels"
_ALONE = "a segmentation, and the images that it was drawn on are not here; open them first, then this"


def title(entry: SeriesEntry) -> tuple[str, str]:
    """Number and description of a series, and the pulse sequence beneath."""
    return f"{entry.number}: {entry.description or 'no description'}", entry.sequence


def study_text(entries: Sequence[SeriesEntry], study: int) -> str:
    """Heading over the series of one study."""
    own = [entry for entry in entries if entry.study == study]
    words = next((entry.study_description for entry in own if entry.study_description), "")
    count = "1 series" if len(own) == 1 else f"{len(own)} series"
    whose = _whose(entries, own[0])
    return f"Study {study}{f', {whose}' if whose else ''}{f': {words}' if words else ''} ({count})"


def _whose(entries: Sequence[SeriesEntry], entry: SeriesEntry) -> str:
    """Whether studies are of one patient, by their numbers, which are not shown; empty for the first study."""
    before = [other for other in entries if other.study < entry.study]
    if not before:
        return ""
    if not entry.patient or not all(other.patient for other in before):
        return "the files do not say of which patient"
    same = next((other.study for other in before if other.patient == entry.patient), 0)
    return f"the same patient as in study {same}" if same else "another patient"


def size_text(entry: SeriesEntry) -> tuple[str, str]:
    """Matrix, slices and repetitions; and the voxel size (column, row, slice) in mm."""
    if not entry.stacks:
        return "", ""
    stack = entry.stacks[0]
    rows, columns = entry.matrix
    size = f"{columns} × {rows} × {len(stack.frames[0])}"
    if len(stack.frames) > 1:
        size += f"\n{len(stack.frames)} repetitions"
    across, row_mm, column_mm = entry.voxel_size_mm
    return size, f"{column_mm:.2f} × {row_mm:.2f} × {across:.2f}"


def modality_choices(entry: SeriesEntry) -> tuple[tuple[str, str | None], ...]:
    """Texts and modalities that a series may be given; `None` leaves it out."""
    known = (_LABELS,) if entry.is_segmentation else (*MODALITIES, _UNKNOWN)
    others = () if entry.modality in known else (entry.modality,)
    return (*((name, name) for name in (*others, *known)), (_LEAVE_OUT, None))


@dataclass
class Ticks:
    """Which series are ticked: always a set that opens together, with one segmentation at most.

    Parameters
    ----------
    question
        The series.
    """

    question: SeriesQuestion

    def __post_init__(self) -> None:
        """Begin with the proposal."""
        self.numbers: set[int] = set(self.question.proposal)

    @property
    def images(self) -> list[int]:
        """Ticked series that are no segmentations."""
        return [number for number in sorted(self.numbers) if not self._entry(number).is_segmentation]

    def refusal(self, number: int) -> str:
        """Why a series cannot be ticked; empty if it can."""
        entry = self._entry(number)
        if entry.is_segmentation and not entry.refusal:
            return "" if self._images_of(number) else _ALONE
        return entry.refusal

    def remarks(self, number: int) -> tuple[str, ...]:
        """Why a series cannot be opened, else what is odd about it."""
        entry, refusal = self._entry(number), self.refusal(number)
        if refusal:
            return (refusal,)
        if entry.is_segmentation:
            names = ", ".join(title(self._entry(image))[0] for image in self._images_of(number))
            return (f"segmentation, offered as the labels of {names}",)
        return tuple(dict.fromkeys((*entry.notes, *(note for stack in entry.stacks[:1] for note in stack.notes))))

    def set(self, number: int, *, on: bool) -> tuple[int, ...]:
        """Tick or untick a series; returns the ones that had to be unticked, for they do not open with it."""
        before = self.numbers - {number}
        self.numbers = set(before)
        if on and self._entry(number).is_segmentation:
            self._tick_labels(number)
        elif on:
            ticked = self._entry(number)
            self.numbers = {other for other in before if not self._lies_elsewhere(ticked, other)} | {number}
        self.numbers -= {labels for labels in self.numbers if not self._fits(labels)}
        return tuple(sorted(before - self.numbers))

    def only(self, number: int) -> None:
        """Tick one series alone, and a segmentation with the image that it belongs to."""
        self.numbers = set()
        self.set(number, on=True)

    def _entry(self, number: int) -> SeriesEntry:
        return self.question.entries[number]

    def _tick_labels(self, number: int) -> None:
        """Take labels, and with them an image that they belong to unless one is ticked."""
        self.numbers = {*self.images, number}
        if not self._fits(number):
            self.numbers = {number, *self._images_of(number)[:1]}

    def _images_of(self, labels: int) -> list[int]:
        """Series that a segmentation may be the labels of; those that it names, if they are here."""
        drawn_on = self.question.drawn_on.get(labels, frozenset())
        entries = self.question.entries
        fitting = [image for image, entry in enumerate(entries) if entry.stacks and self._belongs(labels, image)]
        return [image for image in fitting if entries[image].uid in drawn_on] or fitting

    def _lies_elsewhere(self, ticked: SeriesEntry, other: int) -> bool:
        entry = self._entry(other)
        return not entry.is_segmentation and not lie_together(ticked, entry)

    def _fits(self, number: int) -> bool:
        """Whether labels belong to a ticked image; images always fit."""
        is_labels = self._entry(number).is_segmentation
        return not is_labels or any(self._belongs(number, image) for image in self.images)

    def _belongs(self, labels: int, image: int) -> bool:
        drawn_on = self.question.drawn_on.get(labels, frozenset())
        return belongs_to(self._entry(labels), self._entry(image), drawn_on)
