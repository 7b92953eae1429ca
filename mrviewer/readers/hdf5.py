"""HDF5 files of k-space: which of the layouts one has, and its reader."""

from pathlib import Path

from mrviewer.errors import FileFormatError
from mrviewer.readers.contents import FileContents
from mrviewer.readers.fastmri import KSPACE, read_fastmri
from mrviewer.readers.hdf5_file import opened
from mrviewer.readers.ismrmrd import group_of_readouts, read_ismrmrd

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
    if is_fastmri:
        return read_fastmri(path, modality)
    if group is not None:
        return read_ismrmrd(path, modality, group)
    raise FileFormatError(
        f"{path.name} is an HDF5 file without k-space: it holds {found}, and the dataset kspace (fastMRI) or the "
        "readouts of ISMRMRD were expected; open images as NIfTI"
    )
