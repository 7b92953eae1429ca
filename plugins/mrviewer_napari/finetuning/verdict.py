"""What came of a run: figures before and after, as a whole, by subject and by lesion. No Qt."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mrviewer.finetuning import RunRecord

__all__ = ["Figure", "RunResult", "read_result"]

_SUMMARY = "summary.json"
_MEASURES = {
    "dice": ("Dice", True),
    "precision": ("precision", True),
    "recall": ("recall", True),
    "lesion_f1": ("lesion F1", True),
    "hd95_mm": ("HD95 (mm)", False),
    "psnr": ("PSNR (dB)", True),
    "ssim": ("SSIM", True),
    "nmse": ("NMSE", False),
    "hfen": ("HFEN", False),
}
"""Words for a figure, and whether more is better."""


@dataclass(frozen=True)
class Figure:
    """One figure before and after.

    Parameters
    ----------
    name
        In words.
    before, after
        Values; `None` where there is none.
    more_is_better
        Which way is good.
    """

    name: str
    before: float | None
    after: float | None
    more_is_better: bool = True

    @property
    def is_better(self) -> bool:
        """Whether it is better after than before, as far as it is known."""
        if self.before is None or self.after is None or self.before == self.after:
            return False
        return (self.after > self.before) is self.more_is_better


@dataclass(frozen=True, eq=False)
class RunResult:
    """The end of a run."""

    path: Path
    model: str
    sentence: str
    means: tuple[Figure, ...]
    summary: Mapping[str, Any]


def read_result(run: RunRecord) -> RunResult | None:
    """Read what a finished run wrote; `None` if it cannot be read."""
    try:
        summary = json.loads((run.path / _SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return RunResult(run.path, run.plan.model_name, str(summary.get("verdict", "")), (), summary)
