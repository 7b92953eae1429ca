"""What a person wants of a run: a small file in its folder, which the run reads several times a second."""

import json
import logging
from enum import StrEnum
from pathlib import Path

from mrviewer.errors import InputError
from mrviewer.files.json_text import read_json_object
from mrviewer.files.whole_file import whole_file
from mrviewer.finetuning.run_folder.file_names import CONTROL, PLAN

__all__ = [
    "RunRequest",
    "clear_request",
    "read_request",
    "request_finish",
    "request_pause",
    "request_resume",
    "request_stop",
]

_logger = logging.getLogger(__name__)


class RunRequest(StrEnum):
    """What a run is asked for."""

    RUN = "run"
    PAUSE = "pause"
    STOP = "stop"
    FINISH = "finish"


def request_pause(run: Path) -> None:
    """Ask a run to wait; it keeps its process and its memory."""
    _write(run, RunRequest.PAUSE)


def request_resume(run: Path) -> None:
    """Ask a paused run to go on. One whose process is gone is started again by `mrviewer.finetuning.launch`."""
    _write(run, RunRequest.RUN)


def request_stop(run: Path) -> None:
    """Ask a run to end at once; its best weights and a checkpoint to go on from are kept."""
    _write(run, RunRequest.STOP)


def request_finish(run: Path) -> None:
    """Ask a run to train no further and to measure its best weights."""
    _write(run, RunRequest.FINISH)


def read_request(run: Path) -> RunRequest:
    """Return what a run is asked for; a missing or half-written file asks for nothing."""
    try:
        return RunRequest(read_json_object(run / CONTROL, "it asks for nothing")["wish"])
    except FileNotFoundError:
        return RunRequest.RUN
    except (OSError, ValueError, KeyError, TypeError) as error:
        _logger.debug("the control file cannot be read: %s", error)
        return RunRequest.RUN


def clear_request(run: Path) -> None:
    """Forget what was asked for before a run begins."""
    (run / CONTROL).unlink(missing_ok=True)


def _write(run: Path, request: RunRequest) -> None:
    if not (run / PLAN).is_file():
        raise InputError(f"folder {run.name} holds no fine-tuning run; give the folder of one")
    with whole_file(run / CONTROL) as temporary:
        temporary.write_text(json.dumps({"wish": request.value}) + "\n", encoding="utf-8")
