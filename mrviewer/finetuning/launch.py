"""Runs in a process of their own, which outlives the one that started it."""

import subprocess
from pathlib import Path

from mrviewer.errors import InputError
from mrviewer.files.run_lock import reserve_lock
from mrviewer.finetuning.new_model_name import named
from mrviewer.finetuning.run_folder.file_names import OUTPUT
from mrviewer.finetuning.run_folder.plan import FinetunePlan, write_plan
from mrviewer.finetuning.run_folder.record import RunRecord, RunState, StateFile, read_run
from mrviewer.finetuning.run_folder.requests import clear_request
from mrviewer.finetuning.run_folder.resuming import make_folder, require_right_folder, resumed_plan
from mrviewer.system.background import detached
from mrviewer.system.search_path import child_environment, python_command

__all__ = ["launch"]

_children: list[subprocess.Popen[bytes]] = []
"""Kept until they end, so that none of them stays behind as a zombie."""


def launch(plan: FinetunePlan, *, resume: bool = False) -> RunRecord:
    """Start a run in a detached process and return at once.

    Parameters
    ----------
    plan
        Written into the folder of the run before the process starts.
    resume
        Whether the folder holds a run that is to go on.

    Raises
    ------
    InputError
        If the folder holds another run, another process works in it, or an option is refused.
    """
    # Imported here, because whoever only looks at runs needs no torch.
    from mrviewer.finetuning.resolved_plan import require_possible

    folder = plan.checked().folder
    require_right_folder(folder, resume=resume)
    plan = resumed_plan(plan) if resume else named(plan)
    if not resume:
        require_possible(plan)
    make_folder(folder)
    _children[:] = [child for child in _children if child.poll() is None]
    with reserve_lock(folder) as make_lock_of:
        clear_request(folder)
        try:
            file = write_plan(plan)
        except OSError as error:
            raise InputError(
                f"the plan of run {folder.name} cannot be written ({error.strerror}); make room"
            ) from error
        StateFile(folder).update(state=RunState.PREPARING.value, message="starting")
        child = _start(file, resume=resume)
        make_lock_of(child.pid)
    _children.append(child)
    return read_run(folder)


def _start(plan: Path, *, resume: bool) -> subprocess.Popen[bytes]:
    command = python_command("-m", "mrviewer", "finetune", "--plan", str(plan), "--background")
    with (plan.parent / OUTPUT).open("ab") as output:
        # So that what an earlier process said last is not taken for the last words of this one.
        output.write(b"--- begins\n")
        output.flush()
        return subprocess.Popen(
            [*command, *(["--resume"] if resume else [])],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            **detached(),
            # Nobody looks while it works; a bar would only fill the file.
            env={**child_environment(), "NO_COLOR": "1", "TERM": "dumb"},
        )
