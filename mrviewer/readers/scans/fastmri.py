"""fastMRI HDF5: ``kspace`` (slice, coil, y, x) or (slice, y, x), with the header of ISMRMRD.

Source: Zbontar J et al. (2018), fastMRI: an open dataset and benchmarks for accelerated MRI, arXiv:1811.08839.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from mrviewer.array_files.hdf5_file import as_complex, is_complex, opened, require_stored
from mrviewer.errors import FileFormatError
from mrviewer.names.image_names import guess_modality
from mrviewer.notes import Note, NoteKind
from mrviewer.raw.pattern import acquired_pattern, interpret
from mrviewer.raw.readouts.ismrmrd_header import Encoding, parse_header
from mrviewer.raw.readouts.oversampling import crop_field_of_view, kept_samples
from mrviewer.readers.contents import FileContents
from mrviewer.readers.scans.raw_contents import raw_contents, require_sizes
from mrviewer.system.memory import require_memory

__all__ = ["KSPACE", "FastmriKspace", "read_fastmri"]

KSPACE = "kspace"
_HEADER = "ismrmrd_header"
_MASKS = ("mask", "mask2d")
_IMAGES = ("reconstruction_rss", "reconstruction_esc")
_PLANES = re.compile("^(?:AX|COR|SAG|TRA)_?", re.IGNORECASE)


@dataclass(frozen=True)
class FastmriKspace:
    """K-space in a file; see `mrviewer.raw.KspaceSource`.

    Parameters
    ----------
    path
        The file.
    stored
        Sizes ``(slice, coil, y, x)`` as stored; a file of one coil has no coil axis.
    readout
        Axis of the readout, -2 or -1.
    n_kept
        Samples of the readout that are left when its oversampling is removed.
    """

    path: Path
    stored: tuple[int, int, int, int]
    readout: int
    n_kept: int

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Sizes ``(slice, coil, y, x)`` without oversampling."""
        sizes = list(self.stored)
        sizes[self.readout] = self.n_kept
        return sizes[0], sizes[1], sizes[2], sizes[3]

    def read(self, index: int) -> NDArray[np.complex64]:
        """K-space ``(coil, y, x)`` of one slice."""
        with opened(self.path) as file:
            _require_room_for_slice(file, self.path)
            values = file[KSPACE][index]
        samples = as_complex(values).reshape(self.stored[1:])
        return crop_field_of_view(samples, self.readout, self.n_kept).astype(np.complex64, copy=False)

    def calibration(self, index: int) -> None:
        """The layout knows no calibration scan."""
        del index


def read_fastmri(path: Path, modality: str) -> FileContents:
    """Open a file; one slice is read, to see what of it was acquired.

    Raises
    ------
    FileFormatError
        If ``kspace`` is not complex, has other axes, or the file is damaged.
    """
    with opened(path) as file:
        stored = _stored_shape(file, path)
        encoding = _encoding(file, path.name)
        _require_room_for_slice(file, path)
        masks = [np.asarray(file[name][()]) for name in _MASKS if name in file and file[name].size <= 1 << 28]
        middle = as_complex(file[KSPACE][stored[0] // 2]).reshape(stored[1:])
        image = next((file[name].shape for name in _IMAGES if name in file and file[name].ndim == 3), None)
        acquisition = file.attrs.get("acquisition", "")
    pattern = _pattern(middle, masks)
    readout, n_kept = _readout(stored, encoding, image)
    if n_kept < stored[readout] and not (pattern == pattern.take([stored[readout] // 2], readout)).all():
        n_kept = stored[readout]
    source = FastmriKspace(path, stored, readout, n_kept)
    notes = [] if encoding else [Note("the file tells no voxel size: 1 mm is taken", NoteKind.VOXEL_SIZE)]
    if n_kept < stored[readout]:
        said = f"readout oversampling was removed: {stored[readout]} samples became {n_kept}"
        notes.append(Note(said, NoteKind.RAW_DATA))
        pattern = pattern.take(range(n_kept), readout)
    kind = modality if modality != "unknown" else _modality_of(str(acquisition))
    voxels = _voxel_size(stored, readout, encoding) if encoding else (1.0, 1.0, 1.0)
    return raw_contents(path.name, kind, source, interpret(pattern), voxels, notes)


def _require_room_for_slice(file: h5py.File, path: Path) -> None:
    dataset = file[KSPACE]
    size = dataset.size // max(dataset.shape[0], 1) * dataset.dtype.itemsize
    require_memory(size, f"a slice of {path.name}", "save fewer coils")


def _stored_shape(file: h5py.File, path: Path) -> tuple[int, int, int, int]:
    dataset = file[KSPACE]
    if not isinstance(dataset, h5py.Dataset) or dataset.ndim not in (3, 4):
        shape = dataset.shape if isinstance(dataset, h5py.Dataset) else "a group"
        raise FileFormatError(
            f"{path.name} holds kspace {shape} and (slice, coil, y, x) was expected; open it as an array of named axes"
        )
    if not is_complex(dataset.dtype):
        raise FileFormatError(
            f"kspace in {path.name} is real-valued ({dataset.dtype}) and complex samples were expected; "
            "save real and imaginary part"
        )
    sizes = dataset.shape
    shape = (sizes[0], sizes[1] if len(sizes) == 4 else 1, sizes[-2], sizes[-1])
    require_sizes(path.name, shape)
    require_stored(dataset, path)
    return shape


def _encoding(file: h5py.File, name: str) -> Encoding | None:
    if _HEADER not in file:
        return None
    text = file[_HEADER][()]
    return parse_header(text if isinstance(text, bytes) else str(text).encode(), name).encodings[0]


def _pattern(kspace: NDArray[np.complex64], masks: list[NDArray[np.generic]]) -> NDArray[np.bool_]:
    """Acquired samples ``(y, x)``: those of a stored mask, unless there is signal outside of it."""
    found = acquired_pattern(kspace)
    for mask in masks:
        flags = np.squeeze(mask != 0)
        if flags.ndim in (1, 2) and flags.shape in (found.shape, found.shape[1:]) and not (found & ~flags).any():
            return np.broadcast_to(flags, found.shape)
    return found


def _readout(
    stored: tuple[int, int, int, int], encoding: Encoding | None, image: tuple[int, ...] | None
) -> tuple[int, int]:
    """Axis of the readout, and its samples without oversampling.

    Where sizes do not tell the axis it is y, as in fastMRI. A stored image half as wide as k-space, along the readout
    alone, tells what a header that gives no other field of view leaves out.
    """
    if encoding is None:
        return -2, stored[-2]
    n_samples = encoding.encoded.matrix[0]
    axis = -1 if stored[-1] == n_samples != stored[-2] else -2
    if stored[axis] != n_samples:
        return axis, stored[axis]
    n_kept = kept_samples(n_samples, encoding.encoded.field_of_view_mm[0], encoding.image.field_of_view_mm[0])
    other = -3 - axis
    if image is not None and 2 * image[axis] == n_samples and image[other] == stored[other]:
        n_kept = image[axis]
    return axis, n_kept


def _voxel_size(stored: tuple[int, int, int, int], readout: int, encoding: Encoding) -> tuple[float, float, float]:
    z, phase, read = encoding.voxel_size_mm
    return (z, phase, read) if readout == -1 else (z, read, phase)


def _modality_of(acquisition: str) -> str:
    """Modality from the name of the acquisition: ``AXT1POST`` is T1Gd."""
    word = _PLANES.sub("", acquisition).partition("_")[0]
    return "PD" if word.upper().startswith("PD") else guess_modality(word)
