"""``mrviewer reproduce``: tables of experiments, trained, measured and written as a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mrviewer.commands.options import AsJson, Device, Settings, split_settings
from mrviewer.commands.terminal import print_json, print_table, say, watch
from mrviewer.errors import InputError

if TYPE_CHECKING:
    from mrviewer.experiments.row_runs import Job
    from mrviewer.experiments.tables import Table

__all__ = ["reproduce"]

_PAGE = "tables.md"


@dataclass(frozen=True)
class _Request:
    """What ``mrviewer reproduce`` was asked to run."""

    output: Path
    seeds: int
    minutes: float | None
    workers: int
    data: tuple[str, ...]
    device: str


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
    from mrviewer.experiments.table_files import open_tables

    chosen = [table.with_options(split_settings(settings)) for table in open_tables(tuple(tables or ()))]
    if listed:
        _list(chosen, as_json=as_json)
        return
    if output is None:
        raise typer.BadParameter("give a folder for runs and figures, or --list", param_hint="--output")
    if output.exists() and not output.is_dir():
        raise InputError(f"output {output.name} is a file; give a folder")
    if page is not None and not page.is_file():
        raise InputError(f"the page {page.name} does not exist; give one with markers, or leave --page away")
    jobs, problems = _run(chosen, _Request(output, seeds, minutes, workers, tuple(data or ()), device))
    sections = _write(chosen, jobs, problems, output, page)
    if as_json:
        print_json({"sections": sections, "problems": {"/".join(key): problem for key, problem in problems.items()}})
    for (table, row), problem in problems.items():
        say(f"{table}/{row}: {problem}")
    say(f"wrote {output / _PAGE}" + ("" if page is None else f" and {page}"))


def _run(tables: "Sequence[Table]", request: _Request) -> "tuple[list[Job], dict[tuple[str, str], str]]":
    """Run what can be run, seed by seed, so that every row has figures early.

    Returns
    -------
    jobs
        All that were to be run.
    problems
        Why a row has no figures, or not all, by table and row.
    """
    from mrviewer.experiments.row_runs import Job, reason_to_skip
    from mrviewer.experiments.workers import run_jobs

    reasons = {(table.name, row.name): reason_to_skip(row) for table in tables for row in table.rows}
    jobs = [
        Job(table.name, row, seed, request.output, request.data, request.device)
        for table in tables
        for seed in range(1, request.seeds + 1)
        for row in table.rows
        if not reasons[table.name, row.name]
    ]
    request.output.mkdir(parents=True, exist_ok=True)
    seconds = float("inf") if request.minutes is None else 60 * request.minutes
    failed = watch(run_jobs(jobs, workers=request.workers, seconds=seconds), "reproduce") or {}
    problems = {key: reason for key, reason in reasons.items() if reason}
    for job in reversed(jobs):
        if job.result in failed:
            problems[job.table, job.row.name] = f"seed {job.seed}: {failed[job.result]}"
    return jobs, problems


def _write(
    tables: "Sequence[Table]",
    jobs: "Sequence[Job]",
    problems: Mapping[tuple[str, str], str],
    output: Path,
    page: Path | None,
) -> dict[str, str]:
    """Write all tables to the folder, and into a page if there is one; return them by name."""
    from mrviewer.experiments.page import section, update_page
    from mrviewer.experiments.table_results import gather
    from mrviewer.files.whole_file import whole_file

    sections = {}
    for table in tables:
        left_out = {row: problem for (name, row), problem in problems.items() if name == table.name}
        sections[table.name] = section(table, gather(table, jobs), left_out)
    with whole_file(output / _PAGE) as temporary:
        temporary.write_text("\n".join(sections.values()), encoding="utf-8")
    if page is not None:
        update_page(page, sections)
    return sections


def _list(tables: "Sequence[Table]", *, as_json: bool) -> None:
    from rich.table import Table as Lines

    from mrviewer.experiments.row_runs import reason_to_skip

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
