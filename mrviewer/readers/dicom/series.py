"""One series: what a person chooses from, and what is read when it is chosen."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from mrviewer.notes import Note, NoteKind
from mrviewer.readers.dicom.contrast import modality_of_part
from mrviewer.readers.dicom.files.stored_file import StoredFile
from mrviewer.readers.dicom.stacks.stack import Stack

__all__ = ["SeriesEntry", "with_volume"]


@dataclass(frozen=True, eq=False)
class SeriesEntry:
    """A series, its pixels unread.

    Parameters
    ----------
    study
        Number of its study in the listing, from 1.
    number
        Number that the scanner gave the series.
    modality
        Proposed modality; `dataclasses.replace` corrects it.
    description, study_description
        What the scanner's user called them; empty if that tells who the patient is.
    sequence
        Name of the pulse sequence.
    matrix : (rows, columns)
        Pixels of a slice.
    n_slices, n_frames
        Slices of a volume, and repetitions (time points, diffusion weightings) of the first volume.
    volumes
        What tells volumes of different meaning apart (echo, magnitude and phase); ``("",)`` if there is one.
    voxel_size_mm : (slice, row, column)
        Distances; 0 where it cannot be opened.
    notes
        What a person should know.
    refusal
        Why it cannot be opened, as a sentence; empty if it can.
    is_segmentation
        Whether it holds labels (DICOM SEG) and no image.
    uid, frame_of_reference
        Identifiers of the series, and of the position of the patient in the scanner.
    patient
        Number of its patient in the listing, from 1; 0 where the files name none.
    """

    study: int
    number: int
    modality: str
    description: str
    study_description: str
    sequence: str
    matrix: tuple[int, int]
    n_slices: int
    n_frames: int
    volumes: tuple[str, ...]
    voxel_size_mm: tuple[float, float, float]
    notes: tuple[str, ...] = ()
    refusal: str = ""
    is_segmentation: bool = False
    uid: str = field(default="", repr=False)
    frame_of_reference: str = field(default="", repr=False)
    patient: int = 0
    files: tuple[StoredFile, ...] = field(default=(), repr=False)
    stacks: Sequence[Stack] = field(default=(), repr=False)

    @property
    def component(self) -> str:
        """What its first volume shows: magnitude, phase, water, ...; empty where it cannot be opened."""
        return self.stacks[0].component if self.stacks else ""

    @property
    def title(self) -> str:
        """One line for a person: number, description, modality."""
        words = self.description or self.sequence or "no description"
        return f"{self.number}: {words} ({self.modality})"


def with_volume(entry: SeriesEntry, volume: int) -> SeriesEntry:
    """A series of several volumes as if it held one of them alone; a phase or a map is not called T1 then."""
    if len(entry.stacks) < 2:
        return entry
    stack = entry.stacks[volume]
    said = f"of the {len(entry.stacks)} volumes of the series ({'; '.join(entry.volumes)}), {stack.label} is opened"
    note = Note(said, NoteKind.FRAMES)
    return replace(
        entry,
        modality=modality_of_part(entry.modality, stack.component),
        stacks=(stack,),
        volumes=(stack.label,),
        n_slices=len(stack.frames[0]),
        n_frames=len(stack.frames),
        frame_of_reference=stack.reference,
        notes=(*entry.notes, note),
    )
