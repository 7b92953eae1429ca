"""Whether a folder may take a run: one is neither continued nor lost by accident."""

from pathlib import Path

from mrviewer.errors import InputError
from mrviewer.finetuning.files import CHECKPOINT, EVENTS, PLAN, SUMMARY, WEIGHTS

__all__ = ["require_right_folder"]


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
    if has_run and not resume:
        raise InputError(f"folder {output.name} holds a run already; add --resume to go on, or choose another folder")
    if resume and not (has_run or (output / PLAN).is_file()):
        raise InputError(f"folder {output.name} holds no run that could go on; leave --resume out to start one")
