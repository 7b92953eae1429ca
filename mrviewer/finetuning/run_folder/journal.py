"""What a run writes about itself: events, state, and TensorBoard logs where the package is there."""

import contextlib
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import torch

from mrviewer.finetuning.run_folder.events import EventLog
from mrviewer.finetuning.run_folder.file_names import TENSORBOARD
from mrviewer.finetuning.run_folder.record import RunState, StateFile

__all__ = ["Journal", "memory_bytes", "open_journal"]


class Journal:
    """Writes events and the state of a run; one without a folder writes nothing.

    Parameters
    ----------
    log, state
        `None` in all processes but the first.
    curves
        TensorBoard's writer, if there is one.
    """

    def __init__(self, log: EventLog | None = None, state: StateFile | None = None, curves: Any = None) -> None:  # noqa: ANN401
        self._log, self._state, self._curves = log, state, curves
        self._phase = RunState.PREPARING

    def event(self, event: str, **values: object) -> None:
        """Add an event to the log."""
        if self._log is not None:
            self._log.write(event, **values)

    def state(self, state: RunState | None = None, *, now: bool = True, **values: object) -> None:
        """Change the state of the run; see `StateFile.update`."""
        if state is not None and state is not RunState.PAUSED:
            self._phase = state
        if self._state is not None:
            self._state.update(now=now, **({"state": state.value} if state else {}), **values)

    def end_pause(self) -> None:
        """Go back to the state before a pause."""
        self.state(self._phase)

    def note(self, message: str) -> None:
        """Say something that a person should read."""
        self.event("note", message=message)
        self.state(message=message)

    def curve(self, group: str, values: Mapping[str, float | None], step: int) -> None:
        """Add points to TensorBoard's curves."""
        if self._curves is not None:
            for name, value in values.items():
                if value is not None:
                    self._curves.add_scalar(f"{group}/{name}", value, step)


@contextlib.contextmanager
def open_journal(run: Path, *, writes: bool) -> Iterator[Journal]:
    """Open the journal of a run, in the one process that writes."""
    if not writes:
        yield Journal()
        return
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(EventLog(run))
        curves = None
        if find_spec("tensorboard"):
            from torch.utils.tensorboard import SummaryWriter

            curves = SummaryWriter(str(run / TENSORBOARD))
            stack.callback(curves.close)
        state = StateFile(run)
        state.update(message="", seconds_left=None)
        yield Journal(log, state, curves)


def memory_bytes(device: str) -> int:
    """Memory in use: of a GPU what torch holds there, else that of this process."""
    kind = device.partition(":")[0]
    if kind == "cuda":
        return int(torch.cuda.memory_reserved(device))
    if kind == "mps":
        return int(torch.mps.driver_allocated_memory())
    return int(psutil.Process().memory_info().rss)
