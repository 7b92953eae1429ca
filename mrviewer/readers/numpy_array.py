"""Arrays of .npy and .mat files, of which somebody has to say what their axes are."""

from dataclasses import dataclass, replace
from pathlib import Path

from mrviewer.errors import FileFormatError, InputError
from mrviewer.notes import Note, NoteKind
from mrviewer.raw.array_kspace import StoredArray
from mrviewer.raw.array_layout import ArrayLayout, guess_layout
from mrviewer.readers.array_contents import array_contents
from mrviewer.readers.contents import FileContents
from mrviewer.readers.stored_arrays import NpyArray, list_arrays, mat_array, require_plausible

__all__ = ["ArrayFacts", "describe_array", "read_array", "read_numpy"]


@dataclass(frozen=True)
class ArrayFacts:
    """What a form needs to ask about an array.

    Parameters
    ----------
    name
        Of the array within the file; empty in a .npy file.
    shape, kind
        Sizes, and type of the values (``complex64``).
    guess
        What its axes seem to be.
    arrays
        Names and shapes of all arrays in the file.
    """

    name: str
    shape: tuple[int, ...]
    kind: str
    guess: ArrayLayout
    arrays: tuple[tuple[str, tuple[int, ...]], ...]


def describe_array(path: str | Path, name: str = "") -> ArrayFacts:
    """Facts about an array of a .npy or .mat file, and a proposal what its axes are.

    Parameters
    ----------
    path
        The file.
    name
        Which array; by default the largest.

    Raises
    ------
    InputError
        If there is no such file or array.
    FileFormatError
        If it is damaged, or can be no image.
    """
    path = Path(path)
    stored, chosen, arrays = _stored(path, name)
    try:
        guess = guess_layout(stored.open())
    except FileFormatError:
        raise
    except InputError as error:
        raise FileFormatError(f"{path.name} holds no image: {error}") from error
    return ArrayFacts(
        chosen, tuple(stored.shape), str(stored.dtype), replace(guess, name=chosen), tuple(arrays.items())
    )


def read_array(path: Path, modality: str, layout: ArrayLayout) -> FileContents:
    """Open an array with the axes that a person named.

    Raises
    ------
    FileFormatError
        If the file is damaged, or the axes do not fit it.
    """
    stored, _, _ = _stored(path, layout.name)
    return array_contents(stored, layout, modality)


def read_numpy(path: Path, modality: str) -> FileContents:
    """Open an array with the axes that it seems to have, and say which.

    Raises
    ------
    FileFormatError
        If it is damaged, or no image.
    """
    facts = describe_array(path)
    stored, _, _ = _stored(path, facts.name)
    if stored.dtype.kind == "b":
        raise FileFormatError(
            f"{path.name} holds flags, as sampling masks do, and no image; give it as --mask file:PATH"
        )
    notes = (
        Note(
            f"the file does not tell its axes: it is taken as {facts.guess.describe()}; open it as "
            f"{facts.guess.domain}=FILE:{','.join(facts.guess.axes)} with other axes if that is wrong",
            NoteKind.ORDER,
        ),
        Note("the file tells no voxel size: 1 mm is taken", NoteKind.VOXEL_SIZE),
    )
    return array_contents(stored, facts.guess, modality, notes)


def _stored(path: Path, name: str) -> tuple[StoredArray, str, dict[str, tuple[int, ...]]]:
    """The array of a file, its name, and all arrays beside it."""
    if path.suffix.lower() != ".mat":
        array = NpyArray(path)
        if name:
            raise InputError(f"{path.name} holds one array without a name and {name!r} was asked for; leave it out")
        return array, "", {"": tuple(array.shape)}
    arrays = list_arrays(path)
    if not arrays:
        raise FileFormatError(f"{path.name} holds no array of numbers; save the samples as one")
    chosen = name or max(arrays, key=lambda key: _size(arrays[key]))
    if chosen not in arrays:
        raise InputError(f"{path.name} holds no array {chosen!r}; it holds {', '.join(arrays)}")
    require_plausible(path, arrays[chosen])
    return mat_array(path, chosen), chosen, arrays


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for edge in shape:
        size *= edge
    return size
