"""What a search for subjects gives, before any file is opened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mrviewer.database.survey import Oddity

__all__ = ["FoundDatabase", "FoundSubject"]


@dataclass(frozen=True)
class FoundSubject:
    """Files of one study, by their names.

    Parameters
    ----------
    name, patient
        Of the study, and whose it is.
    channels, labels
        Files by source channel and by label source.
    frames
        Volume of the file that is the channel, for channels that share one 4-D file.
    folder
        Folder that holds this study and no other; `None` if there is none.
    """

    name: str
    patient: str
    channels: Mapping[str, Path]
    labels: Mapping[str, Path] = field(default_factory=dict)
    frames: Mapping[str, int] = field(default_factory=dict)
    folder: Path | None = None


@dataclass(frozen=True)
class FoundDatabase:
    """Subjects of one database, by the names of files.

    Parameters
    ----------
    path, layout
        See `mrviewer.database.survey.Survey`.
    subjects
        In the order of their names.
    oddities
        What was noticed on the way.
    label_names
        Names that the database gives to values of its labels.
    """

    path: Path
    layout: str
    subjects: tuple[FoundSubject, ...]
    oddities: tuple[Oddity, ...] = ()
    label_names: Mapping[int, str] = field(default_factory=dict)
