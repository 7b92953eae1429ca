"""The event log of a run: one JSON object a line, written as it happens, read while it grows, turned into curves."""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mrviewer.files.json_text import json_text, parse_json
from mrviewer.files.lines import open_lines
from mrviewer.files.whole_file import whole_file
from mrviewer.finetuning.run_folder.file_names import EVENTS
from mrviewer.plain_text import CellWriter

__all__ = ["EventLog", "EventReader", "read_events", "write_curves"]


class EventLog:
    """Appends events to the log of a run.

    Parameters
    ----------
    run
        Its folder.
    """

    def __init__(self, run: Path) -> None:
        self._file = open_lines(run / EVENTS)

    def write(self, event: str, **values: object) -> None:
        """Add one event; readers see it at once."""
        line = {"time": round(time.time(), 3), "event": event, **values}
        self._file.write(json_text(line) + "\n")
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()


class EventReader:
    """Reads the log of a run from where it was last read; a line that is not yet whole waits for the next time.

    Parameters
    ----------
    run
        Its folder.
    """

    def __init__(self, run: Path) -> None:
        self._path = run / EVENTS
        self._place = 0

    def new(self) -> list[dict[str, Any]]:
        """Events since the last call."""
        try:
            size = self._path.stat().st_size
            self._place = self._place if self._place <= size else 0
            with self._path.open("rb") as file:
                file.seek(self._place)
                text = file.read()
        except OSError:
            return []
        whole, newline, _ = text.rpartition(b"\n")
        self._place += len(whole) + len(newline)
        return list(_parsed(whole.split(b"\n")))


def read_events(run: Path) -> list[dict[str, Any]]:
    """All events of a run, in their order."""
    return EventReader(run).new()


def write_curves(run: Path, path: Path) -> None:
    """Write the curves of a run as a table: a row a step or validation, a column a figure.

    Steps that were done twice, because a machine failed between two checkpoints, stand once, as they were done last.
    """
    rows: dict[tuple[int, str], Mapping[str, Any]] = {}
    for event in read_events(run):
        if event["event"] in {"step", "validation"} and isinstance(event.get("step"), int):
            rows[event["step"], event["event"]] = _flat(event)
    chosen = [rows[key] for key in sorted(rows, key=lambda key: (key[0], key[1]))]
    names = _columns(chosen)
    with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = CellWriter(file)
        table.row(["event", *names])
        for row in chosen:
            table.row([row["event"], *(row.get(name, "") for name in names)])


def _flat(event: Mapping[str, Any]) -> dict[str, Any]:
    """Records inside an event become ``record.field``."""
    flat: dict[str, Any] = {}
    for name, value in event.items():
        flat |= {f"{name}.{key}": inner for key, inner in value.items()} if isinstance(value, dict) else {name: value}
    return flat


def _columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name, value in row.items() if isinstance(value, int | float)))


def _parsed(lines: Sequence[bytes]) -> Iterator[dict[str, Any]]:
    """Events of whole lines; one that a failing machine cut off or damaged is passed over."""
    for line in lines:
        try:
            value = parse_json(line)
        except ValueError:
            continue
        if isinstance(value, dict) and isinstance(value.get("event"), str):
            yield value
