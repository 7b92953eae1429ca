"""Small DICOM series for tests: oblique, with something that identifies the person in every attribute."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.datadict import DicomDictionary, keyword_for_tag
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

__all__ = ["PLANTED_DATE", "PLANTED_NAME", "PLANTED_WORDS", "DicomSeries", "make_series"]

PLANTED_NAME = "Zyxwv^Quentin"
PLANTED_WORDS = ("Zyxwv", "ZYXWV", "Quentin", "QUENTIN")
PLANTED_DATE = "19470319"
_PLANTED = {
    "PN": PLANTED_NAME, "LO": "Zyxwv 123", "SH": "ZYXWV", "ST": "Zyxwv", "LT": "Quentin", "UT": "Zyxwv", "UC": "Zyxwv",
    "CS": "ZYXWV", "AE": "ZYXWV", "DA": PLANTED_DATE, "DT": f"{PLANTED_DATE}1200", "TM": "030719",
}  # fmt: skip
ORIENTATION = (0.991332, 0.114987, -0.063548, -0.118794, 0.991118, -0.059771)


@dataclass(frozen=True)
class DicomSeries:
    """Files of a series, in the order of their slices.

    Parameters
    ----------
    folder, files
        Where they lie.
    shape : (slice, row, column)
    """

    folder: Path
    files: tuple[Path, ...]
    shape: tuple[int, int, int]


def make_series(
    folder: Path, shape: tuple[int, int, int] = (5, 8, 10), *, plant: bool = False, number: int = 3, study: str = ""
) -> DicomSeries:
    """Write an oblique MR series whose file names say nothing of the order, as scanners do."""
    folder.mkdir(parents=True, exist_ok=True)
    uids = {
        "StudyInstanceUID": study or str(generate_uid()),
        "SeriesInstanceUID": str(generate_uid()),
        "FrameOfReferenceUID": f"{study}.1" if study else str(generate_uid()),
    }
    row, column = np.asarray(ORIENTATION[:3]), np.asarray(ORIENTATION[3:])
    files = []
    for index in range(shape[0]):
        position = np.array([-88.7585, -175.815, 78.9545]) + index * 6.5 * np.cross(row, column)
        header = _planted() if plant else Dataset()
        _describe(header, uids, position, shape[1:], number, index)
        values = (np.arange(shape[1] * shape[2]) + 100 * index).astype("<u2").reshape(shape[1:])
        header.PixelData = values.tobytes()
        path = folder / (f"ZYXWV_{(7 * index) % 11:02d}.dcm" if plant else f"{(7 * index) % 11:02d}.dcm")
        header.save_as(path, enforce_file_format=True)
        files.append(path)
    return DicomSeries(folder, tuple(files), shape)


def _describe(
    header: Dataset, uids: dict[str, str], position: NDArray[np.float64], size: tuple[int, int], number: int, index: int
) -> None:
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.SpecificCharacterSet = "ISO_IR 100"
    header.SOPClassUID, header.SOPInstanceUID = MRImageStorage, generate_uid()
    header.Modality, header.ImageType = "MR", ["ORIGINAL", "PRIMARY", "OTHER"]
    for name, uid in uids.items():
        setattr(header, name, uid)
    header.SeriesNumber, header.InstanceNumber = number, index + 1
    header.ImagePositionPatient = [f"{value:.6g}" for value in position]
    header.ImageOrientationPatient = list(ORIENTATION)
    header.PixelSpacing, header.SliceThickness = [0.8594, 0.4297], 5
    header.RepetitionTime, header.EchoTime, header.ScanningSequence = 700, 10, "SE"
    header.Rows, header.Columns = size
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated, header.BitsStored, header.HighBit, header.PixelRepresentation = 16, 16, 15, 0
    if "PatientName" not in header:
        header.PatientName, header.PatientID = "Nobody^", "1"


def _planted() -> Dataset:
    """A header with a name, a word or a date in every attribute that can hold one, and in private ones."""
    header = Dataset()
    for number, (vr, _, _, retired, _) in DicomDictionary.items():
        tag = Tag(number)
        if vr in _PLANTED and not retired and tag.group in (0x0008, 0x0010, 0x0018, 0x0020, 0x0032, 0x0038, 0x0040):
            setattr(header, keyword_for_tag(tag), _PLANTED[vr])
    inner = Dataset()
    inner.PatientName = PLANTED_NAME
    header.OtherPatientIDsSequence = [inner]
    header.RequestAttributesSequence = [inner]
    block = header.private_block(0x0029, "Zyxwv Private", create=True)
    block.add_new(1, "LO", PLANTED_NAME)
    block.add_new(2, "OB", PLANTED_NAME.encode())
    return header
