"""From k-space to what a file gives a study: raw data, and the image where one is known."""

from collections.abc import Sequence
from dataclasses import dataclass

from mrviewer.errors import FileFormatError
from mrviewer.geometry import Geometry
from mrviewer.notes import Note, NoteKind
from mrviewer.raw.cartesian import CartesianRawData, KspaceSource
from mrviewer.raw.lost_samples import count_lost
from mrviewer.raw.magnitude import MagnitudeVolume
from mrviewer.raw.pattern import Sampling
from mrviewer.readers.contents import FileContents
from mrviewer.study import Image

__all__ = ["POSITION_NOTE", "SIDES_NOTE", "Position", "raw_contents", "require_sizes"]

POSITION_NOTE = Note(
    "the file does not tell how it lies in the scanner: which end is the head is unknown, and left and right may be "
    "swapped",
    NoteKind.POSITION,
)
SIDES_NOTE = Note(
    "slices are in order from the head to the feet, but how their rows and columns lie is unknown: left and right may "
    "be swapped",
    NoteKind.POSITION,
)
MOST_COILS = 1024
LARGEST_EDGE = 16384


@dataclass(frozen=True, eq=False)
class Position:
    """Where the image of raw data lies.

    Parameters
    ----------
    geometry
        Its grid; `None` if the file does not tell it.
    note
        What is unknown; `None` if nothing is.
    """

    geometry: Geometry | None = None
    note: Note | None = POSITION_NOTE


UNKNOWN_POSITION = Position()


def raw_contents(
    path_name: str,
    modality: str,
    source: KspaceSource,
    sampling: Sampling,
    voxel_size_mm: tuple[float, float, float],
    notes: Sequence[str] = (),
    slice_axis: int = 0,
    position: Position = UNKNOWN_POSITION,
) -> FileContents:
    """Raw data of one image, with the image itself if the scan is fully sampled.

    Parameters
    ----------
    path_name
        The file, for what is refused.
    modality
        Of the image.
    source, sampling
        Where k-space is, and what of it was acquired.
    voxel_size_mm : (z, y, x)
        Of the image.
    notes
        What else a person should know.
    slice_axis
        Axis of the volume along which slices are counted.
    position
        Where the volume lies.

    Raises
    ------
    FileFormatError
        If the sizes are none of a scan.
    """
    require_sizes(path_name, source.shape)
    lost = count_lost(source)
    if lost.n_lost == lost.n_samples:
        raise FileFormatError(f"{path_name} holds no k-space: {lost.sentence}; export it again")
    n_slices, _, height, width = source.shape
    sizes = [height, width]
    sizes.insert(slice_axis, n_slices)
    geometry = position.geometry or Geometry.axial((sizes[0], sizes[1], sizes[2]), voxel_size_mm, is_placed=False)
    raw = CartesianRawData(modality, geometry, source, sampling.acquired, slice_axis)
    images = () if sampling.acquired is not None else (Image(MagnitudeVolume(raw), geometry, modality),)
    said = [note for note in (position.note,) if note is not None]
    if lost.n_lost:
        said.append(Note(lost.sentence, NoteKind.VALUES))
    return FileContents(images, (raw,), (*notes, *sampling.notes, *said))


def require_sizes(path_name: str, shape: tuple[int, int, int, int]) -> None:
    """Refuse sizes ``(slice, coil, y, x)`` that no scan has, before memory is taken.

    Raises
    ------
    FileFormatError
        If one is 0, or beyond what a scanner makes.
    """
    n_slices, n_coils, height, width = shape
    if min(shape) < 1 or min(height, width) < 2:
        raise FileFormatError(
            f"{path_name} holds k-space of {shape} (slice, coil, y, x), which is no image; check the axes"
        )
    if n_coils > MOST_COILS or max(height, width, n_slices) > LARGEST_EDGE:
        raise FileFormatError(
            f"{path_name} announces k-space of {shape} (slice, coil, y, x), more than any scan has; check the axes"
        )
