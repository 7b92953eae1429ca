"""HDF5 files of k-space: which of the layouts one has, and its reader."""

from collections.abc import Mapping
from pathlib import Path

import h5py

from mrviewer.array_files.hdf5_file import is_complex, opened
from mrviewer.array_files.stored_arrays import hdf5_array, list_hdf5_arrays
from mrviewer.errors import FileFormatError
from mrviewer.raw.arrays.array_layout import Domain, can_be_image
from mrviewer.readers.arrays.array_names import choose_array
from mrviewer.readers.arrays.array_pairs import with_pairs
from mrviewer.readers.arrays.numpy_array import FASTMRI_AXES, advice, describe_array, read_numpy
from mrviewer.readers.contents import FileContents
from mrviewer.readers.scans.fastmri import KSPACE, read_fastmri
from mrviewer.readers.scans.ismrmrd import group_of_readouts, read_ismrmrd

__all__ = ["read_hdf5"]


def read_hdf5(path: Path, modality: str) -> FileContents:
    """Open a fastMRI or an ISMRMRD file; k-space stays in it until a slice is looked at.

    Raises
    ------
    InputError
        If there is no such file.
    FileFormatError
        If it is damaged or has neither layout.
    """
    with opened(path) as file:
        is_fastmri = KSPACE in file
        group = None if is_fastmri else group_of_readouts(file)
        found = ", ".join(sorted(file)[:5]) or "nothing"
    arrays = list_hdf5_arrays(path)
    if any(name not in arrays for name in with_pairs(arrays, path.name)):
        return read_numpy(path, modality)
    if is_fastmri:
        return (read_fastmri if _is_usual(path) else read_numpy)(path, modality)
    if group is not None:
        return read_ismrmrd(path, modality, group)
    if any(hdf5_array(path, name).dtype.kind == "c" for name in arrays):
        return read_numpy(path, modality)
    raise FileFormatError(
        f"{path.name} is an HDF5 file without k-space: it holds {found}, and the dataset kspace (fastMRI) or the "
        f"readouts of ISMRMRD were expected; {_what_opens(path, arrays)}"
    )


def _is_usual(path: Path) -> bool:
    """Whether ``kspace`` has the axes of fastMRI, or is none that could be opened with others."""
    with opened(path) as file:
        item = file[KSPACE]
        if not isinstance(item, h5py.Dataset) or not is_complex(item.dtype) or not can_be_image(item.shape):
            return True
        link = file.get(KSPACE, getlink=True)
    # Arrays are listed by the names of their own, and not by those of links to them.
    facts = describe_array(path, link.path.strip("/") if isinstance(link, h5py.SoftLink) else KSPACE)
    layout = facts.guess
    return not facts.doubt and layout.domain is Domain.KSPACE and layout.axes in FASTMRI_AXES and not layout.corner


def _what_opens(path: Path, arrays: Mapping[str, tuple[int, ...]]) -> str:
    """What to do with a file of images."""
    name = choose_array(arrays).name
    if not name or "," in name:
        return "give a NIfTI or DICOM file of the images"
    return f"open its array {name} as {advice(path, describe_array(path, name).guess)}"
