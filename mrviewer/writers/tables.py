"""Numbers as files: ``metrics.json`` and ``lesions.csv``. What could not be computed is null, or an empty field."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from mrviewer.errors import InputError
from mrviewer.files.whole_file import whole_file
from mrviewer.metrics.lesions import LESION_COLUMNS, LesionTable
from mrviewer.metrics.metric_list import METRICS
from mrviewer.plain_text import CellWriter

__all__ = ["write_lesions", "write_metrics", "write_quantities"]

_UNITS = {f"{metric.group} {metric.name}": metric.unit for metric in METRICS} | {"seconds": "s"}
"""Units of what is in ``metrics.json``; all else is a ratio or a name."""
_ELSEWHERE = ("conventions", "notes", "lesions")
"""What is no number, or has a table of its own."""


def write_metrics(path: str | Path, metrics: Mapping[str, object]) -> None:
    """Write a document of numbers as JSON, whole or not at all.

    Parameters
    ----------
    path
        Usually ``metrics.json``; an old file is replaced.
    metrics
        For instance ``{"method": ..., **assessment.to_json()}``: strings, numbers, `None`, lists and mappings.

    Raises
    ------
    InputError
        If a value is NaN or infinite, or nothing that JSON knows.
    """
    try:
        text = json.dumps(metrics, indent=2, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{Path(path).name} cannot be written ({error}); give finite numbers, and None for what is unknown"
        ) from error
    with whole_file(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def write_lesions(path: str | Path, table: LesionTable) -> None:
    """Write one row a lesion as CSV, whole or not at all.

    Parameters
    ----------
    path
        Usually ``lesions.csv``; an old file is replaced.
    table
        The lesions of the reference, then the false ones.
    """
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = CellWriter(stream)
        writer.row(column.name for column in LESION_COLUMNS)
        for row in table.rows:
            writer.row(row.to_json().values())


def write_quantities(path: str | Path, metrics: Mapping[str, object]) -> None:
    """Write the numbers of ``metrics.json`` as CSV, a row each with its unit, whole or not at all.

    Parameters
    ----------
    path
        Usually ``metrics.csv``; an old file is replaced.
    metrics
        What ``metrics.json`` holds. A value that is not known is an empty field; sentences are left out.
    """
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = CellWriter(stream)
        writer.row(("quantity", "value", "unit"))
        for name, value in _leaves(metrics):
            if name not in _ELSEWHERE:
                shown = " ".join(map(str, value)) if isinstance(value, list) else value
                writer.row((name, shown, _UNITS.get(name, "")))


def _leaves(metrics: Mapping[str, object], above: str = "") -> Iterator[tuple[str, object]]:
    """Values under the names of their branches."""
    for name, value in metrics.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{name} ")
        else:
            yield f"{above}{name}", value
