"""What the panel says of a study and of its mask, and where it begins: pure functions. No Qt."""

import numpy as np

from mrviewer.sampling import Mask
from mrviewer.study import Origin
from mrviewer_napari.facts.scan import Scan

__all__ = ["DISCLAIMER", "VOXEL_FOR_VOXEL", "first_slice", "mask_facts", "origin_note", "study_facts"]

DISCLAIMER = "Research software, not for diagnosis"
VOXEL_FOR_VOXEL = "Use these labels voxel for voxel"
"""Text of the button that disregards the position of labels; sentences that refuse them name it."""


def origin_note(origin: Origin) -> str:
    """What a picture must say of where its k-space comes from; empty for a scanner's own."""
    return "" if origin is Origin.SCANNER else str(origin)


def mask_facts(mask: Mask) -> str:
    """What a mask really acquires, in words."""
    acquired, total = int(np.count_nonzero(mask.pattern)), mask.pattern.size
    unit = "lines" if mask.is_line_mask else "samples"
    return f"{acquired} of {total} {unit}, achieved acceleration {mask.achieved_acceleration:.2f}"


def first_slice(scan: Scan) -> int:
    """Slice to begin with: the one with most labels, or the middle one."""
    if scan.labels is None or not scan.labels.any():
        return scan.n_slices // 2
    others = tuple(axis for axis in range(3) if axis != scan.slice_axis)
    return int(np.argmax(np.count_nonzero(scan.labels, axis=others)))


def study_facts(scan: Scan) -> tuple[tuple[str, str], ...]:
    """Rows of the Study section."""
    matrix = " x ".join(str(n) for n in scan.geometry.shape[::-1])
    n_coils = scan.raw.shape[1]
    rows = [
        ("Matrix", matrix),
        ("Slices", f"{scan.n_slices} {_plane_word(scan.slice_axis) if scan.geometry.is_placed else ''}".strip()),
        ("Coils", "1, zero phase" if scan.raw.origin is Origin.MAGNITUDE else str(n_coils)),
        ("K-space", str(scan.raw.origin)),
        ("Reference", "fully sampled" if scan.reference is not None else "none: acquired undersampled"),
        ("Labels", "none" if scan.labels is None else f"{_label_volume_ml(scan):.2f} ml"),
    ]
    return tuple(rows)


def _plane_word(slice_axis: int) -> str:
    return ("axial", "coronal", "sagittal")[slice_axis]


def _label_volume_ml(scan: Scan) -> float:
    return 0.0 if scan.labels is None else float(np.count_nonzero(scan.labels)) * scan.geometry.voxel_volume_ml
