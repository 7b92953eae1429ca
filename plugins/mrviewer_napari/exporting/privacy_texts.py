"""What the export window says of privacy, and what it calls lesions and regions."""

from mrviewer.names.dicom_terms import LesionKind, Region

__all__ = ["ANONYMOUS", "IDENTIFIED", "KEPT_UIDS", "KINDS", "NEW_UIDS", "REGIONS"]

ANONYMOUS = (
    "DICOM files get a pseudonym: name, numbers, birth date, dates, institution and free text of the study stay out. "
    "The pixels of a head still show a face."
)
IDENTIFIED = "DICOM files carry name, number, birth date and dates of the study, for the archive that holds it."
KEPT_UIDS = "UIDs stay, so that results find the images they came from."
NEW_UIDS = "UIDs are replaced, for data that are published: results no longer find the images they came from."
KINDS = {
    LesionKind.LESION: "lesion",
    LesionKind.NEOPLASM: "neoplasm",
    LesionKind.PLAQUE: "MS plaque (demyelination)",
    LesionKind.INFARCT: "infarct",
    LesionKind.EDEMA: "edema",
    LesionKind.NECROSIS: "necrosis",
    LesionKind.CYST: "cyst",
}
REGIONS = {None: "not stated", Region.BRAIN: "brain", Region.SPINAL_CORD: "spinal cord", Region.LIVER: "liver"}
