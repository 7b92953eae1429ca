"""``mrviewer reproduce``: tables of experiments, trained, measured and written as a page."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mrviewer.commands.options import AsJson, Device, Settings, split_settings
from mrviewer.commands.terminal import print_json, print_table, say, watch
from mrviewer.errors import InputError

if TYPE_CHECKING:
    from mrviewer.experiments.runs import Job
    from mrviewer.experiments.tables import Table

__all__ = ["reproduce"]

_PAGE = "tables.md"


def reproduce(
    tables: Annotated[
        list[str] | None, typer.Argument(help="Names, or files; all by default.", metavar="TABLE")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Folder of runs and figures.", metavar="DIR")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each row.", metavar="N")] = 3,
    minutes: Annotated[float | None, typer.Option(min=0, help="Time for each training of a row.", metavar="M")] = None,
    workers: Annotated[int, typer.Option(min=0, help="Trainings at a time, one thread each.", metavar="N")] = 2,
    data: Annotated[list[str] | None, typer.Option(help="Real subjects to measure, too.", metavar="DIR")] = None,
    page: Annotated[Path | None, typer.Option(help="Page whose sections are replaced.", metavar="FILE")] = None,
    settings: Settings = None,
    listed: Annotated[bool, typer.Option("--list", help="List the tables and their rows, and end.")] = False,
    device: Device = "cpu",
    as_json: AsJson = False,
) -> None:
    """Train the rows of published tables on one small budget, and hold the figures against the published ones."""
    from mrviewer.experiments.tables import open_tables

    chosen = open_tables(tuple(tables or ()))
    if listed:
        _list(chosen, as_json=as_json)
        return
    if output is None:
        raise typer.BadParameter("give a folder for runs and figures, or --list", param_hint="--output")
    if output.exists() and not output.is_dir():
        raise InputError(f"output {output.name} is a file; give a folder")
    from mrviewer.experiments.runs import reason_to_skip
    from mrviewer.experiments.workers import run_jobs

    chosen = [table.with_options(split_settings(settings)) for table in chosen]
    skipped = {(table.name, row.name): reason_to_skip(row) for table in chosen for row in table.rows}
    jobs = _jobs(chosen, {key for key, reason in skipped.items() if reason}, seeds, output, tuple(data or ()), device)
    output.mkdir(parents=True, exist_ok=True)
    run = run_jobs(jobs, workers=workers, seconds=float("inf") if minutes is None else 60 * minutes)
    problems = watch(run, "reproduce") or {}
    sections = _write(chosen, jobs, output, page, {**_first(problems, jobs), **{k: r for k, r in skipped.items() if r}})
    if as_json:
        print_json({"sections": sections, "problems": dict(problems)})
    for name, problem in problems.items():
        say(f"{name}: {problem}")
    say(f"wrote {output / _PAGE}" + ("" if page is None else f" and {page}"))


def _jobs(
    tables: "Sequence[Table]",
    skipped: set[tuple[str, str]],
    seeds: int,
    output: Path,
    data: tuple[str, ...],
    device: str,
) -> "list[Job]":
    """All runs, seed by seed, so that every row has figures early."""
    from mrviewer.experiments.runs import Job

    return [
        Job(table.name, row, seed, output, data, device)
        for table in tables
        for seed in range(1, seeds + 1)
        for row in table.rows
        if (table.name, row.name) not in skipped
    ]


def _write(
    tables: "Sequence[Table]",
    jobs: "Sequence[Job]",
    output: Path,
    page: Path | None,
    left_out: dict[tuple[str, str], str],
) -> dict[str, str]:
    from mrviewer.experiments.figures import gather
    from mrviewer.experiments.page import section, update_page
    from mrviewer.writers.whole import whole_file

    sections = {}
    for table in tables:
        reasons = {row.name: left_out[table.name, row.name] for row in table.rows if (table.name, row.name) in left_out}
        sections[table.name] = section(table, gather(table, jobs), reasons)
    with whole_file(output / _PAGE) as temporary:
        temporary.write_text("\n".join(sections.values()), encoding="utf-8")
    if page is not None:
        update_page(page, sections)
    return sections


def _first(problems: Mapping[str, str], jobs: "Sequence[Job]") -> dict[tuple[str, str], str]:
    """Problems by table and row; the first one of a row stands for all."""
    return {
        (job.table, job.row.name): f"seed {job.seed}: {problems[job.name]}"
        for job in reversed(jobs)
        if job.name in problems
    }


def _list(tables: "Sequence[Table]", *, as_json: bool) -> None:
    from rich.table import Table as Lines

    from mrviewer.experiments.runs import reason_to_skip

    records = [
        {"table": table.name, "row": row.name, "title": row.title, "method": row.method, "skipped": reason_to_skip(row)}
        for table in tables
        for row in table.rows
    ]
    if as_json:
        print_json(records)
        return
    lines = Lines("table", "row", "what", "method", "can be run")
    for record in records:
        lines.add_row(*list(record.values())[:4], record["skipped"] or "yes")
    print_table(lines, to_stdout=True)
