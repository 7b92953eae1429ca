"""What lies beside DICOM in a folder: labels of other formats, DICOM that is not opened, and segmentations."""

from pathlib import Path

from mrviewer.names.image_names import label_rank
from mrviewer.notes import left_out
from mrviewer.readers.found_file import DEEPEST, FoundFile

__all__ = ["is_dicom_segmentation", "labels_beside", "note_on_dicom"]

_MOST_HOMES = 20
_DICOM_ENDINGS = ("", ".dcm", ".ima", ".dicom")


def labels_beside(found: FoundFile) -> list[Path]:
    """Files of other formats in a DICOM folder whose names say that they hold labels, the surest first."""
    ranked = [(rank, file) for file in found.listed if (rank := label_rank(file)) is not None]
    return [file for _, file in sorted(ranked)]


def note_on_dicom(folder: Path) -> str:
    """Sentence on DICOM in a folder that opens by images of another format; empty if there is none.

    A sub-folder is named unless its name may tell who the patient is.
    """
    homes: dict[Path, Path] = {}
    for depth in range(DEEPEST + 1):
        for file in sorted(folder.glob("*/" * depth + "*")):
            if _may_be_dicom(file) and len(homes) < _MOST_HOMES:
                homes.setdefault(file.parent, file)
    home = next((home for home, file in homes.items() if FoundFile(file).is_dicom), None)
    if home is None:
        return ""
    from mrviewer.readers.dicom.dicom_study import public_name

    where = "its DICOM files alone"
    if home != folder:
        child = folder / home.relative_to(folder).parts[0]
        where = f"{folder.name}/{child.name}" if public_name(child) == child.name else "its folder"
    return left_out(f"DICOM that {folder.name} holds too; open {where} to see it")


def _may_be_dicom(path: Path) -> bool:
    ending = path.suffix.lower()
    named = ending in _DICOM_ENDINGS or ending[1:].isdigit()
    return named and not path.name.startswith(".") and path.is_file()


def is_dicom_segmentation(path: Path) -> bool:
    """Whether a file is a DICOM SEG."""
    if not path.is_file():
        return False
    from mrviewer.readers.dicom.segmentation import is_segmentation

    return is_segmentation(path)
