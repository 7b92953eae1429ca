"""What is said of a run: its state, how far it is, how long it will take. No Qt."""

from mrviewer.finetuning import RunRecord, RunState
from mrviewer_napari.sections.finetune.facts.run_history import RunHistory

__all__ = ["duration", "memory", "progress_text", "state_text"]

_WORDS = {
    RunState.PREPARING: "preparing the data",
    RunState.ZERO_SHOT: "measuring the model as it is",
    RunState.TRAINING: "training",
    RunState.PAUSED: "paused",
    RunState.STOPPING: "stopping",
    RunState.EVALUATING: "measuring the new model",
    RunState.STOPPED: "stopped, the best weights are kept",
    RunState.FINISHED: "finished",
    RunState.FAILED: "failed",
    RunState.INTERRUPTED: "interrupted, its process is gone",
}


def state_text(run: RunRecord) -> str:
    """State of a run in words."""
    return _WORDS[run.state]


def progress_text(run: RunRecord, history: RunHistory) -> str:
    """Steps, time left, device and memory of a run in one line, without what is not known."""
    total = history.total_steps or run.total_steps
    step = max(history.step, run.step)
    left = history.seconds_left if history.seconds_left is not None else run.seconds_left
    used = history.memory_bytes if history.memory_bytes is not None else run.memory_bytes
    parts = [f"step {step} of {total}" if total else ""]
    if run.state is RunState.TRAINING and left is not None:
        parts.append(f"about {duration(left)} left")
    parts.append(history.device or run.device)
    parts.append("" if not used else memory(used))
    return ", ".join(part for part in parts if part)


def duration(seconds: float) -> str:
    """Length of time, as exactly as somebody who waits wants to know it."""
    if seconds < 90:
        return f"{max(round(seconds), 0)} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def memory(n_bytes: float) -> str:
    """Amount of memory."""
    return f"{n_bytes / 2**20:.0f} MB" if n_bytes < 2**30 else f"{n_bytes / 2**30:.1f} GB"
