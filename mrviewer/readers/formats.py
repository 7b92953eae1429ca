"""Which formats open: one line each."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import import_module
from pathlib import Path

from mrviewer.array_files.recognising import BLOCK, told_by_content
from mrviewer.array_files.stored_bytes import StoredBytes
from mrviewer.errors import FileFormatError
from mrviewer.readers.contents import FileContents
from mrviewer.readers.nifti import read_nifti

__all__ = ["FORMATS", "Format", "format_of", "is_dicom_path", "is_listed"]


@dataclass(frozen=True)
class Format:
    """A format and what reads it.

    Parameters
    ----------
    name
        For a person.
    patterns
        File names in lower case, with wildcards.
    read
        Takes path and modality, reads what the header says and leaves the pixels where they are.
    companions
        Names that open too, but belong to a file that `patterns` finds.
    """

    name: str
    patterns: tuple[str, ...]
    read: Callable[[Path, str], FileContents]
    companions: tuple[str, ...] = ()


def _later(module: str, function: str) -> Callable[[Path, str], FileContents]:
    """Reader whose module is loaded at its first file: HDF5 and what computes coil maps take a while to load."""

    def read(path: Path, modality: str) -> FileContents:
        contents: FileContents = getattr(import_module(module), function)(path, modality)
        return contents

    return read


def _read_dicom(path: Path, modality: str) -> FileContents:
    # pydicom takes a third of a second to load, which only who opens DICOM shall wait for.
    from mrviewer.readers.dicom.dicom_study import read_dicom

    return read_dicom(path, modality)


_DICOM = Format("DICOM", (), _read_dicom, companions=("*.dcm", "*.ima", "*.dicom", "*.zip"))
"""Its files are found by what they hold, not by their names: see `is_dicom_path`."""

_read_array = _later("mrviewer.readers.arrays.numpy_array", "read_numpy")

_BART = Format("BART", ("*.cfl",), _read_array)

FORMATS = (
    Format("NIfTI", ("*.nii", "*.nii.gz", "*.img", "*.img.gz"), read_nifti, companions=("*.hdr", "*.hdr.gz")),
    Format("MATLAB", ("*.mat",), _later("mrviewer.readers.arrays.matlab", "read_matlab")),
    Format("k-space in HDF5", ("*.h5", "*.hdf5", "*.mrd"), _later("mrviewer.readers.hdf5", "read_hdf5")),
    _BART,
    Format(
        "raw data of Siemens",
        ("meas_*.dat",),
        _later("mrviewer.readers.scans.twix", "read_twix"),
        companions=("*.dat",),
    ),
    Format("NumPy", (), _read_array, companions=("*.npy", "*.npz")),
    _DICOM,
)

_OTHER_FORMATS = (
    (".mgh", "MGH (FreeSurfer)", "mri_convert"),
    (".mgz", "MGH (FreeSurfer)", "mri_convert"),
    (".mnc", "MINC", "mnc2nii"),
    (".head", "AFNI", "3dAFNItoNIFTI"),
    (".brik", "AFNI", "3dAFNItoNIFTI"),
    (".par", "PAR/REC (Philips)", "dcm2niix"),
    (".rec", "PAR/REC (Philips)", "dcm2niix"),
    (".nrrd", "NRRD", "3D Slicer"),
    (".nhdr", "NRRD", "3D Slicer"),
    (".mha", "MetaImage", "3D Slicer"),
    (".mhd", "MetaImage", "3D Slicer"),
)
"""Ends of names of what does not open, what it is, and what makes NIfTI of it."""

_RAW_DATA = (
    (("p*.7",), "a P-file of a GE scanner", "ISMRMRD with ge_to_ismrmrd, or k-space to .mat with GE's Orchestra"),
    (("scanarchive_*.h5",), "a ScanArchive of a GE scanner", "ISMRMRD with ge_to_ismrmrd, or to .mat with Orchestra"),
    (("*.lab", "*.raw", "*.sin"), "raw data of a Philips scanner", "ISMRMRD with philips_to_ismrmrd"),
    (("*.list", "*.data"), "raw data of a Philips scanner", "k-space in a .mat or .npy array, as with MRecon"),
    (("fid", "rawdata.job*", "2dseq"), "data of a Bruker scanner", "ISMRMRD with bruker_to_ismrmrd"),
)
"""Names of raw data that do not open, what they are called, and what to convert them to."""


def format_of(path: Path) -> Format:
    """Format of a file, by its name, else by what it holds; a folder can be DICOM alone.

    Raises
    ------
    FileFormatError
        If no format has such names.
    """
    if path.suffix.lower() == ".hdr" and path.with_suffix(".cfl").is_file():
        return _BART
    for file_format in FORMATS:
        if _fits(path, _names(file_format)) and not _is_scan_archive(path):
            return file_format
    if is_dicom_path(path):
        return _DICOM
    raise FileFormatError(_of_no_format(path))


def _is_scan_archive(path: Path) -> bool:
    """Whether it is raw data of GE, which is HDF5 and holds packets in a form of its own."""
    return _fits(path, ("scanarchive_*.h5",))


def _of_no_format(path: Path) -> str:
    known = ", ".join(file_format.name for file_format in FORMATS)
    for patterns, name, conversion in _RAW_DATA:
        if _fits(path, patterns):
            return (
                f"{path.name} is called like {name}, which does not open here; convert it to {conversion}, or open the "
                "images as DICOM"
            )
    for suffix, name, converter in _OTHER_FORMATS:
        if path.name.lower().removesuffix(".gz").endswith(suffix):
            return f"{path.name} is of the format {name} and one of {known} was expected; convert it with {converter}"
    if told := told_by_content(StoredBytes.of(path).head(BLOCK)):
        return f"{path.name} is {told}"
    return f"{path.name} is of no format that opens here, which are {known}; convert it to NIfTI"


def is_dicom_path(path: Path) -> bool:
    """Whether a file, a zip or a folder holds DICOM: by the name of a file, else by its first bytes."""
    if path.is_file() and _fits(path, [p for known in FORMATS if known is not _DICOM for p in _names(known)]):
        return False
    from mrviewer.readers.dicom import is_dicom

    return is_dicom(path)


def is_listed(path: Path) -> bool:
    """Whether a search through a folder takes this file for an image."""
    return not path.name.startswith(".") and any(_fits(path, known.patterns) for known in FORMATS)


def _names(known: Format) -> tuple[str, ...]:
    return (*known.patterns, *known.companions)


def _fits(path: Path, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(path.name.lower(), pattern) for pattern in patterns)
