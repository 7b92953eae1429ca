"""What a run came to."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mrviewer.errors import InputError
from mrviewer.files.json_text import read_json_object
from mrviewer.finetuning.run_folder.file_names import SUMMARY, WEIGHTS

__all__ = ["FinetuneSummary", "read_summary"]


@dataclass(frozen=True)
class FinetuneSummary:
    """What a run came to.

    Parameters
    ----------
    finished
        Whether it was trained and measured to its end; otherwise it can be resumed.
    weights
        Best weights; `None` if nothing was trained yet.
    summary
        What ``summary.json`` holds; empty if it was stopped before.
    model
        Name of the new model in the list of methods; empty if it was not added.
    """

    finished: bool
    weights: Path | None
    summary: Mapping[str, Any]
    model: str = ""


def read_summary(run: Path) -> FinetuneSummary:
    """Read what a finished run came to.

    Raises
    ------
    InputError
        If its summary is not there or cannot be read.
    """
    try:
        summary = read_json_object(run / SUMMARY, "remove it and resume the run")
    except FileNotFoundError:
        raise InputError(f"run {run.name} is not finished; resume it first") from None
    if not isinstance(summary.get("subjects"), dict) or not isinstance(summary.get("sentence"), str):
        raise InputError(f"{SUMMARY} of run {run.name} does not say what it came to; remove it and resume the run")
    return FinetuneSummary(True, run / WEIGHTS, summary, str(summary.get("model") or ""))
