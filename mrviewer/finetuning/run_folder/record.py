"""State of runs, read from their folders by anybody: what a run does now, and whether its process is still there."""

import json
import logging
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

import platformdirs
from pydantic import ConfigDict, TypeAdapter, ValidationError

from mrviewer.errors import InputError
from mrviewer.files.in_place import write_in_place
from mrviewer.files.json_text import read_json_object
from mrviewer.files.run_lock import read_holder
from mrviewer.finetuning.run_folder.file_names import OUTPUT, PLAN, STATE
from mrviewer.finetuning.run_folder.plan import FinetunePlan, read_plan
from mrviewer.system.faults import explained
from mrviewer.system.reasons import reason_of

__all__ = [
    "RunRecord",
    "RunState",
    "StateFile",
    "UnreadableRun",
    "default_runs_folder",
    "list_runs",
    "read_run",
    "survey_runs",
]

_logger = logging.getLogger(__name__)

_SIZE = 4096
_LAST_LINES = 2048
_OURS = "mrviewer: "
_KILLED = (
    "its process was ended (killed, out of memory, or the machine stopped); resume to go on from the last checkpoint, "
    f"and see {OUTPUT} in its folder if it ends again"
)


class RunState(StrEnum):
    """What a run does, or how it ended; ``INTERRUPTED``: its process is gone without a word."""

    PREPARING = "preparing"
    ZERO_SHOT = "zero-shot"
    TRAINING = "training"
    PAUSED = "paused"
    STOPPING = "stopping"
    EVALUATING = "evaluating"
    STOPPED = "stopped"
    FINISHED = "finished"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @property
    def is_active(self) -> bool:
        """Whether a process works on it."""
        return self not in _ENDED


_ENDED = (RunState.STOPPED, RunState.FINISHED, RunState.FAILED, RunState.INTERRUPTED)


@dataclass(frozen=True)
class RunRecord:
    """A run as it stands now.

    Parameters
    ----------
    path
        Its folder.
    plan
        What it was asked to do.
    state
        What it does.
    pid
        Its process; `None` where there is none.
    step, total_steps
        Optimiser steps done, and in all; 0 in all while that is not known.
    best
        Best validation score so far.
    seconds_left
        Of training, as it goes now.
    memory_bytes
        Of the device, or of the process on a CPU.
    device
        What computes.
    message
        What it did last, or why it failed.
    started
        Seconds since 1970.
    """

    path: Path
    plan: FinetunePlan
    state: RunState
    pid: int | None = None
    step: int = 0
    total_steps: int = 0
    best: float | None = None
    seconds_left: float | None = None
    memory_bytes: int | None = None
    device: str = ""
    message: str = ""
    started: float = 0.0


@dataclass(frozen=True)
class UnreadableRun:
    """A folder of a run that cannot be read.

    Parameters
    ----------
    path
        The folder.
    reason
        Why, in one sentence.
    """

    path: Path
    reason: str


_KEPT = tuple(item.name for item in fields(RunRecord) if item.name not in {"path", "plan", "pid"})


class StateFile:
    """The state of a run on disk, written in place into a block that it owns, so that a full disk cannot stop it.

    Parameters
    ----------
    run
        Folder of the run.
    """

    def __init__(self, run: Path) -> None:
        self._path = run / STATE
        self._values: dict[str, Any] = {**_stored(run), "state": RunState.PREPARING.value, "started": time.time()}
        self._written = 0.0

    @property
    def values(self) -> Mapping[str, Any]:
        """What it says."""
        return self._values

    def update(self, *, now: bool = True, **values: object) -> None:
        """Change some fields of `RunRecord`; without `now` they are written once a second at most."""
        self._values |= values
        if now or time.monotonic() - self._written > 1:
            self._written = time.monotonic()
            self._write()

    def _write(self) -> None:
        text = json.dumps(self._values, ensure_ascii=True)
        if len(text) > _SIZE:
            text = json.dumps({**self._values, "message": str(self._values.get("message", ""))[:500]})
        try:
            write_in_place(self._path, text.ljust(_SIZE).encode())
        except OSError as error:
            _logger.warning("the state of run %s cannot be written: %s", self._path.parent.name, reason_of(error))


def default_runs_folder() -> Path:
    """Where runs lie unless another folder is named: ``MRVIEWER_RUNS``, else the user's data folder."""
    named = os.environ.get("MRVIEWER_RUNS")
    return Path(named) if named else platformdirs.user_data_path("mrviewer") / "runs"


def list_runs(folder: Path | None = None) -> list[RunRecord]:
    """Runs in a folder that can be read, the latest first; see `survey_runs`."""
    return survey_runs(folder)[0]


def survey_runs(folder: Path | None = None) -> tuple[list[RunRecord], list[UnreadableRun]]:
    """Look for runs in a folder; one that is damaged hides none of the others.

    Parameters
    ----------
    folder
        `None` for `default_runs_folder`.

    Returns
    -------
    The runs, the latest first, and what could not be read. Folders that hold no plan are passed over.

    Raises
    ------
    InputError
        If the folder itself cannot be read.
    """
    folder = folder or default_runs_folder()
    try:
        paths = sorted(folder.iterdir()) if folder.is_dir() else []
    except OSError as error:
        raise InputError(f"the folder of runs {folder.name} cannot be read; check its permissions") from error
    runs, unreadable = [], []
    for path in paths:
        try:
            if (path / PLAN).is_file():
                runs.append(read_run(path))
        except (InputError, OSError) as error:
            unreadable.append(UnreadableRun(path, str(explained(error, "runs"))))
    return sorted(runs, key=lambda run: run.started, reverse=True), unreadable


def read_run(run: Path) -> RunRecord:
    """Return a run as it stands now.

    Raises
    ------
    InputError
        If the folder holds no run.
    """
    plan = read_plan(run)
    # In this order: a process that ends in between has written its last state before.
    holder = read_holder(run)
    values = _stored(run)
    state = values.pop("state", RunState.PREPARING)
    if state.is_active and holder is None:
        values["message"] = _last_words(run) or _KILLED
        state = RunState.INTERRUPTED
    return RunRecord(run, plan, state, holder.pid if holder else None, **values)


def _stored(run: Path) -> dict[str, Any]:
    """What the state file says, without fields that are not known or damaged."""
    for _ in range(3):
        try:
            values = read_json_object(run / STATE, "it is as if it were not there")
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            # Read while it was being written.
            time.sleep(0.01)
            continue
        kept: dict[str, Any] = {}
        for name, kind in _kinds().items():
            with suppress(ValidationError):
                kept |= {name: kind.validate_python(values[name])} if name in values else {}
        return kept
    return {}


@cache
def _kinds() -> dict[str, TypeAdapter[Any]]:
    """How each field of a state file is read."""
    finite = ConfigDict(allow_inf_nan=False)
    hints = get_type_hints(RunRecord)
    return {name: TypeAdapter(hints[name], config=finite) for name in _KEPT}


def _last_words(run: Path) -> str:
    """Why the process refused, if that was the last that it said; what a library said last explains nothing."""
    try:
        with (run / OUTPUT).open("rb") as file:
            file.seek(max((run / OUTPUT).stat().st_size - _LAST_LINES, 0))
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        return ""
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return last.removeprefix(_OURS) if last.startswith(_OURS) else ""
