"""``mrviewer finetune``: a trained method goes on learning on a new database, also in several processes."""

import logging
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from mrviewer.commands.options import AsJson, Device, Settings, split_settings
from mrviewer.commands.terminal import INTERRUPTED, print_json, print_table, say, watch
from mrviewer.metrics.metric_list import METRICS, flat
from mrviewer.progress import finish

if TYPE_CHECKING:
    from mrviewer.finetuning import FinetunePlan, FinetuneSummary

__all__ = ["finetune"]

Names = Annotated[
    list[str] | None,
    typer.Option("--validation", help="Subject or patient to validate on; repeatable.", metavar="NAME"),
]
Parts = Annotated[
    list[str] | None, typer.Option("--parts", help="Part to train; repeatable, all by default.", metavar="PART")
]


def finetune(
    method: Annotated[str, typer.Option(help="Method, or model of your own, to start from.", metavar="NAME")] = "",
    database: Annotated[
        list[str] | None, typer.Option(help="Folder, dataset.json, table, or simulated:N; repeatable.", metavar="DIR")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Folder of the run.", metavar="RUN")] = None,
    epochs: Annotated[float | None, typer.Option(help="Times through the database.")] = None,
    weights: Annotated[Path | None, typer.Option(help="Other weights of the method to start from.")] = None,
    mapping: Annotated[Path | None, typer.Option(help="What channels and labels mean, as JSON.")] = None,
    validation: Names = None,
    validation_share: Annotated[float, typer.Option(help="Share of patients to validate on.")] = 0.25,
    parts: Parts = None,
    settings: Settings = None,
    name: Annotated[str, typer.Option(help="Name of the new model.")] = "",
    no_add: Annotated[bool, typer.Option("--no-add", help="Leave the new model out of the methods.")] = False,
    modality: Annotated[str, typer.Option(help="Measured image, for methods on k-space.")] = "",
    acceleration: Annotated[float, typer.Option(help="Of the mask to train most and to measure with.")] = 4.0,
    mask: Annotated[str, typer.Option(help="Family of that mask.")] = "random",
    validate_every: Annotated[int, typer.Option(min=0, help="Steps; 0: as often as a fifth of the time allows.")] = 0,
    plan: Annotated[Path | None, typer.Option(help="A plan, or the folder of a run, instead of all this.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in this folder.")] = False,
    device: Device = "auto",
    background: Annotated[bool, typer.Option("--background", hidden=True)] = False,
    as_json: AsJson = False,
) -> None:
    """Fine-tune a method on a database: measure, train, measure again."""
    from mrviewer.finetuning import FinetunePlan, read_plan

    stored = plan or (output if resume and not method else None)
    if stored is not None:
        order = read_plan(stored)
        order = order if background or device == "auto" else replace(order, device=device)
    else:
        order = FinetunePlan(
            method=_required(method, "--method"),
            database=tuple(_required(database, "--database")),
            output=str(_required(output, "--output")),
            weights="" if weights is None else str(weights.resolve()),
            mapping=None if mapping is None else _read_mapping(mapping),
            validation=tuple(validation or ()),
            validation_share=validation_share,
            parts=tuple(parts or ("all",)),
            epochs=epochs,
            options=split_settings(settings),
            name=name,
            device=device,
            modality=modality,
            acceleration=acceleration,
            mask=mask,
            validate_every=validate_every,
            add=not no_add,
        )
    summary, is_interrupted = _run(order, resume=resume, background=background)
    if _is_first():
        _tell(order, summary, as_json=as_json)
    is_cut_short = is_interrupted and not summary.finished
    if background:
        _leave_at_once(INTERRUPTED if is_cut_short else 0)
    if is_cut_short:
        raise KeyboardInterrupt


def _leave_at_once(code: int) -> None:
    """End the process without taking torch apart, which would hold its memory for seconds on a busy machine."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _run(plan: "FinetunePlan", *, resume: bool, background: bool) -> "tuple[FinetuneSummary, bool]":
    """What a run came to, and whether a signal ended it."""
    from mrviewer.finetuning.engine import run_plan
    from mrviewer.system.background import give_way
    from mrviewer.system.interruption import caught_signals

    if background:
        # The viewer comes first on a machine that both share.
        give_way()
    with caught_signals() as is_interrupted:
        job = run_plan(plan, resume=resume, obey_old_wishes=background, is_interrupted=is_interrupted)
        # One of several processes draws for all.
        summary = watch(job, plan.method) if _is_first() else finish(job)
        assert summary is not None
        return summary, is_interrupted()


def _is_first() -> bool:
    return os.environ.get("RANK", "0") == "0"


def _required(value: Any, option: str) -> Any:  # noqa: ANN401 - any option
    if not value:
        raise typer.BadParameter("it is needed, unless --plan gives it", param_hint=option)
    return value


def _read_mapping(path: Path) -> dict[str, Any]:
    from mrviewer.database.mapping import read_mapping

    return read_mapping(path).to_json()


def _tell(plan: "FinetunePlan", summary: "FinetuneSummary", *, as_json: bool) -> None:
    if as_json:
        print_json({"finished": summary.finished, "run": plan.folder.name, "model": summary.model, **summary.summary})
    if not summary.finished:
        say("stopped; go on with --resume")
        return
    table = Table(
        "", "before", "after", title=f"mean of {len(summary.summary['subjects']['validation'])} validation cases"
    )
    before, after = (flat(summary.summary[side]) for side in ("before", "after"))
    for metric in METRICS:
        values = [side.get(metric.key) for side in (before, after)]
        if any(value is not None for value in values):
            table.add_row(metric.heading, *map(metric.text, values))
    print_table(table, to_stdout=False)
    say(str(summary.summary["sentence"]))
    _tell_lesions(summary.summary["by_lesion"], summary.summary.get("false_lesions", {}))
    say(f"model {summary.model}" if summary.model else f"weights in {plan.folder.name}")


def _tell_lesions(lesions: Sequence[dict[str, Any]], false: Mapping[str, Mapping[str, int]]) -> None:
    sides = ("before", "after")
    found = [sum(row[side]["status"] == "found" for row in lesions) for side in sides]
    invented = [sum(counts[side] for counts in false.values()) for side in sides]
    if lesions:
        say(
            f"{found[0]} of {len(lesions)} lesions found before, {found[1]} after; "
            f"{invented[0]} false regions before, {invented[1]} after"
        )
