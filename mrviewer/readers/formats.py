"""Which formats open: one line each."""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from mrviewer.errors import FileFormatError
from mrviewer.readers.contents import FileContents
from mrviewer.readers.matlab import read_matlab
from mrviewer.readers.nifti import read_nifti

__all__ = ["FORMATS", "Format", "format_of", "is_listed"]


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


FORMATS = (
    Format("NIfTI", ("*.nii", "*.nii.gz", "*.img", "*.img.gz"), read_nifti, companions=("*.hdr", "*.hdr.gz")),
    Format("MATLAB", ("*.mat",), read_matlab),
)


def format_of(path: Path) -> Format:
    """Format of a file, by its name.

    Raises
    ------
    FileFormatError
        If no format has such names.
    """
    for file_format in FORMATS:
        if _fits(path, (*file_format.patterns, *file_format.companions)):
            return file_format
    known = "; ".join(f"{known.name}: {', '.join(known.patterns)}" for known in FORMATS)
    raise FileFormatError(f"{path.name} has a name of no format that opens here ({known}); convert it to NIfTI")


def is_listed(path: Path) -> bool:
    """Whether a search through a folder takes this file for an image."""
    return not path.name.startswith(".") and any(_fits(path, known.patterns) for known in FORMATS)


def _fits(path: Path, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(path.name.lower(), pattern) for pattern in patterns)
