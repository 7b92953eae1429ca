"""BART: ``.cfl`` with single-precision complex samples in column-major order, and its sizes in ``.hdr``.

Source: the format of Uecker M et al., BART toolbox for computational magnetic resonance imaging,
doi:10.5281/zenodo.592960.
"""

from pathlib import Path

from mrviewer.errors import FileFormatError
from mrviewer.raw.array_layout import ArrayLayout
from mrviewer.readers.array_contents import array_contents
from mrviewer.readers.contents import FileContents
from mrviewer.readers.stored_arrays import CflArray
from mrviewer.readers.stored_bytes import StoredBytes, require_own_values

__all__ = ["read_bart"]

_READ, _PHASE, _PARTITION, _COIL, _MAPS, _ECHO, _TIME, _SLICE = 0, 1, 2, 3, 4, 5, 10, 13
MOST_AXES = 32


def read_bart(path: Path, modality: str) -> FileContents:
    """Open ``.cfl`` with its ``.hdr``, or the other way round; samples stay in the file.

    Raises
    ------
    InputError
        If there is no such file.
    FileFormatError
        If one of the two is missing, their sizes differ, or the array is no Cartesian scan.
    """
    samples, header = path.with_suffix(".cfl"), path.with_suffix(".hdr")
    for wanted, other in ((samples, header), (header, samples)):
        if not wanted.is_file():
            raise FileFormatError(f"{other.name} has no {wanted.name} beside it, which belongs to it; copy both files")
    require_own_values(samples, (".cfl",))
    sizes = _sizes(header)
    needed = 8 * _product(sizes)
    if samples.stat().st_size != needed:
        raise FileFormatError(
            f"{samples.name} holds {samples.stat().st_size:,} bytes and {header.name} announces {needed:,}; "
            "copy both again"
        )
    kept = {axis: size for axis, size in enumerate(sizes) if size > 1 or axis in (_READ, _PHASE)}
    names = {_READ: "y", _PHASE: "x", _PARTITION: "z", _COIL: "coil", _ECHO: "frame", _TIME: "frame", _SLICE: "slice"}
    if sizes[_READ] == 1:
        raise FileFormatError(
            f"{samples.name} has one sample along its first axis, as radial scans have, and only Cartesian scans open; "
            "grid it first"
        )
    if unknown := [axis for axis in kept if axis not in names]:
        raise FileFormatError(
            f"{samples.name} has {sizes[unknown[0]]} entries along axis {unknown[0]} of BART, which no k-space of one "
            "scan has; cut one out"
        )
    if sum(names[axis] == "frame" for axis in kept) > 1:
        raise FileFormatError(f"{samples.name} has several echoes and several times; cut one out")
    axes = tuple(names[axis] for axis in reversed(kept))
    stored = CflArray(samples, tuple(reversed(kept.values())))
    return array_contents(stored, ArrayLayout(axes), modality)


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
