"""What a method was measured to do on one case that its weights never saw."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mrviewer.metrics.metric_list import METRICS_BY_KEY

__all__ = ["CARD_FIGURES", "HeldOut"]

CARD_FIGURES = (
    "dice",
    "lesions_reference",
    "lesions_found",
    "false_regions",
    "lesion_f1",
    "lesion_f1_iou10",
    "psnr",
    "zero_filled_psnr",
    "psnr_in_object",
    "ssim_in_object",
    "accuracy",
    "enhancement_mae",
)
"""What a card tells of a case: keys of `mrviewer.metrics.metric_list.METRICS`, and the PSNR of zero filling."""


@dataclass(frozen=True)
class HeldOut:
    """Figures on one case.

    Parameters
    ----------
    subject
        Name of the case in its database, such as ``patient19`` or ``simulated-5000``.
    condition
        Which images, and how they were sampled.
    figures
        By the keys of `CARD_FIGURES`; what cannot be computed is not there.
    weights
        First letters of the SHA-256 of the weights that were measured.
    """

    subject: str
    condition: str
    figures: Mapping[str, float] = field(hash=False)
    weights: str = ""

    def __str__(self) -> str:
        """One sentence for people."""
        return f"{self.subject}, {self.condition}: {', '.join(self._parts())}."

    def _parts(self) -> list[str]:
        known = self.figures
        parts = [_named("dice", known)]
        if "lesions_found" in known:
            parts.append(f"{known['lesions_found']:.0f} of {known['lesions_reference']:.0f} lesions found")
            parts.append(f"{known['false_regions']:.0f} regions invented")
        parts += [_named(key, known) for key in ("lesion_f1", "lesion_f1_iou10", "psnr")]
        if "zero_filled_psnr" in known:
            parts[-1] += f" (zero-filled {known['zero_filled_psnr']:.2f} dB)"
        parts += [_named(key, known) for key in CARD_FIGURES[CARD_FIGURES.index("psnr_in_object") :]]
        return [part for part in parts if part]


def _named(key: str, figures: Mapping[str, float]) -> str:
    return METRICS_BY_KEY[key].sentence(figures.get(key))
