"""Whether a folder or a file that a person gave is a DICOM study, and which labels lie beside it."""

from pathlib import Path

from mrviewer.readers.formats import is_dicom_path, is_listed
from mrviewer.readers.names import label_rank

__all__ = ["is_dicom_segmentation", "is_dicom_subject", "labels_beside"]

DEEPEST = 3


def is_dicom_subject(path: Path) -> bool:
    """Whether a path is DICOM; a folder that holds images of other formats is opened by their names instead."""
    if not path.is_dir():
        return path.is_file() and is_dicom_path(path)
    return all(label_rank(file) is not None for file in _listed(path)) and is_dicom_path(path)


def labels_beside(folder: Path) -> list[Path]:
    """Files of other formats in a DICOM folder whose names say that they hold labels, the surest first."""
    if not folder.is_dir():
        return []
    ranked = [(rank, file) for file in _listed(folder) if (rank := label_rank(file)) is not None]
    return [file for _, file in sorted(ranked)]


def is_dicom_segmentation(path: Path) -> bool:
    """Whether a file is a DICOM SEG."""
    if not path.is_file():
        return False
    from mrviewer.readers.dicom.segmentation import is_segmentation

    return is_segmentation(path)


def _listed(folder: Path) -> list[Path]:
    """Files of other formats in a folder, else up to three levels below it."""
    for depth in range(DEEPEST + 1):
        files = sorted(path for path in folder.glob("*/" * depth + "*") if is_listed(path) and path.is_file())
        if files:
            return files
    return []
