"""SemuNet and what it is compared with: what learns in which stage, from which image, on which mask."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["MASKS_OF_ARM", "STAGES_OF_ARM", "Arm", "Stage"]

Arm = Literal["semunet", "fixed_recon_then_seg", "fixed_joint", "learned_recon_then_seg", "full"]


@dataclass(frozen=True)
class Stage:
    """One stage of a run.

    Parameters
    ----------
    learns
        Modules of the network that learn.
    segments
        Image that the segmentation loss looks at: the fully sampled one, or the reconstruction.
    mask
        Of the reconstruction: drawn anew each time, or the most probable samples; none without a reconstruction.
    """

    learns: tuple[Literal["samplers", "reconstruction", "segmentation"], ...]
    segments: Literal["full", "estimate"]
    mask: Literal["drawn", "binary", "none"]

    @property
    def reconstructs(self) -> bool:
        """Whether there is a reconstruction."""
        return self.mask != "none"


_SEGMENTER_ALONE = Stage(("segmentation",), "full", "none")
_APART = Stage(("reconstruction", "segmentation"), "full", "binary")
_TOGETHER = Stage(("reconstruction", "segmentation"), "estimate", "binary")

STAGES_OF_ARM: dict[Arm, tuple[Stage, Stage, Stage]] = {
    "semunet": (
        _SEGMENTER_ALONE,
        Stage(("samplers", "reconstruction", "segmentation"), "estimate", "drawn"),
        _TOGETHER,
    ),
    "fixed_recon_then_seg": (_SEGMENTER_ALONE, _APART, _APART),
    "fixed_joint": (_SEGMENTER_ALONE, _TOGETHER, _TOGETHER),
    "learned_recon_then_seg": (
        _SEGMENTER_ALONE,
        Stage(("samplers", "reconstruction", "segmentation"), "full", "drawn"),
        _APART,
    ),
    "full": (_SEGMENTER_ALONE, _SEGMENTER_ALONE, _SEGMENTER_ALONE),
}
"""Pre-training of the segmenter, combined training, and fine-tuning on the mask for deployment.

The segmenter learns in every stage of every arm, and the reconstruction in every stage but the first, so that all arms
spend the same steps on each of their parts (ours).
"""

MASKS_OF_ARM: dict[Arm, Literal["learned", "fixed", "full"]] = {
    "semunet": "learned",
    "fixed_recon_then_seg": "fixed",
    "fixed_joint": "fixed",
    "learned_recon_then_seg": "learned",
    "full": "full",
}
