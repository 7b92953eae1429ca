"""Keeping the name and the number of a patient out of what this program shows, writes and remembers."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

from mrviewer.readers.dicom.files.header import Header
from mrviewer.readers.dicom.files.tags import Tag

__all__ = ["Identity", "patient_key"]

_PERSONAL = (Tag.PATIENT_NAME, Tag.PATIENT_ID, Tag.OTHER_PATIENT_IDS, Tag.ACCESSION_NUMBER)
SHORTEST, LONG = 3, 5
"""Letters from which on a part of a name is looked for as a word, and within words; shorter ones occur everywhere."""


def patient_key(header: Header) -> str:
    """What tells one patient from another: the number, else the name; empty where there is neither. Never shown."""
    return header.text(Tag.PATIENT_ID) or header.text(Tag.PATIENT_NAME).strip("^= ").lower()


@dataclass(frozen=True)
class Identity:
    """Words that tell who a patient is, in lower case; they are compared, and never shown."""

    words: frozenset[str] = frozenset()

    @classmethod
    def of(cls, header: Header) -> "Identity":
        """Words of the names and numbers in one header."""
        texts = [header.data(tag).decode("utf-8", "ignore") for tag in _PERSONAL]
        texts += [header.text(tag) for tag in _PERSONAL]
        parts = (part for text in texts for part in re.split(r"[\^\\=\s,;_/-]+", text.strip(" \0").lower()))
        return cls(frozenset(part for part in parts if len(part) >= SHORTEST))

    def __or__(self, other: "Identity") -> "Identity":
        return Identity(self.words | other.words)

    def is_told_by(self, text: str) -> bool:
        """Whether a text holds a word of the identity: a long one anywhere, a short one as a word."""
        lower = text.lower()
        parts = set(re.split(r"[\W_]+", lower))
        return any(word in parts or (len(word) >= LONG and word in lower) for word in self.words)

    def without(self, text: str, instead: str = "") -> str:
        """Return the text, or `instead` of it if it tells who the patient is."""
        return instead if self.is_told_by(text) else text

    def kept_out(self, notes: Iterable[str], names: Iterable[str]) -> tuple[str, ...]:
        """Sentences in which those names of files are not told that tell who the patient is."""
        told = sorted((name for name in set(names) if self.is_told_by(name)), key=len, reverse=True)
        return tuple(reduce(lambda note, name: note.replace(name, "a file"), told, note) for note in notes)
