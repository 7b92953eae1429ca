"""BART: ``.cfl`` with single-precision complex samples in column-major order, and its sizes in ``.hdr``.

Source: the format of Uecker M et al., BART toolbox for computational magnetic resonance imaging,
doi:10.5281/zenodo.592960.
"""

from dataclasses import dataclass
from pathlib import Path

from mrviewer.array_files.stored_arrays import CflArray
from mrviewer.array_files.stored_bytes import StoredBytes, require_own_values
from mrviewer.errors import FileFormatError

__all__ = ["BartArray", "bart_array"]

_MOST_BYTES = 10**18
_READ, _PHASE, _PARTITION, _COIL, _MAPS, _ECHO, _TIME, _SLICE = 0, 1, 2, 3, 4, 5, 10, 13
_NAMES = {_READ: "y", _PHASE: "x", _PARTITION: "z", _COIL: "coil", _ECHO: "frame", _TIME: "frame", _SLICE: "slice"}
MOST_AXES = 32


@dataclass(frozen=True)
class BartArray:
    """Samples in a file of BART.

    Parameters
    ----------
    stored
        The array, slowest axis first; axes of one entry are left out, but for two of the picture.
    axes
        What its axes are by their places; empty if they are not those of one scan.
    doubt
        Why they are not.
    """

    stored: CflArray
    axes: tuple[str, ...] = ()
    doubt: str = ""


def bart_array(path: Path) -> BartArray:
    """The array of ``.cfl`` with its ``.hdr``.

    Where the first axis has one entry, as after a transform along the readout, the next two make the picture.

    Raises
    ------
    InputError
        If there is no such file.
    FileFormatError
        If one of the two is missing, their sizes differ, or the header is damaged.
    """
    samples, header = path.with_suffix(".cfl"), path.with_suffix(".hdr")
    for wanted, other in ((samples, header), (header, samples)):
        if not wanted.is_file():
            raise FileFormatError(f"{other.name} has no {wanted.name} beside it, which belongs to it; copy both files")
    require_own_values(samples, (".cfl",))
    sizes = _sizes(header)
    needed = 8 * _product(sizes)
    if samples.stat().st_size != needed:
        announced = f"{needed:,}" if needed < _MOST_BYTES else "more than any disk holds"
        raise FileFormatError(
            f"{samples.name} holds {samples.stat().st_size:,} bytes and {header.name} announces {announced}; "
            "copy both again"
        )
    shown = (_READ, _PHASE) if sizes[_READ] > 1 or sizes[_PARTITION] == 1 else (_PHASE, _PARTITION)
    kept = {axis: size for axis, size in enumerate(sizes) if size > 1 or axis in shown}
    names = _NAMES | dict(zip(shown, ("y", "x"), strict=True))
    stored = CflArray(samples, tuple(reversed(kept.values())))
    axes = tuple(names.get(axis, "") for axis in reversed(kept))
    if "" in axes or len(set(axes)) < len(axes) or {"slice", "z"} <= set(axes):
        return BartArray(stored, doubt=_doubt(kept, axes))
    return BartArray(stored, axes)


def _doubt(kept: dict[int, int], axes: tuple[str, ...]) -> str:
    """Why the axes of an array are not those of one scan."""
    unknown = next((axis for axis in kept if axis not in _NAMES and axis > _PARTITION), None)
    if unknown is not None:
        return f"{kept[unknown]} entries along axis {unknown} of BART, which no k-space of one scan has"
    twice = next((name for name in axes if axes.count(name) > 1), "slice")
    return f"several axes of BART that count a {twice}"


def _sizes(header: Path) -> list[int]:
    lines = StoredBytes.of(header).head(4096).decode("latin-1").splitlines()
    try:
        place = next(number for number, line in enumerate(lines) if line.strip() == "# Dimensions")
        sizes = [int(word) for word in lines[place + 1].split()]
    except (StopIteration, IndexError, ValueError):
        sizes = []
    if not 2 <= len(sizes) <= MOST_AXES or min(sizes) < 1:
        raise FileFormatError(
            f"{header.name} gives no sizes under '# Dimensions' as headers of BART do; write it again"
        )
    return sizes + [1] * (_SLICE + 1 - len(sizes))


def _product(sizes: list[int]) -> int:
    product = 1
    for size in sizes:
        product *= size
    return product
