"""What is said when the window closes: that runs go on without it, and that strokes nobody saved would be lost."""

from collections.abc import Sequence

from qtpy.QtWidgets import QMessageBox, QWidget

from mrviewer.finetuning import RunRecord
from mrviewer_napari.plain import say_in_box
from mrviewer_napari.sections.corrections import CorrectionsSection
from mrviewer_napari.settings import keep_told, was_told

__all__ = ["keep_strokes", "say_that_runs_go_on"]


def say_that_runs_go_on(parent: QWidget, active: Sequence[RunRecord]) -> None:
    """Say so once to each person; later they know."""
    if not active or was_told():
        return
    keep_told()
    names = ", ".join(run.path.name for run in active)
    say_in_box(
        parent,
        "Fine-tuning goes on",
        f"{names} goes on without this window. The next window shows it again; "
        "`mrviewer runs` lists it, pauses it and stops it.",
    )


def keep_strokes(parent: QWidget, corrections: CorrectionsSection) -> None:
    """Ask whether a correction that was not saved is to be saved."""
    if not corrections.correcting.is_touched:
        return
    answer = QMessageBox.question(parent, "Correction", "What you painted is not saved yet. Save it?")
    if answer is QMessageBox.StandardButton.Yes:
        corrections.save_now(wait=True)
