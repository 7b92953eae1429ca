"""What the commands say: JSON on standard output, everything else on standard error."""

import io
import logging
import os
import sys
import time
from collections.abc import Generator
from contextlib import suppress
from typing import TypeVar

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Column, Table

from mrviewer.files.json_text import json_text
from mrviewer.plain_text import plain
from mrviewer.progress import Progress, Skipped

__all__ = [
    "INTERRUPTED",
    "plain_logging",
    "print_json",
    "print_table",
    "refuse",
    "say",
    "silence_output",
    "watch",
    "write_any_name",
]

T = TypeVar("T")

INTERRUPTED = 130
"""Exit status of a command that a person or a signal ended."""
_WIDTH_OF_A_FILE = 200


def print_json(value: object) -> None:
    """Write one JSON value to standard output; NaN is refused, since JSON has none."""
    sys.stdout.write(json_text(value, encoding=sys.stdout.encoding or "utf-8", indent=2) + "\n")


def _console(*, to_stdout: bool) -> Console:
    """A console that takes no text for markup, colours nothing, and knows no names of emoji."""
    return Console(stderr=not to_stdout, markup=False, highlight=False, emoji=False)


def _shown(cell: RenderableType) -> RenderableType:
    return plain(cell, lines=True) if isinstance(cell, str) else cell


def plain_logging() -> None:
    """Let what libraries log reach the terminal without signs that command it."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(_PlainFormatter())


class _PlainFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """One record, as it may be shown."""
        return plain(super().format(record), lines=True)


def say(message: str) -> None:
    """Write a line for the person to standard error."""
    _console(to_stdout=False).print(plain(message, lines=True), soft_wrap=True)


def refuse(error: Exception) -> None:
    """Write why something was refused, as one line on standard error; where that is full or closed, nothing."""
    with suppress(OSError, ValueError):
        say("mrviewer: " + " ".join(str(error).split()))


def write_any_name() -> None:
    """Let standard output take names of files that are not text, which the file systems of Unix allow."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def silence_output() -> None:
    """Throw away what waits for standard output, which cannot be written, so that ending does not fail once more."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        return
    with suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def print_table(table: Table, *, to_stdout: bool) -> None:
    """Write a table as wide as the terminal, or wide enough for a file."""
    console = _console(to_stdout=to_stdout)
    columns = [Column(_shown(column.header), justify=column.justify, overflow="fold") for column in table.columns]
    shown = Table(*columns, title=None if table.title is None else plain(str(table.title)))
    for row in zip(*(column.cells for column in table.columns), strict=True):
        shown.add_row(*map(_shown, row))
    if not console.is_terminal:
        console.width = _WIDTH_OF_A_FILE
    console.print(shown)


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
    console = _console(to_stdout=False)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    deadline = time.monotonic() + seconds
    try:
        with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task(plain(title), total=None)
            while time.monotonic() < deadline:
                try:
                    step = next(job)
                except StopIteration as end:
                    value: T = end.value
                    return value
                if isinstance(step.detail, Skipped):
                    say(f"left out {step.detail.subject}: {step.detail.reason}")
                bar.update(
                    task, completed=step.done, total=step.total, description=plain(f"{title} {step.message}".strip())
                )
            return None
    finally:
        job.close()
