"""A file or folder on its way to a study, with its format, which is decided once and carried along."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mrviewer.array_files.recognising import BLOCK, told_by_content
from mrviewer.array_files.stored_bytes import StoredBytes
from mrviewer.errors import FileFormatError, InputError
from mrviewer.names.image_names import label_rank
from mrviewer.readers.contents import FileContents
from mrviewer.readers.formats import DICOM, FORMATS, Format, fits, format_named, is_listed

__all__ = ["DEEPEST", "FoundFile"]

DEEPEST = 3
"""Levels below a folder on which its files are looked for."""

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


@dataclass(frozen=True)
class FoundFile:
    """A file or folder; each question about it is answered once, when it is first asked.

    Parameters
    ----------
    path
        Where it lies, if it is there at all.
    """

    path: Path

    @cached_property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.path.is_dir()

    @cached_property
    def format(self) -> Format | None:
        """Its format, by its name, else by what it holds; `None` for what does not open as an image."""
        return self._named or (DICOM if self.is_dicom else None)

    @cached_property
    def is_dicom(self) -> bool:
        """Whether it is a folder or a zip that holds DICOM, or a file of it that is not named like another format."""
        if self._named not in (None, DICOM):
            return False
        from mrviewer.readers.dicom import is_dicom  # pydicom takes a while to load

        return is_dicom(self.path)

    @cached_property
    def is_dicom_study(self) -> bool:
        """Whether it opens as DICOM; a folder that holds images of other formats is opened by their names instead."""
        return all(label_rank(file) is not None for file in self.listed) and self.is_dicom

    @cached_property
    def listed(self) -> tuple[Path, ...]:
        """Files of other formats in a folder, else up to three levels below it."""
        if self.is_folder:
            for depth in range(DEEPEST + 1):
                inside = self.path.glob("*/" * depth + "*")
                if files := tuple(sorted(path for path in inside if is_listed(path) and path.is_file())):
                    return files
        return ()

    @cached_property
    def _named(self) -> Format | None:
        return None if self.is_folder else format_named(self.path)

    def read(self, modality: str) -> FileContents:
        """Read what the header says, and leave the pixels where they are.

        Raises
        ------
        InputError
            If there is no such file, or it is a folder without DICOM.
        FileFormatError
            If it is of no format that opens here, damaged, or holds no image.
        """
        self.require_file()
        if self.format is None:
            raise FileFormatError(_of_no_format(self.path))
        return self.format.read(self.path, modality)

    def require_file(self) -> None:
        """Refuse what is not there, whatever its name, and folders that are not DICOM.

        Raises
        ------
        InputError
            If it is one of them.
        """
        if self.is_folder and not self.is_dicom:
            raise InputError(f"{self.path.name} is a folder and one image file was expected; open it as a study")
        if not self.path.exists():
            raise InputError(f"there is no file {self.path.name}; check the path")


def _of_no_format(path: Path) -> str:
    known = ", ".join(file_format.name for file_format in FORMATS)
    for patterns, name, conversion in _RAW_DATA:
        if fits(path, patterns):
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
