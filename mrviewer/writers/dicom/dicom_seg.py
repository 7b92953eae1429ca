"""Lesions as DICOM Segmentation: one segment a lesion, on the slices of the series that they were found in.

One segment a lesion, not one for all: viewers list segments by label, jump to the one that is picked and colour each
its own way, so that a table lesion by lesion can be read beside the picture. Each segment carries a coded kind, its
volume and, where the truth is known, what became of it.

References
----------
DICOM PS3.3 A.51 (Segmentation IOD) and C.8.20.4 (Segment Description).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from highdicom.color import CIELabColor
from highdicom.content import (
    AlgorithmIdentificationSequence,
    PixelMeasuresSequence,
    PlaneOrientationSequence,
    PlanePositionSequence,
)
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentationTypeValues, SegmentDescription
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

from mrviewer import __version__
from mrviewer.errors import InputError
from mrviewer.files.whole_file import whole_file
from mrviewer.images.labels import labels_on_grid
from mrviewer.metrics.lesions import Lesion, Status
from mrviewer.names.dicom_terms import CATEGORY, LesionKind, Region, kind_code, region_code
from mrviewer.study import Image
from mrviewer.writers.dicom.dicom_source import DicomSource, lies_on, require_placed
from mrviewer.writers.dicom.lost_labels import require_inside, require_kept
from mrviewer.writers.dicom.privacy import DEFAULT_PRIVACY, Privacy, exported_header, silent_about_values

__all__ = ["SegmentTerms", "WrittenSegments", "describe_lesion", "write_dicom_seg"]

MOST_SEGMENTS = 1000
SERIES_NUMBER_OFFSET = 9000
"""Added to the number of the source series, so that viewers list the segmentation after all images."""
_COLOURS = ((230, 75, 53), (77, 187, 213), (0, 160, 135), (243, 155, 127), (132, 145, 180), (255, 215, 70))


@dataclass(frozen=True)
class SegmentTerms:
    """What the segments are, and who drew them.

    Parameters
    ----------
    kind, region
        Coded terms of all segments.
    names
        Name of a label value; by default the kind and the value, as in ``Lesion 3``.
    algorithm
        Name of the method; `None` for a segmentation that a person drew.
    """

    kind: LesionKind = LesionKind.LESION
    region: Region | None = None
    names: Mapping[int, str] = field(default_factory=dict)
    algorithm: str | None = "unknown"


@dataclass(frozen=True)
class WrittenSegments:
    """What was written.

    Parameters
    ----------
    labels, descriptions
        Of each segment, in the order of their numbers.
    note
        What was done to the labels, as a sentence; empty if nothing.
    """

    labels: tuple[str, ...]
    descriptions: tuple[str, ...]
    note: str


def write_dicom_seg(
    path: Path,
    segmentation: Image,
    source: DicomSource,
    *,
    lesions: Sequence[Lesion] = (),
    terms: SegmentTerms | None = None,
    privacy: Privacy = DEFAULT_PRIVACY,
) -> WrittenSegments:
    """Write a label volume as one DICOM Segmentation instance.

    Parameters
    ----------
    path
        Usually ends in ``.dcm``. An existing file is replaced, whole or not at all.
    segmentation : (z, y, x)
        Whole numbers, 0 is background; every other value becomes a segment. Segments are numbered from 1 in rising
        order of the values, as DICOM wants; the value itself stands in the tracking id (``label 3``).
    source
        The series that the segments refer to. A volume on another grid is resampled to its nearest voxels.
    lesions
        Rows of a lesion table whose ids are the values.
    terms
        What the segments are.
    privacy
        What of the person goes into the file.

    Raises
    ------
    InputError
        If the segmentation is not placed, nothing is segmented, there are more than 1000 values, or nothing can be
        written there.
    FileFormatError
        If the values cannot be labels, or the series has gaps.
    ShapeError
        If labels lie outside of the series, or are too small for its voxels.
    """
    terms = terms or SegmentTerms()
    labels, note = _on_source(segmentation, source)
    values = np.unique(labels[np.greater(labels, 0)])
    if not 1 <= values.size <= MOST_SEGMENTS:
        raise InputError(
            f"the segmentation holds {values.size} labels on {source.title}; give one that holds 1 to {MOST_SEGMENTS}"
        )
    numbers = np.searchsorted(values, labels).astype(np.uint16) + 1
    numbers[np.equal(labels, 0)] = 0
    sizes = np.bincount(numbers.ravel(), minlength=values.size + 1)[1:] * source.geometry.voxel_volume_ml
    rows = {row.id: row for row in lesions}
    described = [
        _segment(number, int(value), float(size), rows.get(int(value)), terms)
        for number, (value, size) in enumerate(zip(values, sizes, strict=True), 1)
    ]
    with silent_about_values(), whole_file(path) as temporary:
        instance = _instance(np.ascontiguousarray(source.stored(numbers)), source, described, privacy)
        instance.save_as(temporary, enforce_file_format=True)
    return WrittenSegments(
        tuple(str(one.SegmentLabel) for one in described), tuple(str(one.SegmentDescription) for one in described), note
    )


def _on_source(segmentation: Image, source: DicomSource) -> tuple[NDArray[np.generic], str]:
    """Labels ``(z, y, x)`` on the grid of the series."""
    grid = source.geometry
    require_placed(segmentation.geometry, "the segmentation", grid)
    segmentation = replace(segmentation, geometry=segmentation.geometry.as_filed)
    labels, note = labels_on_grid(segmentation, segmentation.geometry)
    # The same grid written by another program differs in the last decimals, which is no reason to resample.
    if lies_on(source, segmentation.geometry):
        return labels.volume(), note
    before = labels.volume()
    require_inside(before, segmentation.geometry, source)
    labels, moved = labels_on_grid(labels, grid)
    require_kept(before, labels.volume(), source)
    return labels.volume(), "; ".join(one for one in (note, moved) if one)


def _segment(number: int, value: int, size_ml: float, lesion: Lesion | None, terms: SegmentTerms) -> SegmentDescription:
    code = kind_code(terms.kind)
    by_hand = terms.algorithm is None
    name = terms.names.get(value, f"{code.meaning} {value}")
    segment = SegmentDescription(
        segment_number=number,
        segment_label=name if lesion is None else f"{name} ({lesion.status})",
        segmented_property_category=CATEGORY,
        segmented_property_type=code,
        algorithm_type=SegmentAlgorithmTypeValues.MANUAL if by_hand else SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=None
        if by_hand
        else AlgorithmIdentificationSequence(str(terms.algorithm), codes.DCM.ArtificialIntelligence, __version__),
        tracking_uid=generate_uid(prefix=None),
        tracking_id=f"label {value}",
        anatomic_regions=None if terms.region is None else [region_code(terms.region)],
        display_color=CIELabColor.from_rgb(*_COLOURS[(number - 1) % len(_COLOURS)]),
    )
    segment.SegmentDescription = describe_lesion(size_ml, lesion)
    return segment


def describe_lesion(size_ml: float, lesion: Lesion | None) -> str:
    """Properties of a segment in words, with units."""
    words = [f"{size_ml:.3f} ml"]
    if lesion is not None and lesion.status is not Status.FALSE:
        words += [f"{lesion.status}", f"reference {lesion.volume_ml:.3f} ml", f"Dice {lesion.dice:.3f}"]
        words += [f"precision {lesion.precision:.3f}"] if lesion.precision is not None else []
        words += [f"recall {lesion.recall:.3f}"] if lesion.recall is not None else []
    elif lesion is not None:
        words.append("false: touches no lesion of the reference")
    return ", ".join(words)


def _instance(
    labels: NDArray[np.uint16], source: DicomSource, segments: Sequence[SegmentDescription], privacy: Privacy
) -> Segmentation:
    """The instance; a file of many slices gives their positions by hand, since it may hold more than this volume."""
    by_hand: dict[str, object] = {}
    if source.is_enhanced or source.is_tiled:
        positions = [PlanePositionSequence("PATIENT", plane.position_mm.tolist()) for plane in source.planes]
        by_hand = {"plane_positions": positions, "pixel_measures": _measures(source)}
    return Segmentation(
        source_images=_references(source, privacy),
        pixel_array=labels,
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=segments,
        series_instance_uid=generate_uid(prefix=None),
        series_number=SERIES_NUMBER_OFFSET + source.number % 1000,
        sop_instance_uid=generate_uid(prefix=None),
        instance_number=1,
        manufacturer="mrviewer",
        manufacturer_model_name="mrviewer",
        software_versions=__version__,
        device_serial_number="1",
        content_label="LESIONS",
        content_description="Research software, not for diagnosis",
        series_description="Lesions (mrviewer, not for diagnosis)",
        **by_hand,
    )


def _measures(source: DicomSource) -> PixelMeasuresSequence:
    return PixelMeasuresSequence(source.planes[0].spacing_mm, source.thickness_mm, source.spacing_mm)


def _references(source: DicomSource, privacy: Privacy) -> list[Dataset]:
    """Headers of the images that are segmented, with one orientation and spacing for all.

    Scanners write directions that differ in the last decimal from slice to slice, and a segmentation has one for all.
    """
    first = source.planes[0]
    orientation = list(first.orientation)
    if source.is_enhanced:
        header = exported_header(first.header, privacy)
        shared = Dataset()
        shared.PlaneOrientationSequence = PlaneOrientationSequence("PATIENT", orientation)
        shared.PixelMeasuresSequence = _measures(source)
        header.SharedFunctionalGroupsSequence = [shared]
        return [header]
    planes = source.planes[:1] if source.is_tiled else source.planes
    headers = [exported_header(plane.header, privacy) for plane in planes]
    for header, plane in zip(headers, planes, strict=True):
        header.ImagePositionPatient, header.ImageOrientationPatient = plane.position_mm.tolist(), orientation
        header.PixelSpacing = list(first.spacing_mm)
        header.SliceThickness, header.SpacingBetweenSlices = source.thickness_mm, source.spacing_mm
    return headers
