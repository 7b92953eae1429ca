"""Labels of a file on the grid of images, with all that the file says of them."""

from mrviewer.errors import FileFormatError
from mrviewer.geometry import Geometry
from mrviewer.images.labels import labels_on_grid
from mrviewer.notes import Note, NoteKind, prefixed
from mrviewer.readers.contents import FileContents
from mrviewer.study import Image

__all__ = ["labels_of"]


def labels_of(
    contents: FileContents, name: str, grid: Geometry, image: Image | None = None, *, voxel_for_voxel: bool = False
) -> tuple[Image, tuple[Note, ...]]:
    """The only label volume of a file on a grid, and every note: those of the file, and what was done to the labels.

    Parameters
    ----------
    contents
        What the file holds.
    name
        Of the file.
    grid
        Of the images.
    image
        One of the images; labels in another frame of reference are noted.
    voxel_for_voxel
        See `mrviewer.images.labels.labels_on_grid`.

    Raises
    ------
    FileFormatError
        If the file does not hold one volume of labels.
    ShapeError
        If the labels and the images lie nowhere together, or nobody knows how.
    """
    if len(contents.images) != 1:
        raise FileFormatError(f"{name} holds {len(contents.images)} images; give one label volume")
    [labels] = contents.images
    laid, note = labels_on_grid(labels, grid, voxel_for_voxel=voxel_for_voxel)
    notes = [prefixed("labels", said) for said in contents.notes]
    if note:
        notes.append(note)
    if image is not None and not labels.shares_reference(image):
        said = f"{name} was drawn in another frame of reference than {image.modality}; the two may not lie together"
        notes.append(Note(said, NoteKind.POSITION))
    return laid, tuple(notes)
