"""A dynamic series of exactly four volumes is a four-phase study."""

from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mrviewer.images.dynamic import PHASES, SERIES
from mrviewer.notes import Note, NoteKind
from mrviewer.progress import Progress
from mrviewer.readers.contents import FileContents, series_note
from mrviewer.readers.loading import load_pixels
from mrviewer.study import FrameAxis, LazyArray

__all__ = ["FrameArray", "split_into_phases"]


@dataclass(frozen=True, eq=False)
class FrameArray:
    """One volume ``(z, y, x)`` of a series ``(frame, z, y, x)``, read when it is looked at."""

    series: LazyArray
    frame: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Size of every axis."""
        return self.series.shape[1:]

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Type of one element."""
        return self.series.dtype

    def load(self) -> Generator[Progress, None, None]:
        """Read the whole series, slice by slice where its file can be read so."""
        yield from load_pixels(self.series)

    def __array__(self, dtype: np.dtype[np.generic] | None = None, copy: bool | None = None) -> NDArray[np.generic]:
        """Return the volume in memory."""
        return np.array(np.asarray(self.series)[self.frame], dtype=dtype, copy=copy)


def split_into_phases(contents: FileContents) -> FileContents:
    """Turn a file that holds one ``DCE`` series of four volumes into four images; others stay as they are.

    Volumes of which the file says that they differ in something else than time are not phases.
    """
    if len(contents.images) != 1:
        return contents
    [series] = contents.images
    if series.modality != SERIES or series.n_frames != len(PHASES):
        return contents
    if series.frame_axis not in (None, FrameAxis.TIME):
        said = f"the four volumes of the series do not differ in time and are not taken as {', '.join(PHASES)}"
        return replace(contents, notes=(*contents.notes, Note(said, NoteKind.FRAMES)))
    images = tuple(
        replace(series, data=FrameArray(series.data, frame), modality=name, frame_axis=None, frame_names=())
        for frame, name in enumerate(PHASES)
    )
    kept = tuple(
        note for note in contents.notes if note != series_note(len(PHASES), series.frame_axis, series.frame_names)
    )
    said = Note(f"the four volumes of the series are taken as {', '.join(PHASES)}", NoteKind.FRAMES)
    return replace(contents, images=images, notes=(*kept, said))
