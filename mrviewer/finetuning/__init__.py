"""Fine-tuning: a trained method goes on learning on a new database, in a run to be watched, paused and resumed."""

from mrviewer.finetuning.launch import launch
from mrviewer.finetuning.model_removal import remove_model
from mrviewer.finetuning.run import finetune
from mrviewer.finetuning.run_folder.events import EventReader, read_events, write_curves
from mrviewer.finetuning.run_folder.plan import FinetunePlan, read_plan, write_plan
from mrviewer.finetuning.run_folder.record import (
    RunRecord,
    RunState,
    UnreadableRun,
    default_runs_folder,
    list_runs,
    read_run,
    survey_runs,
)
from mrviewer.finetuning.run_folder.requests import request_finish, request_pause, request_resume, request_stop
from mrviewer.finetuning.run_folder.result import FinetuneSummary, read_summary

__all__ = [
    "EventReader",
    "FinetunePlan",
    "FinetuneSummary",
    "RunRecord",
    "RunState",
    "UnreadableRun",
    "default_runs_folder",
    "finetune",
    "launch",
    "list_runs",
    "read_events",
    "read_plan",
    "read_run",
    "read_summary",
    "remove_model",
    "request_finish",
    "request_pause",
    "request_resume",
    "request_stop",
    "survey_runs",
    "write_curves",
    "write_plan",
]
