"""Small DICOM series, written for one test."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import FileMetaDataset
from pydicom.pixels.utils import pack_bits
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

ROOT = "1.2.826.0.1.3680043.10.543"
MR = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


@dataclass
class Series:
    """A stack of slices of random pixels; each slice is a data set that a test may change before it is written."""

    n_slices: int = 5
    shape: tuple[int, int] = (6, 4)
    orientation: tuple[float, ...] = AXIAL
    first: tuple[float, ...] = (-10.0, -20.0, 30.0)
    spacing: tuple[float, float, float] = (3.0, 2.0, 1.5)
    series: str = f"{ROOT}.2"
    seed: int = 0
    values: NDArray[np.uint16] = field(init=False)
    slices: list[pydicom.Dataset] = field(init=False)

    def __post_init__(self) -> None:
        self.values = np.random.default_rng(self.seed).integers(0, 4000, (self.n_slices, *self.shape), dtype=np.uint16)
        normal = np.cross(self.orientation[:3], self.orientation[3:])
        self.slices = []
        for number, plane in enumerate(self.values):
            dataset = self._slice(plane, number)
            position = np.array(self.first) + normal * self.spacing[0] * number
            dataset.ImagePositionPatient = [f"{value:.6f}" for value in position]
            dataset.ImageOrientationPatient = [f"{value:.10f}" for value in self.orientation]
            self.slices.append(dataset)

    def _slice(self, plane: NDArray[np.uint16], number: int) -> pydicom.Dataset:
        dataset = pydicom.Dataset()
        dataset.SOPClassUID = MR
        dataset.SOPInstanceUID = f"{self.series}.{number + 1}"
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"{ROOT}.1", self.series
        dataset.Modality, dataset.Manufacturer = "MR", "TEST"
        dataset.SeriesDescription, dataset.SeriesNumber, dataset.InstanceNumber = "t2_flair", 3, number + 1
        dataset.PatientName, dataset.PatientID = "Quixote^Alonso", "QX4711"
        dataset.PixelSpacing, dataset.SliceThickness = list(self.spacing[1:]), self.spacing[0]
        set_pixels(dataset, plane)
        return dataset

    def write(self, folder: Path, syntax: str = ExplicitVRLittleEndian) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for number, dataset in enumerate(self.slices):
            write_dataset(folder / f"IM{number:04d}", dataset, syntax)
        return folder


def set_pixels(dataset: pydicom.Dataset, plane: NDArray[np.generic], bits_stored: int = 12) -> None:
    """Put a plane of 16-bit integers into a data set."""
    dataset.Rows, dataset.Columns = plane.shape[-2:]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, bits_stored, bits_stored - 1
    dataset.PixelRepresentation = int(plane.dtype.kind == "i")
    dataset.PixelData = plane.astype(plane.dtype.newbyteorder("<")).tobytes()
    dataset["PixelData"].VR = "OW"


def write_dataset(path: Path, dataset: pydicom.Dataset, syntax: str = ExplicitVRLittleEndian) -> None:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    pydicom.dcmwrite(path, dataset, enforce_file_format=True)


def enhanced(series: Series, frames: Iterator[tuple[int, dict[str, object]]]) -> pydicom.Dataset:
    """One multi-frame file; each frame is a slice of `series` with what differs in it: time, echo, type, slope."""
    dataset = pydicom.Dataset()
    dataset.update(series.slices[0])
    del dataset.ImagePositionPatient, dataset.ImageOrientationPatient, dataset.PixelSpacing, dataset.SliceThickness
    dataset.SOPClassUID = ENHANCED_MR
    listed = list(frames)
    groups = []
    for index, facts in listed:
        source, group = series.slices[index], pydicom.Dataset()
        group.PlanePositionSequence = _one(ImagePositionPatient=source.ImagePositionPatient)
        group.PixelValueTransformationSequence = _one(RescaleSlope=facts.get("slope", 1), RescaleIntercept=0)
        group.FrameContentSequence = _one(TemporalPositionIndex=facts.get("time", 1))
        group.MREchoSequence = _one(EffectiveEchoTime=float(str(facts.get("echo", 90.0))))
        group.MRImageFrameTypeSequence = _one(ComplexImageComponent=facts.get("component", "MAGNITUDE"))
        groups.append(group)
    shared = pydicom.Dataset()
    first = series.slices[0]
    shared.PlaneOrientationSequence = _one(ImageOrientationPatient=first.ImageOrientationPatient)
    shared.PixelMeasuresSequence = _one(PixelSpacing=first.PixelSpacing, SliceThickness=first.SliceThickness)
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    dataset.PerFrameFunctionalGroupsSequence = Sequence(groups)
    dataset.NumberOfFrames = len(listed)
    dataset.PixelData = b"".join(series.slices[index].PixelData for index, _ in listed)
    dataset["PixelData"].VR = "OW"
    return dataset


def _one(**elements: object) -> Sequence:
    item = pydicom.Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return Sequence([item])


SEGMENTATION, LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"


def segmentation(
    series: Series,
    frames: list[tuple[int, int, NDArray[np.generic]]],
    kind: str = "BINARY",
    names: tuple[str, ...] = (),
    **measures: object,
) -> pydicom.Dataset:
    """A DICOM SEG on slices of a series.

    Each frame is a segment, the slice on which it was drawn, and its pixels: 0 and 1, fractions of 255, or labels.
    """
    first = series.slices[0]
    dataset = pydicom.Dataset()
    dataset.SOPClassUID = LABEL_MAP if kind == "LABELMAP" else SEGMENTATION
    dataset.SOPInstanceUID, dataset.SeriesInstanceUID = f"{ROOT}.77.1", f"{ROOT}.77"
    dataset.StudyInstanceUID, dataset.Modality, dataset.SegmentationType = first.StudyInstanceUID, "SEG", kind
    if "FrameOfReferenceUID" in first:
        dataset.FrameOfReferenceUID = first.FrameOfReferenceUID
    numbers = sorted({segment for segment, _, _ in frames})
    if kind == "LABELMAP":
        numbers = [int(value) for value in np.unique([pixels for _, _, pixels in frames])]
    named = dict(zip([number for number in numbers if number], names, strict=False))
    dataset.SegmentSequence = Sequence(
        _one(SegmentNumber=number, SegmentLabel=named.get(number, f"part {number}"))[0] for number in numbers
    )
    shared = pydicom.Dataset()
    shared.PlaneOrientationSequence = _one(ImageOrientationPatient=first.ImageOrientationPatient)
    shared.PixelMeasuresSequence = _one(**{"PixelSpacing": first.PixelSpacing, **measures})
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    groups = []
    for segment, index, _ in frames:
        group = pydicom.Dataset()
        group.PlanePositionSequence = _one(ImagePositionPatient=series.slices[index].ImagePositionPatient)
        if kind != "LABELMAP":
            group.SegmentIdentificationSequence = _one(ReferencedSegmentNumber=segment)
        groups.append(group)
    dataset.PerFrameFunctionalGroupsSequence = Sequence(groups)
    pixels = np.stack([pixels for _, _, pixels in frames]).astype(np.uint8)
    set_pixels(dataset, pixels, 8)
    dataset.NumberOfFrames = len(frames)
    bits = 1 if kind == "BINARY" else 8
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
    dataset.PixelData = pack_bits(pixels.ravel()) if bits == 1 else pixels.tobytes()
    dataset["PixelData"].VR = "OB"
    if kind == "FRACTIONAL":
        dataset.MaximumFractionalValue = 255
    return dataset
