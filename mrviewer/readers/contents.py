"""What one file holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mrviewer.notes import Note, NoteKind
from mrviewer.study import FrameAxis, Image, RawData

__all__ = ["FileContents", "series_note"]


@dataclass(frozen=True, eq=False)
class FileContents:
    """Images and raw data of one file, pixels unread.

    Parameters
    ----------
    images, raw
        What a study can take over.
    notes
        What a person should know of this file, as sentences without its name.
    path
        The file that raw data come from.
    """

    images: tuple[Image, ...] = ()
    raw: tuple[RawData, ...] = ()
    notes: tuple[str, ...] = ()
    path: Path | None = None


def series_note(n_frames: int, axis: FrameAxis | None = None, names: Sequence[str] = ()) -> Note:
    """What the user should know of a series of several volumes: what tells them apart, if the file says so."""
    said = f"the file is a series of {n_frames} volumes"
    if axis is FrameAxis.UNKNOWN:
        said += ", and nothing says that they differ in time"
    elif axis is not None:
        listed = names if len(names) < 3 else (names[0], "...", names[-1])
        said += f" that differ in {axis} ({'; '.join(listed)})"
    return Note(f"{said}; methods see one, the first unless another is chosen", NoteKind.FRAMES)
