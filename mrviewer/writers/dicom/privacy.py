"""What of a DICOM header may leave with an export: by default geometry and contrast, and nothing of the person.

The rule is a list of what may pass, not of what is removed: an attribute that nobody thought of stays behind, and so do
all private ones. What passes is a number, a UID, or a word out of a list that DICOM defines; free text never does.
"""

import hashlib
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from uuid import UUID, uuid5

from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import UID
from pydicom.valuerep import DA, TM

from mrviewer.names.dicom_terms import code_item

__all__ = ["DEFAULT_PRIVACY", "Privacy", "exported_header", "new_uid", "silent_about_values"]

_NAMESPACE = UUID("5f2c1c1e-6d0a-5b0e-9a52-3c1d6a3f7b10")
"""Of the UIDs that stand for others; our own, drawn once."""

_PATIENT_AND_STUDY = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "PatientAge",
    "PatientSize",
    "PatientWeight",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "StudyDescription",
    "AccessionNumber",
    "ReferringPhysicianName",
)
_EMPTY_IF_ABSENT = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)
_UIDS = ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")
_NUMBERS = (
    "SeriesNumber",
    "InstanceNumber",
    "AcquisitionNumber",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "PixelSpacing",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "SliceThickness",
    "SpacingBetweenSlices",
    "RepetitionTime",
    "EchoTime",
    "InversionTime",
    "FlipAngle",
    "EchoTrainLength",
    "EchoNumbers",
    "NumberOfAverages",
    "ImagingFrequency",
    "MagneticFieldStrength",
    "PixelBandwidth",
    "PercentSampling",
    "PercentPhaseFieldOfView",
)
_WORDS = {
    "Modality": {"MR", "CT", "PT"},
    "ScanningSequence": {"SE", "IR", "GR", "EP", "RM"},
    "SequenceVariant": {"SK", "MTC", "SS", "TRSS", "SP", "MP", "OSP", "NONE"},
    "ScanOptions": {"PER", "RG", "CG", "PPG", "FC", "PFF", "PFP", "SP", "FS"},
    "MRAcquisitionType": {"2D", "3D"},
    "PatientPosition": {"HFP", "HFS", "HFDR", "HFDL", "FFDR", "FFDL", "FFP", "FFS"},
}
"""The defined terms of DICOM PS3.3 C.7.3.1 and C.8.3.1."""
_GROUPS = {
    "PixelMeasuresSequence": ("PixelSpacing", "SliceThickness", "SpacingBetweenSlices"),
    "PlanePositionSequence": ("ImagePositionPatient",),
    "PlaneOrientationSequence": ("ImageOrientationPatient",),
}
"""Functional groups of an enhanced image that pass, and what passes of each."""
_SEXES = {"M", "F", "O", ""}


@dataclass(frozen=True)
class Privacy:
    """What of the person and of the visit goes into a DICOM export.

    Parameters
    ----------
    keep_identifiers
        Name, id, sex, age, dates and numbers of the study are those of the source, for an archive that holds it. By
        default a pseudonym takes their place.
    new_uids
        UIDs of study, series, images and frame of reference are replaced, the same one always by the same. All exports
        of a study then belong together, and no longer to the study that they came from. Kept by default, since a
        segmentation whose references lead nowhere cannot be laid over its images.
    """

    keep_identifiers: bool = False
    new_uids: bool = False


DEFAULT_PRIVACY = Privacy()


@contextmanager
def silent_about_values() -> Iterator[None]:
    """Keep libraries from printing values that break the standard; such a value may be a name."""
    with disable_value_validation(), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def new_uid(old: str) -> str:
    """UID that stands for another one, always the same: a name-based UUID in the form of ITU-T X.667."""
    return f"2.25.{uuid5(_NAMESPACE, str(old)).int}"


def exported_header(source: Dataset, privacy: Privacy = DEFAULT_PRIVACY) -> Dataset:
    """Header of an image as exports may know it.

    Parameters
    ----------
    source
        Header of a classic or of an enhanced image; it is left as it is.
    privacy
        What may pass.

    Returns
    -------
    Dataset
        UIDs, geometry and contrast of the image, and of person and study either all (`Privacy.keep_identifiers`) or a
        pseudonym made from the UID of the study, with the marks of de-identification.
    """
    with silent_about_values():
        return _exported(source, privacy)


def _exported(source: Dataset, privacy: Privacy) -> Dataset:
    header = Dataset()
    header.SpecificCharacterSet = "ISO_IR 192"
    header.SOPClassUID = UID(source.SOPClassUID)
    for name in _UIDS:
        if value := _text(source, name):
            setattr(header, name, UID(new_uid(value) if privacy.new_uids else value))
    _copy(source, header, _NUMBERS, _are_numbers)
    for name, words in _WORDS.items():
        _copy(source, header, (name,), partial(_are_among, words))
    _copy_groups(source, header)
    if privacy.keep_identifiers:
        for name in _PATIENT_AND_STUDY:
            # As plain text: a name keeps the bytes of its old character set otherwise.
            if (value := _text(source, name)) and _is_sound(name, value):
                setattr(header, name, value)
        if header.get("PatientSex", "") not in _SEXES:
            header.PatientSex = ""
    else:
        _mark(header, privacy)
    for name in _EMPTY_IF_ABSENT:
        if name not in header:
            setattr(header, name, "")
    return header


def _text(source: Dataset, name: str) -> str:
    return str(source.get(name, "") or "")


def _is_sound(name: str, value: str) -> bool:
    """Whether a date or a time is one; what is none would break the export."""
    kind = {"Date": DA, "Time": TM}.get(name[-4:])
    try:
        return kind is None or kind(value) is not None
    except ValueError:
        return False


def _copy(source: Dataset, header: Dataset, names: Iterable[str], may_pass: Callable[[list[object]], bool]) -> None:
    """Copy the attributes whose values may pass; one that cannot be decoded may not."""
    for name in names:
        try:
            value = source.get(name)
        except (ValueError, TypeError, ArithmeticError):
            continue
        if value is None or isinstance(value, Dataset):
            continue
        values = list(value) if isinstance(value, Iterable) and not isinstance(value, str | bytes) else [value]
        if may_pass(values):
            setattr(header, name, value)


def _are_numbers(values: list[object]) -> bool:
    try:
        return all(float(str(value)) == float(str(value)) for value in values)
    except ValueError:
        return False


def _are_among(words: set[str], values: list[object]) -> bool:
    return set(map(str, values)) <= words


def _copy_groups(source: Dataset, header: Dataset) -> None:
    """Positions of the frames of an enhanced image."""
    for name in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        if name not in source:
            continue
        items = []
        for item in source[name].value:
            kept = Dataset()
            for group, attributes in _GROUPS.items():
                if item.get(group):
                    inner = Dataset()
                    _copy(item[group].value[0], inner, attributes, _are_numbers)
                    setattr(kept, group, [inner])
            items.append(kept)
        setattr(header, name, items)


def _mark(header: Dataset, privacy: Privacy) -> None:
    """Put a pseudonym in, and say how the header was made."""
    digest = hashlib.sha256(new_uid(header.get("StudyInstanceUID", "")).encode()).hexdigest()
    pseudonym = f"ANON-{digest[:12].upper()}"
    header.PatientName = f"{pseudonym}^"
    header.PatientID = pseudonym
    header.PatientIdentityRemoved = "YES"
    header.DeidentificationMethod = "mrviewer: geometry and contrast only"
    options = [("113100", "Basic Application Confidentiality Profile")]
    if not privacy.new_uids:
        options.append(("113110", "Retain UIDs Option"))
    header.DeidentificationMethodCodeSequence = [code_item(Code(value, "DCM", words)) for value, words in options]
    header.LongitudinalTemporalInformationModified = "REMOVED"
