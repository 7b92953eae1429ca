"""What lesions are called in DICOM: coded terms of SNOMED CT.

Types are from the context group for lesions (PS3.16 CID 7159) where it has one. It knows neither infarcts nor plaques
of multiple sclerosis; for these the morphology is coded that SNOMED CT itself gives for the disease.
"""

from enum import StrEnum

from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

__all__ = ["CATEGORY", "SOURCE_IMAGE", "SOURCE_SERIES", "LesionKind", "Region", "code_item", "kind_code", "region_code"]

CATEGORY = Code("49755003", "SCT", "Morphologically Abnormal Structure")
SOURCE_IMAGE = Code("121322", "DCM", "Source image for image processing operation")
SOURCE_SERIES = Code("121323", "DCM", "Source series for image processing operation")


class LesionKind(StrEnum):
    """What a lesion is."""

    LESION = "lesion"
    NEOPLASM = "neoplasm"
    PLAQUE = "ms-plaque"
    INFARCT = "infarct"
    EDEMA = "edema"
    NECROSIS = "necrosis"
    CYST = "cyst"


class Region(StrEnum):
    """Where it lies."""

    BRAIN = "brain"
    SPINAL_CORD = "spinal-cord"
    LIVER = "liver"


_KINDS = {
    LesionKind.LESION: Code("52988006", "SCT", "Lesion"),
    LesionKind.NEOPLASM: Code("108369006", "SCT", "Neoplasm"),
    LesionKind.PLAQUE: Code("32693004", "SCT", "Demyelination"),
    LesionKind.INFARCT: Code("55641003", "SCT", "Infarct"),
    LesionKind.EDEMA: Code("79654002", "SCT", "Edema"),
    LesionKind.NECROSIS: Code("6574001", "SCT", "Necrosis"),
    LesionKind.CYST: Code("367643001", "SCT", "Cyst"),
}
_REGIONS = {
    Region.BRAIN: Code("12738006", "SCT", "Brain"),
    Region.SPINAL_CORD: Code("2748008", "SCT", "Spinal cord"),
    Region.LIVER: Code("10200004", "SCT", "Liver"),
}


def kind_code(kind: LesionKind) -> Code:
    """Coded term of a kind of lesion."""
    return _KINDS[kind]


def region_code(region: Region) -> Code:
    """Coded term of a part of the body."""
    return _REGIONS[region]


def code_item(code: Code) -> Dataset:
    """Item of a code sequence."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code.value, code.scheme_designator, code.meaning
    return item
