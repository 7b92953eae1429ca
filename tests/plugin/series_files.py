"""Small DICOM series as a person may have them: several of one study, damaged files among them."""

import gc
import warnings
from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.fileset import FileSet
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

__all__ = ["PATIENT", "write_disk", "write_series"]

PATIENT = "Quixote^Alonso"
SHAPE = (6, 40, 32)


def write_series(
    folder: Path, description: str, number: int, *, study: str = "1.2.3", shape: tuple[int, int, int] = SHAPE
) -> Path:
    """Write slices of an ellipse with a bright square, 3 mm apart; `number` shifts the values."""
    folder.mkdir(parents=True, exist_ok=True)
    _, y, x = np.indices(shape)
    head = ((y - shape[1] / 2) / 16) ** 2 + ((x - shape[2] / 2) / 12) ** 2 < 1
    volume = np.where(head, 500 + number, 0).astype("<u2")
    volume[:, 14:19, 10:15] = 1000
    series = generate_uid()
    for index, plane in enumerate(volume):
        header = Dataset()
        header.file_meta = FileMetaDataset()
        header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        header.SOPClassUID, header.SOPInstanceUID = MRImageStorage, generate_uid()
        header.StudyInstanceUID, header.SeriesInstanceUID = study, series
        header.FrameOfReferenceUID = f"{study}.9"
        header.Modality, header.SeriesDescription, header.SeriesNumber = "MR", description, number
        header.PatientName, header.PatientID, header.InstanceNumber = PATIENT, "QX4711", index + 1
        header.ImagePositionPatient, header.ImageOrientationPatient = [0, 0, 3 * index], [1, 0, 0, 0, 1, 0]
        header.PixelSpacing, header.SliceThickness = [1, 1], 3
        header.Rows, header.Columns = plane.shape
        header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
        header.BitsAllocated, header.BitsStored, header.HighBit, header.PixelRepresentation = 16, 16, 15, 0
        header.PixelData = plane.tobytes()
        header.save_as(folder / f"{number}_{index}.dcm", enforce_file_format=True)
    return folder


def write_disk(files: list[Path], folder: Path) -> Path:
    """Write a DICOMDIR with copies of these files, as a disk that a hospital burns has them; returns its path."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # pydicom leaves its temporary folders to the garbage
        _file_set(files).write(folder)
        gc.collect()
    return folder / "DICOMDIR"


def _file_set(files: list[Path]) -> FileSet:
    listed = FileSet()
    for file in files:
        header = dcmread(file)
        header.StudyDate, header.StudyTime, header.StudyID = "20200101", "101500", "1"
        header.setdefault("PatientID", "X")
        listed.add(header)
    return listed
