"""Removing an own model, unless a run is fine-tuning it."""

from pathlib import Path

from mrviewer.errors import InputError
from mrviewer.finetuning.run_folder.record import list_runs
from mrviewer.methods.own.model_names import model_path
from mrviewer.methods.own.removal import take_out_model

__all__ = ["remove_model"]


def remove_model(name: str) -> Path:
    """Move an own model to the folder of the removed ones; `mrviewer.methods.own.restore_model` puts it back.

    Returns
    -------
    Path
        Where it lies now.

    Raises
    ------
    InputError
        If there is no such model, a run is fine-tuning it, or the folder cannot be written.
    """
    for run in list_runs():
        if run.plan.method == name and run.state.is_active and model_path(name).is_file():
            raise InputError(f"the run {run.path.name} is fine-tuning {name!r}; stop it first")
    return take_out_model(name)
