"""The figures of a table, gathered from the files that its runs left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import FileFormatError
from mrviewer.experiments.row_runs import Job
from mrviewer.experiments.tables import Row, Table
from mrviewer.files.json_text import read_json_object

__all__ = ["RowFigures", "gather", "read_figures"]

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RowFigures:
    """What was measured of a row.

    Parameters
    ----------
    seeds
        Trainings that have ended.
    values : (seed, subject) each
        By column; NaN where a figure does not exist.
    real : (seed, subject) each
        The same on real subjects, by metric.
    subjects, real_subjects
        Names, by condition, and of the real ones.
    seconds
        Mean time of a training.
    parameters
        Of the network.
    """

    seeds: tuple[int, ...]
    values: Mapping[str, Values]
    real: Mapping[str, Values]
    subjects: Mapping[str, tuple[str, ...]]
    real_subjects: tuple[str, ...]
    seconds: float
    parameters: int

    def of_seeds(self, column: str, seeds: Sequence[int]) -> Values:
        """Values ``(seed, subject)`` of some of the seeds."""
        return self.values[column][[self.seeds.index(seed) for seed in seeds]]


def gather(table: Table, jobs: Sequence[Job]) -> dict[str, RowFigures]:
    """Read the figures of a table's jobs, by row; rows none of whose runs has ended are left out."""
    gathered = {}
    for row in table.rows:
        records = [
            read_figures(job.result)
            for job in jobs
            if job.table == table.name and job.row.name == row.name and job.result.is_file()
        ]
        if records:
            try:
                gathered[row.name] = _row_figures(table, row, records)
            except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
                raise FileFormatError(
                    f"the figures of row {row.name} are damaged, or of another table; remove them, and run `mrviewer "
                    "reproduce` again"
                ) from error
    return gathered


def read_figures(path: Path) -> dict[str, Any]:
    """Read the figures of a job.

    Raises
    ------
    FileFormatError
        If they are damaged; the same command makes them again once the file is removed.
    """
    advice = "remove it, and run `mrviewer reproduce` again"
    record = read_json_object(path, advice)
    numbers = (record.get(name) for name in ("seed", "training_seconds", "parameters"))
    parts = (record.get(name) for name in ("figures", "real"))
    is_sound = all(isinstance(one, int | float) and not isinstance(one, bool) for one in numbers)
    if not (is_sound and all(isinstance(one, dict) for one in parts)):
        raise FileFormatError(f"{path.name} holds no figures of a run; {advice}")
    return record


def _row_figures(table: Table, row: Row, records: Sequence[dict[str, object]]) -> RowFigures:
    first: dict[str, object] = records[0]
    subjects = {name: tuple(part) for name, part in _parts(first, "figures").items()}
    real_subjects = tuple(_parts(first, "real"))
    values = {
        condition.column(metric): _array(
            [_parts(record, "figures")[condition.name] for record in records], subjects[condition.name], metric, row
        )
        for condition in table.conditions
        for metric in table.metrics
    }
    real = {
        metric: _array([_parts(record, "real") for record in records], real_subjects, metric, row)
        for metric in table.metrics
        if real_subjects
    }
    return RowFigures(
        seeds=tuple(int(str(record["seed"])) for record in records),
        values=values,
        real=real,
        subjects=subjects,
        real_subjects=real_subjects,
        seconds=float(np.mean([float(str(record["training_seconds"])) for record in records])),
        parameters=int(str(first["parameters"])),
    )


def _parts(record: dict[str, object], name: str) -> dict[str, dict[str, object]]:
    part = record[name]
    if not isinstance(part, dict):
        raise TypeError(f"{name} are no mapping")
    return part


def _array(records: Sequence[Mapping[str, object]], subjects: Sequence[str], metric: str, row: Row) -> Values:
    if row.only and metric not in row.only:
        return np.full((len(records), len(subjects)), np.nan)
    rows = []
    for record in records:
        figures = [record[subject] for subject in subjects]
        rows.append([_number(one.get(metric)) if isinstance(one, dict) else np.nan for one in figures])
    return np.asarray(rows, dtype=np.float64).reshape(len(rows), len(subjects))


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else np.nan
