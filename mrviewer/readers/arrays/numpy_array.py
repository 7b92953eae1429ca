"""Arrays of .npy, .npz, .mat, .h5 and .cfl files, whose axes their values have to bear out, or somebody has to name."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from mrviewer.array_files.npz_arrays import list_npz_arrays, npz_array
from mrviewer.array_files.stored_arrays import (
    NpyArray,
    hdf5_array,
    list_arrays,
    list_hdf5_arrays,
    mat_array,
    require_plausible,
)
from mrviewer.errors import FileFormatError, InputError
from mrviewer.notes import Note, NoteKind
from mrviewer.raw.arrays.array_guess import guess_layout
from mrviewer.raw.arrays.array_kspace import StoredArray
from mrviewer.raw.arrays.array_layout import ArrayLayout, Domain
from mrviewer.readers.arrays.array_contents import array_contents
from mrviewer.readers.arrays.array_names import ARRAY_ENDINGS, choose_array, times_among
from mrviewer.readers.arrays.array_pairs import ComplexPair, pair_parts, with_pairs
from mrviewer.readers.arrays.bart import bart_array
from mrviewer.readers.contents import FileContents

__all__ = ["FASTMRI_AXES", "ArrayFacts", "advice", "asks_for_axes", "describe_array", "read_array", "read_numpy"]

_HDF5_ENDINGS = (".h5", ".hdf5", ".mrd")
_BART_ENDINGS = (".cfl", ".hdr")
FASTMRI_AXES = (("slice", "y", "x"), ("slice", "coil", "y", "x"))
"""Axes of the array ``kspace`` in HDF5, by their number."""
_VOXEL_NOTE = Note("the file tells no voxel size: 1 mm is taken", NoteKind.VOXEL_SIZE)


@dataclass(frozen=True)
class ArrayFacts:
    """What a form needs to ask about an array.

    Parameters
    ----------
    name
        Of the array within the file; empty where the file holds one array without a name.
    shape, kind
        Sizes, and type of the values (``complex64``).
    guess
        What its axes seem to be.
    arrays
        Names and shapes of all arrays in the file.
    doubt
        Why the guess may be wrong, in a sentence that names the file; empty where the values bear it out.
    others
        What else it may be.
    """

    name: str
    shape: tuple[int, ...]
    kind: str
    guess: ArrayLayout
    arrays: tuple[tuple[str, tuple[int, ...]], ...]
    doubt: str = ""
    others: tuple[ArrayLayout, ...] = ()


@dataclass(frozen=True)
class _Chosen:
    """An array of a file.

    Parameters
    ----------
    stored, name
        The array; its name is empty where the file holds one without a name.
    arrays
        Names and shapes of all arrays in the file.
    expected
        Axes that the format gives to it.
    rivals
        Arrays that may be meant as well.
    doubt
        Why the file's own axes are not those of a scan.
    """

    stored: StoredArray
    name: str
    arrays: dict[str, tuple[int, ...]]
    expected: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()
    doubt: str = ""


def describe_array(path: str | Path, name: str = "") -> ArrayFacts:
    """Facts about an array of a file, and a proposal what its axes are.

    Parameters
    ----------
    path
        The file.
    name
        Which array; by default the likeliest by its name and size.

    Raises
    ------
    InputError
        If there is no such file or array.
    FileFormatError
        If it is damaged, or can be no image.
    """
    path = Path(path)
    return _facts(path, _chosen(path, name))


def _facts(path: Path, chosen: _Chosen) -> ArrayFacts:
    """Facts about an array that was chosen."""
    try:
        guess = guess_layout(chosen.stored, chosen.expected)
    except FileFormatError:
        raise
    except InputError as error:
        raise FileFormatError(f"{path.name} holds no image: {error}") from error
    doubt = chosen.doubt or guess.doubt
    named = replace(guess.layout, name=chosen.name)
    others = [replace(other, name=chosen.name) for other in guess.others]
    if chosen.rivals:
        doubt = f"its names do not tell whether {' or '.join((chosen.name, *chosen.rivals))} is meant"
        others = [replace(guess_layout(_chosen(path, rival).stored).layout, name=rival) for rival in chosen.rivals[:2]]
    sizes = " x ".join(map(str, chosen.stored.shape))
    return ArrayFacts(
        chosen.name,
        tuple(chosen.stored.shape),
        str(chosen.stored.dtype),
        named,
        tuple(chosen.arrays.items()),
        doubt and f"{path.name} holds an array of {sizes} values and {doubt}",
        tuple(others),
    )


def advice(path: Path, layout: ArrayLayout) -> str:
    """What to type to open an array as a layout has it."""
    return f"{layout.domain}={path.name}:{layout.text()}"


def read_array(path: Path, modality: str, layout: ArrayLayout) -> FileContents:
    """Open an array with the axes that somebody named.

    Raises
    ------
    FileFormatError
        If the file is damaged, or the axes do not fit it.
    """
    chosen = _chosen(path, layout.name)
    notes = _array_notes(chosen)
    if layout.voxel_size_mm == (1.0, 1.0, 1.0):
        notes = (*notes, Note("no voxel size was given: 1 mm is taken", NoteKind.VOXEL_SIZE))
    return array_contents(chosen.stored, layout, modality, notes)


def read_numpy(path: Path, modality: str) -> FileContents:
    """Open an array with the axes that it seems to have, and say which.

    Raises
    ------
    FileFormatError
        If it is damaged, or not an image, or if its values do not tell its axes.
    """
    chosen = _chosen(path, "")
    facts = _facts(path, chosen)
    if chosen.stored.dtype.kind == "b":
        raise FileFormatError(
            f"{path.name} holds flags, as sampling masks do, and no image; give it as --mask file:PATH"
        )
    if facts.doubt:
        ways = ", or as ".join(advice(path, layout) for layout in (facts.guess, *facts.others[:2]))
        raise FileFormatError(f"{facts.doubt}; name its axes, slowest first: open it as {ways}")
    notes = (*_array_notes(chosen), *_axes_notes(path, facts.guess, chosen.expected), _VOXEL_NOTE)
    return array_contents(chosen.stored, facts.guess, modality, notes)


def asks_for_axes(path: Path) -> bool:
    """Whether the user should be asked what the axes of a file's array are.

    Always, unless its format or a vector of times tells and its values do not contradict.

    Raises
    ------
    FileFormatError
        If the file is damaged.
    """
    ending = path.suffix.lower()
    if ending not in ARRAY_ENDINGS or (ending in _HDF5_ENDINGS and not _HDF5.names(path)):
        return False
    if ending in (*_HDF5_ENDINGS, *_BART_ENDINGS):
        return bool(describe_array(path).doubt)
    return ending != ".mat" or times_among(list_arrays(path)) is None


def _axes_notes(path: Path, layout: ArrayLayout, expected: tuple[str, ...]) -> tuple[Note, ...]:
    """Say how the axes are taken, unless they are those of the format."""
    if layout.axes == expected and layout.domain is Domain.KSPACE and not layout.corner:
        return ()
    why = "the values of the file speak against the usual axes" if expected else "the file does not tell its axes"
    return (
        Note(
            f"{why}: it is taken as {layout.describe()}; open it as {advice(path, layout)} with other axes if that is "
            "wrong",
            NoteKind.RAW_DATA,
        ),
    )


def _array_notes(chosen: _Chosen) -> tuple[Note, ...]:
    """Say which array of several it is."""
    others = [name for name in chosen.arrays if name != chosen.name]
    if not others:
        return ()
    more = f" and {len(others) - 3} more" if len(others) > 3 else ""
    return (
        Note(f"of the file the array {chosen.name} is open, beside {', '.join(others[:3])}{more}", NoteKind.RAW_DATA),
    )


def _chosen(path: Path, name: str) -> _Chosen:
    """An array of a file: the named one, else the likeliest."""
    ending = path.suffix.lower()
    if ending == ".npy":
        array = NpyArray(path)
        _require_no_name(path, name)
        return _Chosen(array, "", {"": tuple(array.shape)})
    if ending in _BART_ENDINGS:
        _require_no_name(path, name)
        found = bart_array(path)
        return _Chosen(found.stored, "", {"": found.stored.shape}, found.axes, doubt=found.doubt)
    container = _container(path)
    listed = container.names(path)
    arrays = with_pairs(listed, path.name)
    if not arrays:
        raise FileFormatError(f"{path.name} holds no array of numbers; save the samples as one")
    choice = choose_array(arrays)
    wanted = name or choice.name or max(arrays, key=lambda key: len(arrays[key]))
    if wanted not in {**arrays, **listed}:
        raise InputError(f"{path.name} holds no array {name!r}; it holds {', '.join(arrays)}")
    real, imaginary = (wanted, "") if wanted in listed else pair_parts(wanted)
    stored = container.array(path, real, listed[real])
    if imaginary:
        stored = _paired(path, stored, container.array(path, imaginary, listed[imaginary]), wanted)
    expected = _of_fastmri(len(stored.shape)) if container is _HDF5 and wanted == "kspace" else ()
    return _Chosen(stored, wanted, arrays, expected, () if name else choice.rivals)


def _paired(path: Path, real: StoredArray, imaginary: StoredArray, name: str) -> ComplexPair:
    """Two parts as one array; values that are complex already are no parts."""
    if "c" in (real.dtype.kind, imaginary.dtype.kind):
        first = name.partition("+")[0]
        raise FileFormatError(
            f"{path.name} holds {name.replace('+', ' and ')}, which are complex already; save the one that is meant, "
            f"or name it with its axes: kspace={path.name}:AXES,array={first}"
        )
    return ComplexPair(real, imaginary)


def _of_fastmri(n_axes: int) -> tuple[str, ...]:
    return next((axes for axes in FASTMRI_AXES if len(axes) == n_axes), ())


@dataclass(frozen=True)
class _Container:
    """How arrays of a kind of file are listed, by name with their shapes, and opened."""

    names: Callable[[Path], dict[str, tuple[int, ...]]]
    array: Callable[[Path, str, tuple[int, ...]], StoredArray]


def _mat_array(path: Path, name: str, shape: tuple[int, ...]) -> StoredArray:
    require_plausible(path, shape)
    return mat_array(path, name)


_HDF5 = _Container(list_hdf5_arrays, lambda path, name, _: hdf5_array(path, name))
_NPZ = _Container(list_npz_arrays, lambda path, name, _: npz_array(path, name))
_MATLAB = _Container(list_arrays, _mat_array)


def _container(path: Path) -> _Container:
    """Kind of a file that holds several arrays, by its name."""
    ending = path.suffix.lower()
    return _HDF5 if ending in _HDF5_ENDINGS else _NPZ if ending == ".npz" else _MATLAB


def _require_no_name(path: Path, name: str) -> None:
    if name:
        raise InputError(f"{path.name} holds one array without a name and {name!r} was asked for; leave it out")
