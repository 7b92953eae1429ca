"""Which formats open: one line each."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import import_module
from pathlib import Path

from mrviewer.readers.contents import FileContents
from mrviewer.readers.nifti import read_nifti

__all__ = ["DICOM", "FORMATS", "Format", "fits", "format_named", "is_listed"]


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


DICOM = Format("DICOM", (), _read_dicom, companions=("*.dcm", "*.ima", "*.dicom", "*.zip"))
"""Its files are found by what they hold, not by their names: see `mrviewer.readers.found_file.FoundFile`."""

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
    DICOM,
)


def format_named(path: Path) -> Format | None:
    """Format that the name of a file tells; `None` where it tells none."""
    if path.suffix.lower() == ".hdr" and path.with_suffix(".cfl").is_file():
        return _BART
    # A ScanArchive of GE is HDF5 and holds packets in a form of its own.
    if fits(path, ("scanarchive_*.h5",)):
        return None
    return next((known for known in FORMATS if fits(path, (*known.patterns, *known.companions))), None)


def is_listed(path: Path) -> bool:
    """Whether a search through a folder takes this file for an image."""
    return not path.name.startswith(".") and any(fits(path, known.patterns) for known in FORMATS)


def fits(path: Path, patterns: Iterable[str]) -> bool:
    """Whether the name of a file is one of several patterns in lower case."""
    return any(fnmatchcase(path.name.lower(), pattern) for pattern in patterns)
