"""What can be exported, and why not where it cannot. No Qt."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from mrviewer.writers.dicom.dicom_source import DicomSource, lies_on
from mrviewer.writers.dicom.lost_labels import count_outside
from mrviewer_napari.computing.outcomes import Outcome
from mrviewer_napari.facts.scan import Scan

__all__ = ["DICOM_ITEMS", "Group", "Item", "SourceState", "refusals"]

_NO_SOURCE = "no DICOM series: choose its folder"


class Group(Enum):
    """Items that stand together; the value is their heading."""

    NIFTI = "NIfTI"
    DICOM = "DICOM"
    NUMBERS = "Numbers and data sets"
    FIGURE = "Figure of the shown tiles"


class Item(Enum):
    """A thing to export: heading, title and what is said of it at length."""

    IMAGE = (Group.NIFTI, "Reconstruction", "reconstruction.nii.gz, exactly over the input")
    ERROR = (Group.NIFTI, "Error map", "error.nii.gz: reconstruction minus fully sampled image")
    SEGMENTATION = (
        Group.NIFTI,
        "Segmentation",
        "segmentation.nii.gz, and every class where there are more than lesions",
    )
    LABELS = (Group.NIFTI, "Reference labels", "labels.nii.gz: the labels that are open")
    MASK = (Group.NIFTI, "Sampling mask", "mask.npy: true where a sample was acquired")
    SEG = (Group.DICOM, "Segmentation as SEG", "segmentation.dcm: one segment a lesion, on the slices of the series")
    LABELS_SEG = (Group.DICOM, "Labels as SEG", "labels.dcm: the reference labels, drawn by a person")
    IMAGE_SERIES = (Group.DICOM, "Reconstruction series", "A derived MR series beside the one it was made from")
    ERROR_SERIES = (Group.DICOM, "Error map series", "A derived MR series of signed errors")
    NUMBERS = (Group.NUMBERS, "Numbers", "metrics.csv with units, metrics.json, and lesions.csv where labels are open")
    BIDS = (Group.NUMBERS, "BIDS derivatives", "Images, lesions and numbers under the names of BIDS, with side cars")
    PNG = (Group.FIGURE, "PNG", "figure.png: the shown slice of every chosen method, with a scale bar")
    SVG = (Group.FIGURE, "SVG", "figure.svg: the same with text and outlines that can be edited")

    def __init__(self, group: Group, title: str, tip: str) -> None:
        self.group, self.title, self.tip = group, title, tip


DICOM_ITEMS = frozenset(item for item in Item if item.group is Group.DICOM)


@dataclass(frozen=True, eq=False)
class SourceState:
    """What is known of the DICOM series that exports refer to.

    Parameters
    ----------
    source
        The series; `None` while there is none.
    reason
        Why there is none, in few words.
    note
        What a person should know of the choice.
    choices
        Series of the folder that a person named; empty while nobody did.
    """

    source: DicomSource | None = None
    reason: str = _NO_SOURCE
    note: str = ""
    choices: tuple[DicomSource, ...] = ()


def refusals(scan: Scan, outcomes: Sequence[Outcome], found: SourceState) -> dict[Item, str]:
    """Why each item cannot be exported, in few words; empty where it can.

    Parameters
    ----------
    scan
        What is open.
    outcomes
        Finished volumes of the chosen methods.
    found
        The DICOM series.
    """
    nothing = "" if outcomes else "no method is chosen"
    image = nothing or _image_refusal(outcomes)
    error = image or ("" if scan.reference is not None else "no reference: undersampled")
    segmentation = nothing or _segmentation_refusal(outcomes)
    labels = _labels_refusal(scan)
    source = _source_refusal(scan, found)
    grid = source or _grid_refusal(scan, found)
    return {
        Item.IMAGE: image,
        Item.ERROR: error,
        Item.SEGMENTATION: segmentation,
        Item.LABELS: "" if scan.labels is not None else labels,
        Item.MASK: nothing,
        Item.SEG: segmentation
        or _empty_refusal(outcomes)
        or source
        or _loss_refusal([outcome.reconstruction.lesions for outcome in outcomes], scan, found),
        Item.LABELS_SEG: labels or source or _loss_refusal([scan.labels], scan, found),
        Item.IMAGE_SERIES: image or grid,
        Item.ERROR_SERIES: error or grid,
        Item.NUMBERS: nothing,
        Item.BIDS: nothing,
        Item.PNG: nothing,
        Item.SVG: nothing,
    }


def _image_refusal(outcomes: Sequence[Outcome]) -> str:
    found = any(outcome.reconstruction.image is not None for outcome in outcomes)
    return "" if found else "no method reconstructs"


def _segmentation_refusal(outcomes: Sequence[Outcome]) -> str:
    found = any(outcome.reconstruction.segmentation is not None for outcome in outcomes)
    return "" if found else "no method segments"


def _empty_refusal(outcomes: Sequence[Outcome]) -> str:
    volumes = [outcome.reconstruction.lesions for outcome in outcomes]
    return "" if any(volume is not None and volume.any() for volume in volumes) else "no lesion was found"


def _labels_refusal(scan: Scan) -> str:
    if scan.labels is None:
        return "no labels are open"
    return "" if scan.labels.any() else "they are empty"


def _loss_refusal(volumes: Sequence[NDArray[np.generic] | None], scan: Scan, found: SourceState) -> str:
    """Labels outside of the slices of the series, which a SEG cannot hold."""
    source = found.source
    if source is None:
        return ""
    lost = sum(count_outside(volume, scan.geometry, source) for volume in volumes if volume is not None)
    return f"{lost:,} voxels lie outside of {source.title}" if lost else ""


def _source_refusal(scan: Scan, found: SourceState) -> str:
    if scan.frame > 0:
        return "only the first frame can refer to DICOM"
    if not scan.geometry.is_placed:
        return "the image does not say where it lies"
    return found.reason if found.source is None else ""


def _grid_refusal(scan: Scan, found: SourceState) -> str:
    fits = found.source is not None and lies_on(found.source, scan.geometry)
    return "" if fits else "the series lies on another grid"
