"""One run of an experiment: train a row with one seed, measure it on subjects that it never saw, keep the figures."""

import hashlib
import json
import logging
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

from mrviewer.database import Subject, open_database
from mrviewer.errors import DoesNotFitError, InputError, MrviewerError, UnknownNameError
from mrviewer.evaluation.measuring import Figures, mean_figures, measure_study
from mrviewer.experiments.cases import load_case, with_modalities
from mrviewer.experiments.tables import Condition, Row
from mrviewer.files.json_text import parse_json
from mrviewer.files.portable_names import portable_name
from mrviewer.files.whole_file import whole_file
from mrviewer.method import Method
from mrviewer.methods.chain import Chain
from mrviewer.methods.registry import get_method
from mrviewer.progress import Progress, retold

__all__ = ["Job", "reason_to_skip", "run_job", "training_seconds"]

_logger = logging.getLogger(__name__)
_VERSION = 1
"""Raise it when the same settings would be measured in another way, so that old figures are not mixed with new ones."""


@dataclass(frozen=True)
class Job:
    """A row of a table, a seed, and where its figures go.

    Parameters
    ----------
    table
        Name of the table.
    row
        What is trained and measured.
    seed
        Of everything random in the training.
    folder
        Folder of the experiments; a run of other settings lies in another file of it.
    data
        Folders of real subjects on which the row is measured too.
    device
        See `mrviewer.device.resolve_device`.
    """

    table: str
    row: Row
    seed: int
    folder: Path
    data: tuple[str, ...] = ()
    device: str = "cpu"

    @property
    def name(self) -> str:
        """What it is, for a person."""
        return f"{self.table}/{self.row.name} seed {self.seed}"

    @property
    def run_folder(self) -> Path:
        """Folder of the training run; rows of the same settings share it, whatever their tables."""
        return self.folder / "runs" / f"{portable_name(self.row.method)}-{self._fingerprint}-seed{self.seed}"

    @property
    def result(self) -> Path:
        """File of the figures."""
        return self.run_folder.with_suffix(".json")

    @property
    def _fingerprint(self) -> str:
        """Tells settings apart: figures of other settings are other figures."""
        row = self.row
        conditions = [{**asdict(condition), "title": ""} for condition in row.conditions]
        settings: list[object] = [_VERSION, row.method, row.database, dict(row.options), conditions]
        settings += [[part.method, part.database, dict(part.options)] for part in row.parts]
        text = json.dumps([*settings, [Path(one).name for one in self.data]], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:10]


def reason_to_skip(row: Row) -> str:
    """Why a row cannot be trained here, as a sentence; empty if it can."""
    from mrviewer.training.recipe import Trainable

    try:
        get_method(row.method)  # refuses a chain of two that cannot follow each other
        for one in row.trained:
            method = get_method(one.method)
            if not isinstance(method, Trainable):
                return f"method {one.method!r} has nothing to train; the row is left out"
            method.recipe(one.options)
    except (MrviewerError, ImportError) as error:
        return f"{error}; the row is left out"
    return ""


def run_job(job: Job) -> Generator[Progress, None, Path]:
    """Train, measure and write the figures; a run that was stopped goes on where it was.

    Returns
    -------
    Path
        A JSON file with the settings, ``figures[condition][subject][metric]`` of unseen subjects, and the same for real
        ones under ``real``.

    Raises
    ------
    InputError
        If a test subject is among the training subjects.
    """
    row, folder = job.row, job.run_folder
    _require_unseen(row)
    folder.mkdir(parents=True, exist_ok=True)
    runs: list[_TrainedRow] = []
    for number, part in enumerate(row.trained):
        runs.append((yield from _train(part, folder / str(number) if row.parts else folder, job)))
    trained = Chain(runs[0].method, runs[1].method) if row.parts else runs[0].method
    figures = {}
    for condition in row.conditions:
        figures[condition.name] = yield from _measure(trained, open_database(condition.database), condition, job)
    real = yield from _measure_real(trained, row.conditions[0], job)
    record = {
        "seed": job.seed,
        "method": row.method,
        "database": list(row.database),
        "options": dict(row.options),
        "conditions": [asdict(condition) for condition in row.conditions],
        "figures": figures,
        "real": real,
        "training_seconds": round(sum(run.seconds for run in runs), 1),
        "parameters": sum(run.parameters for run in runs),
        "mrviewer": version("mrviewer"),
    }
    with whole_file(job.result) as temporary:
        temporary.write_text(json.dumps(record, indent=1, allow_nan=False), encoding="utf-8")
    for run in runs:
        (run.folder / "checkpoint.safetensors").unlink(missing_ok=True)
    return job.result


@dataclass(frozen=True)
class _TrainedRow:
    """A method with the weights that a row gave it."""

    method: Method
    folder: Path
    seconds: float
    parameters: int


def _train(row: Row, folder: Path, job: Job) -> Generator[Progress, None, _TrainedRow]:
    """Train a row, or take what a part of a chain was trained to as a row of its own."""
    from mrviewer.methods.weights import load_weights
    from mrviewer.training import cli_train
    from mrviewer.training.recipe import Trainable

    alone = replace(job, row=row)
    if row is not job.row and alone.result.is_file():
        folder = alone.run_folder
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / "weights.safetensors"
    if not weights.is_file():
        options = {**row.options, "seed": str(job.seed), "threads": "1"}
        training = cli_train(row.method, row.database, folder, job.device, options)
        weights = yield from retold(training, partial(_named, job=job))
    method = get_method(row.method)
    assert isinstance(method, Trainable)
    seconds = training_seconds(folder / "events.jsonl")
    parameters = sum(tensor.numel() for tensor in load_weights(weights).tensors.values())
    return _TrainedRow(method.with_weights(weights), folder, seconds, parameters)


def _measure(
    method: Method, subjects: Sequence[Subject], condition: Condition, job: Job
) -> Generator[Progress, None, dict[str, Figures]]:
    """Figures of each subject."""
    figures: dict[str, Figures] = {}
    for number, subject in enumerate(subjects):
        figures[subject.name] = yield from _measure_subject(method, subject, condition, job)
        yield Progress(number + 1, len(subjects), f"{job.name}: measured {subject.name}")
    return figures


def _measure_real(method: Method, condition: Condition, job: Job) -> Generator[Progress, None, dict[str, Figures]]:
    """Figures of those real subjects that the method fits; a folder may hold others."""
    figures: dict[str, Figures] = {}
    for subject in open_database(job.data):
        try:
            figures[subject.name] = yield from _measure_subject(method, subject, condition, job)
        except (DoesNotFitError, UnknownNameError) as error:
            _logger.info("%s is left out of %s: %s", subject.name, job.name, error)
    return figures


def _measure_subject(
    method: Method, subject: Subject, condition: Condition, job: Job
) -> Generator[Progress, None, Figures]:
    """Figures of a subject; with several sets of modalities their mean."""
    study = load_case(subject, job.folder / "cases", coarsen=condition.coarsen, every=condition.every)
    sampling = condition.sampling(job.seed)
    parts = []
    for modalities in condition.modality_sets or ((),):
        seen = with_modalities(study, modalities)
        modality = modalities[0] if modalities else study.choose_modality(condition.modality or None)
        measured = yield from measure_study(method, seen, sampling, modality=modality, device=job.device)
        parts.append(measured.figures)
    return mean_figures(parts)


def _require_unseen(row: Row) -> None:
    trained = {subject.name for one in row.trained for subject in open_database(one.database)}
    for condition in row.conditions:
        if seen := sorted(trained & {subject.name for subject in open_database(condition.database)}):
            raise InputError(f"row {row.name} is measured on {seen[0]}, which it is trained on; take other subjects")


def training_seconds(events: Path) -> float:
    """Seconds of all calls that a training took; each call counts from 0."""
    total = last = 0.0
    for line in events.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            seconds = float(parse_json(line)["seconds"])
        except (ValueError, TypeError, KeyError, OverflowError):
            continue  # A line that a failing machine cut off.
        total += seconds - last if seconds >= last else seconds
        last = seconds
    return round(total, 1)


def _named(step: Progress, *, job: Job) -> Progress:
    return Progress(step.done, step.total, f"{job.name}: {step.message}")
