"""A small oblique DICOM series with two bright lesions, and the name of a patient in it."""

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

__all__ = ["PATIENT", "SHAPE", "write_dicom_study"]

SHAPE = (8, 40, 32)
PATIENT = "Zyxwv^Quentin"
_ORIENTATION = (0.991332, 0.114987, -0.063548, -0.118794, 0.991118, -0.059771)
_SLOPE = 1e-3


def write_dicom_study(folder: Path) -> Path:
    """Write a T1 series after contrast whose slices 3 to 5 hold lesions of 1.0 in a head of 0.5."""
    folder.mkdir(parents=True)
    _, y, x = np.indices(SHAPE)
    volume = np.where(((y - 20) / 16) ** 2 + ((x - 16) / 12) ** 2 < 1, 500, 0).astype("<u2")
    volume[3:5, 14:19, 10:15] = 1000
    volume[5, 25:28, 18:21] = 1000
    uids = {name: generate_uid() for name in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")}
    row, column = np.asarray(_ORIENTATION[:3]), np.asarray(_ORIENTATION[3:])
    for index, plane in enumerate(volume):
        header = Dataset()
        header.file_meta = FileMetaDataset()
        header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        header.SOPClassUID, header.SOPInstanceUID = MRImageStorage, generate_uid()
        for name, uid in uids.items():
            setattr(header, name, uid)
        header.Modality, header.ImageType = "MR", ["ORIGINAL", "PRIMARY", "OTHER"]
        header.PatientName, header.PatientID, header.StudyDate = PATIENT, "ZYXWV-17", "19470319"
        header.SeriesNumber, header.InstanceNumber = 3, index + 1
        header.ContrastBolusAgent, header.SeriesDescription = "gadobutrol", "T1 tse"
        position = np.array([-14.0, -18.0, 20.0]) + index * 5.0 * np.cross(row, column)
        header.ImagePositionPatient = [f"{value:.6g}" for value in position]
        header.ImageOrientationPatient = list(_ORIENTATION)
        header.PixelSpacing, header.SliceThickness = [1.0, 0.9], 4
        header.RepetitionTime, header.EchoTime, header.ScanningSequence = 700, 10, "SE"
        header.Rows, header.Columns = plane.shape
        header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
        header.BitsAllocated, header.BitsStored, header.HighBit, header.PixelRepresentation = 16, 16, 15, 0
        header.RescaleSlope, header.RescaleIntercept = str(_SLOPE), "0"
        header.PixelData = plane.tobytes()
        header.save_as(folder / f"IM{(5 * index) % 11:04d}.dcm", enforce_file_format=True)
    return folder
