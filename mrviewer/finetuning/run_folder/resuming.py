"""Whether a folder may take a run: one is neither continued nor lost by accident."""

import os
from dataclasses import replace
from pathlib import Path

from mrviewer.errors import InputError
from mrviewer.finetuning.run_folder.file_names import BEFORE, BEST, CHECKPOINT, EVENTS, PLAN, SUMMARY, WEIGHTS
from mrviewer.finetuning.run_folder.plan import FinetunePlan, read_plan
from mrviewer.finetuning.run_folder.record import RunState, read_run

__all__ = ["make_folder", "require_right_folder", "resumed_plan"]

_OF_NUMBERS = (
    "method", "database", "weights", "mapping", "parts", "epochs", "options", "modality", "acceleration", "mask",
)  # fmt: skip
"""Fields that the numbers of a run depend on."""


def require_right_folder(output: Path, *, resume: bool) -> None:
    """Refuse a folder that holds a run unless it is to go on, and one that holds none if it is.

    Raises
    ------
    InputError
        With what to do instead.
    """
    if output.exists() and not output.is_dir():
        raise InputError(f"output {output.name} is a file; give a folder")
    has_run = any((output / name).exists() for name in (CHECKPOINT, WEIGHTS, EVENTS, SUMMARY))
    if has_run and not resume and not _failed_at_once(output):
        raise InputError(f"folder {output.name} holds a run already; add --resume to go on, or choose another folder")
    if resume and not (has_run or (output / PLAN).is_file()):
        raise InputError(f"folder {output.name} holds no run that could go on; leave --resume out to start one")


def _failed_at_once(output: Path) -> bool:
    """Whether a run was refused before it measured or trained anything, so that a corrected plan may be given."""
    has_something = any((output / name).exists() for name in (CHECKPOINT, WEIGHTS, BEST, BEFORE, SUMMARY))
    return not has_something and (output / PLAN).is_file() and read_run(output).state == RunState.FAILED


def make_folder(output: Path) -> None:
    """Make the folder of a run, if it is not there.

    Raises
    ------
    InputError
        If that cannot be done, or nothing can be written in it.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"folder {output.name} cannot be made ({error.strerror}); choose another one") from error
    if not os.access(output, os.W_OK):
        raise InputError(f"nothing can be written into folder {output.name}; choose another one")


def resumed_plan(plan: FinetunePlan) -> FinetunePlan:
    """Return the plan that is in the folder of a run, with the device of the one that was given.

    Raises
    ------
    InputError
        If the two differ in what the numbers of the run depend on.
    """
    stored = read_plan(plan.folder)
    given, kept = plan.to_json(), stored.to_json()
    other = next((name for name in _OF_NUMBERS if given[name] != kept[name]), None)
    if other is not None:
        raise InputError(
            f"the run in {plan.folder.name} was started with another {other}; give the same, or choose another folder"
        )
    if plan.validation and set(plan.validation) != set(stored.validation):
        raise InputError(
            f"the run in {plan.folder.name} was started with other validation cases; give the same, or another folder"
        )
    return replace(stored, device=plan.device)
