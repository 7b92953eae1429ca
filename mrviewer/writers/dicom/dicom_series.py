"""Reconstruction and error map as a derived MR series, slice by slice beside the series that they were made from.

Classic MR images, one file a slice, which every viewer opens. Values are stored as 16-bit integers with one rescale
slope for the whole volume, so that a window fits all slices; rounding changes a value by at most half a slope, that is
by less than 1/65000 of the largest.

References
----------
DICOM PS3.3 A.4 (MR Image IOD); C.7.6.1 (General Image, for derived images and their sources).
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from mrviewer import __version__
from mrviewer.errors import InputError, ShapeError
from mrviewer.files.whole_folder import whole_folder
from mrviewer.geometry import Geometry
from mrviewer.names.dicom_terms import SOURCE_IMAGE, SOURCE_SERIES, code_item
from mrviewer.names.image_names import MODALITIES
from mrviewer.readers.dicom.contrast import UNKNOWN_CONTRAST
from mrviewer.writers.dicom.dicom_source import DicomSource, SourcePlane, lies_on, require_placed
from mrviewer.writers.dicom.privacy import DEFAULT_PRIVACY, Privacy, exported_header, silent_about_values

__all__ = ["DerivedSeries", "SeriesKind", "write_dicom_series"]

LARGEST_STORED = 32767
WINDOW_PERCENTILE = 99.5
_LABELS = {"reconstruction": "reconstruction", "error": "error"}
"""Not "error map", which would be read as a map and not as the modality of its source."""
_SERIES_OFFSETS = {"reconstruction": 7000, "error": 8000}
"""Added to the number of the source series, so that viewers list ours after it, in this order."""
_OF_MANY_FRAMES = ("NumberOfFrames", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")


class SeriesKind(StrEnum):
    """What the values of a derived series are."""

    RECONSTRUCTION = "reconstruction"
    ERROR = "error"


@dataclass(frozen=True, eq=False)
class DerivedSeries:
    """A volume that was made from a series.

    Parameters
    ----------
    kind
        Magnitudes, or signed differences to the fully sampled image.
    volume : (z, y, x)
        Real values in the units of the source.
    geometry
        Its grid, which is that of the source.
    derivation
        How it was made, e.g. ``d5c5, random mask, acceleration 4``; free of names.
    modality
        What the source shows, where a person knows better than its header; one that this program does not know is not
        told, since it may hold anything.
    """

    kind: SeriesKind
    volume: NDArray[np.generic]
    geometry: Geometry
    derivation: str = ""
    modality: str = ""


def write_dicom_series(
    folder: Path, series: Sequence[DerivedSeries], source: DicomSource, *, privacy: Privacy = DEFAULT_PRIVACY
) -> list[str]:
    """Write derived volumes, each as a series of one MR image a slice.

    Parameters
    ----------
    folder
        Made if it does not exist. Files of an earlier export of the same kinds are replaced, others left alone; all are
        written or none.
    series
        What to write, each kind once.
    source
        The series on whose grid they lie.
    privacy
        What of the person goes into the files.

    Returns
    -------
    Names of the files: the kind and a number, in the order in which the slices lie.

    Raises
    ------
    ShapeError
        If a volume lies on another grid.
    InputError
        If a value is not finite, or nothing can be written there.
    """
    volumes = [_planes(one, source) for one in series]
    earlier = [path.name for one in series for path in sorted(folder.glob(f"{one.kind}-*.dcm"))]
    names = [_name(one, number) for one in series for number in range(1, len(source.planes) + 1)]
    headers = _headers(source, privacy)
    with silent_about_values(), whole_folder(folder, list(dict.fromkeys([*earlier, *names]))) as partial:
        for one, volume in zip(series, volumes, strict=True):
            common = _common(one, volume, one.modality or source.modality)
            for number, (header, plane, values) in enumerate(zip(headers, source.planes, volume, strict=True), 1):
                image = _image(header, plane, source, one.kind)
                image.update(common)
                image.InstanceNumber = number
                _set_pixels(image, values, float(common.RescaleSlope))
                image.save_as(partial / _name(one, number), enforce_file_format=True)
    return names


def _name(series: DerivedSeries, number: int) -> str:
    return f"{series.kind}-{number:04d}.dcm"


def _planes(series: DerivedSeries, source: DicomSource) -> NDArray[np.float64]:
    """Values ``(slice, row, column)`` in the order of the source."""
    require_placed(series.geometry, f"the {series.kind}", source.geometry)
    if not lies_on(source, series.geometry):
        raise ShapeError(
            f"the {series.kind} does not lie on the grid of {source.title}; give the series that it was made from"
        )
    planes = np.asarray(source.stored(series.volume), np.float64)
    if not np.isfinite(planes).all():
        raise InputError(f"the {series.kind} holds values that are not finite; export a volume of finite values")
    return planes


def _headers(source: DicomSource, privacy: Privacy) -> list[Dataset]:
    """Header of each slice as it may leave; a file of many slices has one for all."""
    if source.is_enhanced or source.is_tiled:
        return [exported_header(source.first, privacy)] * len(source.planes)
    return [exported_header(plane.header, privacy) for plane in source.planes]


def _common(series: DerivedSeries, values: NDArray[np.float64], modality: str) -> Dataset:
    """What all slices of a series share: what it is, how it is scaled and shown."""
    largest = float(np.abs(values).max(initial=0.0))
    bright = float(np.percentile(np.abs(values), WINDOW_PERCENTILE)) or largest or 1.0
    is_error = series.kind is SeriesKind.ERROR
    common = Dataset()
    common.SeriesInstanceUID = generate_uid(prefix=None)
    # Readers tell the contrast by these words, since times alone do not say whether an agent was given.
    known = modality.partition("_")[0]
    shown = known if known in MODALITIES else UNKNOWN_CONTRAST
    common.SeriesDescription = f"{shown} {_LABELS[series.kind]} (mrviewer, not for diagnosis)"
    common.DerivationDescription = series.derivation or _LABELS[series.kind].capitalize()
    common.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    common.Manufacturer = common.ManufacturerModelName = "mrviewer"
    common.SoftwareVersions = __version__
    common.RescaleSlope = f"{(largest or 1.0) / LARGEST_STORED:.10g}"
    common.RescaleIntercept = "0"
    common.RescaleType = "US"
    common.WindowCenter = f"{0.0 if is_error else bright / 2:.8g}"
    common.WindowWidth = f"{bright * (2 if is_error else 1):.8g}"
    return common


def _image(header: Dataset, plane: SourcePlane, source: DicomSource, kind: SeriesKind) -> Dataset:
    """One slice without pixels: where it lies, how it was scanned, and what it was made from."""
    image = Dataset()
    image.update({one.tag: deepcopy(one) for one in header if one.keyword not in _OF_MANY_FRAMES})
    image.SOPClassUID = MRImageStorage
    image.SOPInstanceUID = generate_uid(prefix=None)
    image.Modality = "MR"
    image.SeriesNumber = _SERIES_OFFSETS[kind] + source.number % 1000
    image.PositionReferenceIndicator = ""
    image.ImagePositionPatient = [f"{value:.10g}" for value in plane.position_mm]
    image.ImageOrientationPatient = [f"{value:.10g}" for value in plane.orientation]
    image.PixelSpacing = [f"{value:.10g}" for value in plane.spacing_mm]
    image.SliceThickness = f"{source.thickness_mm:.10g}"
    image.SpacingBetweenSlices = f"{source.spacing_mm:.10g}"
    for name, unknown in (("ScanningSequence", "RM"), ("SequenceVariant", "NONE"), ("MRAcquisitionType", "2D")):
        if name not in image:
            setattr(image, name, unknown)
    for name in ("ScanOptions", "RepetitionTime", "EchoTime", "EchoTrainLength", "PatientPosition", "Laterality"):
        if name not in image:
            setattr(image, name, None)
    image.SourceImageSequence = [_source_item(header, plane)]
    image.RelatedSeriesSequence = [_series_item(header)]
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return image


def _source_item(header: Dataset, plane: SourcePlane) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = header.SOPClassUID, header.SOPInstanceUID
    if plane.frame is not None:
        item.ReferencedFrameNumber = plane.frame
    item.PurposeOfReferenceCodeSequence = [code_item(SOURCE_IMAGE)]
    return item


def _series_item(header: Dataset) -> Dataset:
    item = Dataset()
    item.StudyInstanceUID, item.SeriesInstanceUID = header.StudyInstanceUID, header.SeriesInstanceUID
    item.PurposeOfReferenceCodeSequence = [code_item(SOURCE_SERIES)]
    return item


def _set_pixels(image: Dataset, values: NDArray[np.float64], slope: float) -> None:
    stored = np.clip(np.rint(values / slope), -LARGEST_STORED - 1, LARGEST_STORED).astype("<i2")
    image.SamplesPerPixel = 1
    image.PhotometricInterpretation = "MONOCHROME2"
    image.Rows, image.Columns = stored.shape
    image.BitsAllocated, image.BitsStored, image.HighBit = 16, 16, 15
    image.PixelRepresentation = 1
    image.PixelData = stored.tobytes()
