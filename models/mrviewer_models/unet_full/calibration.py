"""How probabilities become lesions: chosen on validation patients and kept beside the weights."""

from dataclasses import dataclass

__all__ = ["Calibration"]


@dataclass(frozen=True)
class Calibration:
    """How a volume is looked at, and what counts as a lesion.

    Parameters
    ----------
    planes
        Whether slices in every direction with fine pixels are averaged, or those across the thickest voxels alone.
    mirror
        Whether each slice is seen mirrored too.
    threshold
        Probability from which a voxel is a lesion.
    smallest_mm3
        Volume of the smallest component that is kept.
    """

    planes: bool = True
    mirror: bool = True
    threshold: float = 0.5
    smallest_mm3: float = 5.0
