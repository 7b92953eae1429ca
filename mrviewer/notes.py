"""Notes on a study: sentences for the user, each with the kind of thing that it is about.

A note is text, so that it can be shown, joined and compared wherever a sentence can; what counts, sorts or picks notes
looks at the kind and never at the words.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Self, SupportsIndex

__all__ = ["Note", "NoteKind", "as_note", "left_out", "n_left_out", "prefixed", "without_prefix"]


class NoteKind(StrEnum):
    """What a note is about."""

    GENERAL = "general"
    POSITION = "position"
    VOXEL_SIZE = "voxel size"
    MODALITY = "modality"
    VALUES = "values"
    METHOD = "method"
    FRAMES = "frames"
    ORDER = "order"
    LABELS = "labels"
    RAW_DATA = "raw data"
    LEFT_OUT = "left out"
    MISSING_SLICES = "missing slices"
    PATIENT = "patient"
    SIMULATED = "simulated"


class Note(str):
    """One sentence that the user must read to understand a study.

    Two notes of the same words are equal, whatever their kinds.

    Parameters
    ----------
    text
        The sentence.
    kind
        What it is about, a `NoteKind` or its value.
    n_things
        How many things it is about: of `NoteKind.LEFT_OUT`, how many were left out.

    Raises
    ------
    ValueError
        If there is no such kind, or the number is below 1.
    """

    __slots__ = ("kind", "n_things")
    kind: NoteKind
    n_things: int

    def __new__(cls, text: str, kind: NoteKind | str = NoteKind.GENERAL, n_things: int = 1) -> Self:
        """Make a note of a sentence."""
        if n_things < 1:
            raise ValueError(f"a note is about {n_things} things, and 1 or more were expected")
        note = super().__new__(cls, text)
        note.kind, note.n_things = NoteKind(kind), n_things
        return note

    def __getnewargs__(self) -> tuple[str, NoteKind, int]:  # type: ignore[override]
        """What a copy is made from."""
        return str(self), self.kind, self.n_things

    def replace(self, old: str, new: str, count: SupportsIndex = -1, /) -> "Note":
        """Return a note of the same kind with other words in its sentence."""
        return Note(super().replace(old, new, count), self.kind, self.n_things)

    def to_json(self) -> dict[str, str]:
        """Kind and text."""
        return {"kind": self.kind.value, "text": str(self)}


def as_note(text: str) -> Note:
    """A sentence as a note: as it is if it is one, else of no particular kind."""
    return text if isinstance(text, Note) else Note(text)


def prefixed(name: str, text: str) -> Note:
    """A note that says first which image or file it is about; its kind stays."""
    note = as_note(text)
    return Note(f"{name}: {note}", note.kind, note.n_things)


def without_prefix(name: str, text: str) -> str:
    """The words of a note without the name that `prefixed` put before them."""
    return text.removeprefix(f"{name}: ")


def left_out(what: str, n_things: int = 1) -> Note:
    """A note on what was found and is not in the study.

    Parameters
    ----------
    what
        Which it is, and why it was left out.
    n_things
        How many things that are.
    """
    return Note(f"left out: {what}", NoteKind.LEFT_OUT, n_things)


def n_left_out(notes: Iterable[str]) -> int:
    """How many things the notes say were left out."""
    return sum(note.n_things for note in map(as_note, notes) if note.kind is NoteKind.LEFT_OUT)
