"""What the commands say: JSON on standard output, everything else on standard error."""

import json
import sys
import time
from collections.abc import Generator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table

from mrviewer.progress import Progress, Skipped

__all__ = ["INTERRUPTED", "print_json", "print_table", "refuse", "say", "watch"]

T = TypeVar("T")

INTERRUPTED = 130
"""Exit status of a command that a person or a signal ended."""
_WIDTH_OF_A_FILE = 200


def print_json(value: object) -> None:
    """Write one JSON value to standard output; NaN is refused, since JSON has none."""
    sys.stdout.write(json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def say(message: str) -> None:
    """Write a line for the person to standard error."""
    Console(stderr=True).print(message, markup=False, highlight=False, soft_wrap=True)


def refuse(error: Exception) -> None:
    """Write why something was refused, as one line on standard error."""
    say("mrviewer: " + " ".join(str(error).split()))


def print_table(table: Table, *, to_stdout: bool) -> None:
    """Write a table as wide as the terminal, or wide enough for a file."""
    console = Console(stderr=not to_stdout)
    for column in table.columns:
        column.overflow = "fold"
    if not console.is_terminal:
        console.width = _WIDTH_OF_A_FILE
    console.print(table, markup=False, highlight=False)


def watch(job: Generator[Progress, None, T], title: str, *, seconds: float = float("inf")) -> T | None:
    """Run a job to its end and draw its progress where standard error is a terminal; what it leaves out is said.

    Parameters
    ----------
    job
        It is closed in any case, also when the person interrupts it.
    title
        What is being done.
    seconds
        Time after which the job is closed at its next step.

    Returns
    -------
    The value of the job; `None` if its time was over.
    """
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    deadline = time.monotonic() + seconds
    try:
        with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task(title, total=None)
            while time.monotonic() < deadline:
                try:
                    step = next(job)
                except StopIteration as end:
                    value: T = end.value
                    return value
                if isinstance(step.detail, Skipped):
                    say(f"left out {step.detail.subject}: {step.detail.reason}")
                bar.update(task, completed=step.done, total=step.total, description=f"{title} {step.message}".strip())
            return None
    finally:
        job.close()
