"""The figures that a table of experiments can show, and which way is better."""

from dataclasses import dataclass

__all__ = ["METRICS", "Metric"]


@dataclass(frozen=True)
class Metric:
    """How a figure is shown.

    Parameters
    ----------
    title
        Name with unit.
    decimals
        Digits after the point.
    higher_is_better
        Which way is better.
    """

    title: str
    decimals: int
    higher_is_better: bool = True


METRICS = {
    "psnr": Metric("PSNR, dB", 2),
    "ssim": Metric("SSIM", 3),
    "nmse": Metric("NMSE", 4, higher_is_better=False),
    "hfen": Metric("HFEN", 3, higher_is_better=False),
    "psnr_in_object": Metric("PSNR in the object, dB", 2),
    "ssim_in_object": Metric("SSIM in the object", 3),
    "nmse_in_object": Metric("NMSE in the object", 4, higher_is_better=False),
    "hfen_in_object": Metric("HFEN in the object", 3, higher_is_better=False),
    "dice": Metric("Dice", 3),
    "precision": Metric("precision", 3),
    "recall": Metric("recall", 3),
    "hd95_mm": Metric("HD95, mm", 1, higher_is_better=False),
    "lesion_f1": Metric("lesion F1", 3),
    "lesion_f1_iou10": Metric("lesion F1 at IoU 0.1", 3),
    "lesions_found": Metric("lesions found", 1),
    "false_regions": Metric("false regions", 1, higher_is_better=False),
    "enhancement_mae": Metric("error of enhancement", 3, higher_is_better=False),
    "enhancement_gap": Metric("enhancement, regressed against measured in the mask", 3, higher_is_better=False),
    "accuracy": Metric("accuracy", 2),
}
"""By the names of ``metrics.json`` and of `mrviewer.experiments.measure.figures_of`."""
