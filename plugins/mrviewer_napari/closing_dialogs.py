"""What is said when the window closes: that runs go on without it, and that strokes nobody saved would be lost."""

from collections.abc import Sequence

from qtpy.QtWidgets import QMessageBox, QWidget

from mrviewer.finetuning import RunRecord
from mrviewer_napari.preferences import remember_told_of_runs, was_told_of_runs
from mrviewer_napari.sections.corrections.corrections_section import CorrectionsSection
from mrviewer_napari.widgets.plain_widgets import say_in_box

__all__ = ["offer_to_save_strokes", "tell_of_running_runs"]


def tell_of_running_runs(parent: QWidget, active: Sequence[RunRecord]) -> None:
    """Say so once to each person; later they know."""
    if not active or was_told_of_runs():
        return
    remember_told_of_runs()
    names = ", ".join(run.path.name for run in active)
    say_in_box(
        parent,
        "Fine-tuning goes on",
        f"{names} goes on without this window. The next window shows it again; "
        "`mrviewer runs` lists it, pauses it and stops it.",
    )


def offer_to_save_strokes(parent: QWidget, corrections: CorrectionsSection) -> None:
    """Ask whether a correction that was not saved is to be saved."""
    if not corrections.correcting.is_touched:
        return
    answer = QMessageBox.question(parent, "Correction", "What you painted is not saved yet. Save it?")
    if answer is QMessageBox.StandardButton.Yes:
        corrections.save_now(wait=True)
