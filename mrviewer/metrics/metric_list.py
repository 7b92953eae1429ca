"""The one list of figures: what each is called, in which unit, with how many digits, and which way is better.

Tables, panels, cards, CSV and pages read it; a new figure is one more record here, and the function that computes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["METRICS", "METRICS_BY_KEY", "Metric", "by_group", "flat"]

_IN_OBJECT = "_in_object"


@dataclass(frozen=True)
class Metric:
    """One figure.

    Parameters
    ----------
    key
        Its name in a flat list of figures, unlike any other.
    group
        Part of ``metrics.json`` that it stands in; of `findings` those that are known of studies as a whole only.
    title
        In words, as within a sentence.
    unit
        Empty for a ratio.
    digits
        After the point, that are worth reading.
    higher_is_better
        `None` where neither way is.
    """

    key: str
    group: str
    title: str
    unit: str = ""
    digits: int = 3
    higher_is_better: bool | None = True

    @property
    def name(self) -> str:
        """Its name inside its group."""
        return self.key.removesuffix(_IN_OBJECT) if self.group == "image_in_object" else self.key

    @property
    def heading(self) -> str:
        """The title as a heading, with the unit where the title does not say it."""
        title = self.title[:1].upper() + self.title[1:]
        return f"{title} ({self.unit})" if self.unit and self.unit not in self.title else title

    def text(self, value: float | None, unknown: str = "–") -> str:
        """A value with the digits that are worth reading; whole counts are shown whole."""
        if value is None:
            return unknown
        return str(value) if isinstance(value, int) else f"{value:.{self.digits}f}"

    def sentence(self, value: float | None) -> str:
        """``title value unit``; empty where the value is not known."""
        if value is None:
            return ""
        unit = f" {self.unit}" if self.unit and self.unit not in self.title else ""
        return f"{self.title} {self.text(value)}{unit}"


def _of_images() -> tuple[Metric, ...]:
    """Figures of an image, of the whole volume and of the object in it."""
    known = (
        ("psnr", "PSNR", "dB", 2, True),
        ("ssim", "SSIM", "", 3, True),
        ("nmse", "NMSE", "", 4, False),
        ("hfen", "HFEN", "", 3, False),
    )
    return (
        *(Metric(key, "image", *rest) for key, *rest in known),  # type: ignore[arg-type]
        *(Metric(f"{key}{_IN_OBJECT}", "image_in_object", f"{title} in the object", *rest)  # type: ignore[arg-type]
          for key, title, *rest in known),
    )  # fmt: skip


METRICS: tuple[Metric, ...] = (
    *_of_images(),
    Metric("dice", "segmentation", "Dice"),
    Metric("precision", "segmentation", "precision"),
    Metric("recall", "segmentation", "recall"),
    Metric("hd95_mm", "segmentation", "HD95", "mm", 1, higher_is_better=False),
    Metric("lesion_f1", "segmentation", "lesion F1"),
    Metric("lesion_f1_iou10", "segmentation", "lesion F1 at IoU 0.1"),
    Metric("lesions_reference", "segmentation", "lesions of the reference", "lesions", 1, higher_is_better=None),
    Metric("lesions_found", "segmentation", "lesions found", "lesions", 1),
    Metric("false_regions", "segmentation", "false regions", "regions", 1, higher_is_better=False),
    Metric("enhancement_mae", "findings", "error of enhancement", higher_is_better=False),
    Metric(
        "enhancement_gap", "findings", "enhancement, regressed against measured in the mask", higher_is_better=False
    ),
    Metric("accuracy", "findings", "accuracy", digits=2),
)
"""Every figure, in the order of ``metrics.json``."""

METRICS_BY_KEY: Mapping[str, Metric] = {metric.key: metric for metric in METRICS}


def by_group(group: str) -> tuple[Metric, ...]:
    """The figures of one part of ``metrics.json``."""
    return tuple(metric for metric in METRICS if metric.group == group)


def flat(groups: Mapping[str, object]) -> dict[str, float | None]:
    """Figures by key from the parts of ``metrics.json``; those of a part that is not there are left out."""
    found: dict[str, float | None] = {}
    for metric in METRICS:
        part = groups.get(metric.group)
        if isinstance(part, Mapping) and metric.name in part:
            found[metric.key] = part[metric.name]
    return found
