"""What a survey of a database tells: its subjects, their channels and labels, and what is odd."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mrviewer.database.mapping import DatabaseMapping

__all__ = ["Oddity", "Survey", "SurveyedSubject"]


@dataclass(frozen=True)
class Oddity:
    """Something that a person should know before training.

    Parameters
    ----------
    subject
        Whose; empty for the whole database.
    kind
        What it is, in one word of a fixed list (see ``docs/databases.md``).
    message
        One sentence.
    harmless
        Whether nothing need be done.
    """

    subject: str
    kind: str
    message: str
    harmless: bool = False


@dataclass(frozen=True, eq=False)
class SurveyedSubject:
    """One study of a database, known from its names and headers.

    Parameters
    ----------
    name, patient, channels, labels, frames, folder
        As in `mrviewer.database.found.FoundSubject`.
    shape : (z, y, x)
        Of the grid of the labels, or of the first channel.
    voxel_mm : (z, y, x)
        What the header says.
    oddities
        What is odd about this study.
    signature
        Of the files' names, sizes and checksums.
    """

    name: str
    patient: str
    channels: Mapping[str, Path]
    labels: Mapping[str, Path]
    shape: tuple[int, int, int]
    voxel_mm: tuple[float, float, float]
    oddities: tuple[Oddity, ...] = ()
    frames: Mapping[str, int] = field(default_factory=dict)
    folder: Path | None = None
    signature: str = ""


@dataclass(frozen=True, eq=False)
class Survey:
    """What is known of a database after seconds.

    Parameters
    ----------
    path
        Folder, ``dataset.json`` or table; for simulated patients what was asked for.
    layout
        ``bids``, ``decathlon``, ``nnunet``, ``table``, ``folders`` or ``simulated``.
    subjects
        All that can be opened, by name.
    oddities
        Of the whole database and of every subject.
    channels, labels
        Names of all source channels and label sources.
    values_by_label
        Values seen in each label source, each with its name if the database gives one, else empty text.
    skipped
        Subjects that were found and cannot be opened.
    sampled
        One sentence on which pixels were looked at.
    """

    path: Path
    layout: str
    subjects: tuple[SurveyedSubject, ...]
    oddities: tuple[Oddity, ...] = ()
    channels: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    values_by_label: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()
    sampled: str = ""

    @property
    def name(self) -> str:
        """Name of the database, without its place: of the folder, or of the table."""
        return self.path.parent.resolve().name if self.path.suffix.lower() == ".json" else self.path.name

    @property
    def patients(self) -> tuple[str, ...]:
        """Whose studies these are, each once."""
        return tuple(dict.fromkeys(subject.patient for subject in self.subjects))

    @property
    def label_values(self) -> dict[int, str]:
        """Values seen in any label source."""
        merged: dict[int, str] = {}
        for values in self.values_by_label.values():
            merged |= {value: name or merged.get(value, "") for value, name in values.items()}
        return dict(sorted(merged.items()))

    @property
    def fingerprint(self) -> str:
        """Of the content, as names, sizes and checksums tell it; the same wherever the database lies."""
        text = json.dumps(sorted((subject.name, subject.signature) for subject in self.subjects))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def serving(self, mapping: DatabaseMapping) -> dict[str, dict[str, Any]]:
        """Which files serve as what under a mapping, by subject: one for each modality, and one for the labels.

        Subjects that the mapping leaves out, and those of which it uses nothing, have none.
        """
        told: dict[str, dict[str, Any]] = {}
        for subject in self.subjects:
            channels = mapping.channels_of(subject.channels)
            label = subject.labels.get(mapping.label or "")
            is_used = bool(channels) and subject.name not in mapping.excluded
            told[subject.name] = {
                "channels": {of: self._relative(subject.channels[name]) for of, name in channels.items()}
                if is_used
                else {},
                "label": self._relative(label) if label is not None and is_used else None,
            }
        return told

    def to_json(self) -> dict[str, Any]:
        """Return all of it as JSON knows it; files are named relative to the database."""
        return {
            "name": self.name,
            "layout": self.layout,
            "fingerprint": self.fingerprint,
            "patients": len(self.patients),
            "channels": list(self.channels),
            "labels": list(self.labels),
            "label_values": {
                label: {str(value): name for value, name in values.items()}
                for label, values in self.values_by_label.items()
            },
            "subjects": [self._subject(subject) for subject in self.subjects],
            "skipped": list(self.skipped),
            "sampled": self.sampled,
            "oddities": [
                {"subject": odd.subject, "kind": odd.kind, "message": odd.message, "harmless": odd.harmless}
                for odd in self.oddities
            ],
        }

    def _subject(self, subject: SurveyedSubject) -> dict[str, Any]:
        return {
            "name": subject.name,
            "patient": subject.patient,
            "channels": {name: self._relative(path) for name, path in subject.channels.items()},
            "labels": {name: self._relative(path) for name, path in subject.labels.items()},
            "frames": dict(subject.frames),
            "shape": list(subject.shape),
            "voxel_mm": [round(size, 4) for size in subject.voxel_mm],
        }

    def _relative(self, path: Path) -> str:
        root = self.path if self.path.is_dir() else self.path.parent
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
