"""``mrviewer runs``: fine-tuning runs, listed with their state, paused, resumed, stopped, and turned into tables."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from mrviewer.commands.options import AsJson
from mrviewer.commands.terminal import print_json, print_table, say
from mrviewer.errors import InputError

if TYPE_CHECKING:
    from mrviewer.finetuning import RunRecord

__all__ = ["runs"]

_ACTIONS = ("list", "pause", "resume", "stop", "finish", "csv")


def runs(
    action: Annotated[str, typer.Argument(help="list, pause, resume, stop, finish or csv.", metavar="ACTION")] = "list",
    folder: Annotated[Path | None, typer.Argument(help="Folder of a run; for list, of runs.", metavar="[RUN]")] = None,
    output: Annotated[Path | None, typer.Option(help="Table to write, for csv.", metavar="FILE")] = None,
    as_json: AsJson = False,
) -> None:
    """List fine-tuning runs, or pause, resume, stop or finish one, or write its curves as CSV."""
    from mrviewer import finetuning

    if action not in _ACTIONS:
        if folder is not None:
            raise InputError(f"runs cannot {action!r}; choose one of {', '.join(_ACTIONS)}")
        action, folder = "list", Path(action)
    if action == "list":
        found, unreadable = finetuning.survey_runs(folder)
        _list(found, as_json=as_json)
        for one in unreadable:
            say(f"left out {one.path.name}: {one.reason}")
        return
    if folder is None:
        raise InputError(f"runs {action} needs the folder of a run; `mrviewer runs` lists them")
    record = finetuning.read_run(folder)
    if action == "csv":
        path = output or folder / "curves.csv"
        finetuning.write_curves(folder, path)
        say(f"wrote {path.name}")
    elif action == "resume" and not record.state.is_active:
        finetuning.launch(record.plan, resume=True)
    elif not record.state.is_active:
        raise InputError(
            f"run {folder.name} is {record.state}, and nothing works on it; `mrviewer runs resume` goes on"
        )
    else:
        asked = {"pause": finetuning.request_pause, "resume": finetuning.request_resume}
        asked |= {"stop": finetuning.request_stop, "finish": finetuning.request_finish}
        asked[action](folder)
    if as_json:
        print_json(_told(finetuning.read_run(folder)))


def _list(records: "list[RunRecord]", *, as_json: bool) -> None:
    if as_json:
        print_json([_told(record) for record in records])
        return
    table = Table("run", "method", "state", "step", "best", "left", "what")
    for record in records:
        left = (
            "" if record.seconds_left is None or not record.state.is_active else f"{record.seconds_left / 60:.1f} min"
        )
        steps = f"{record.step} of {record.total_steps}" if record.total_steps else ""
        best = "" if record.best is None else f"{record.best:.3f}"
        table.add_row(record.path.name, record.plan.method, record.state, steps, best, left, record.message)
    print_table(table, to_stdout=True)


def _told(record: "RunRecord") -> dict[str, Any]:
    names = ("pid", "step", "total_steps", "best", "seconds_left", "memory_bytes", "device", "message", "started")
    return {
        "run": record.path.name,
        "method": record.plan.method,
        "model": record.plan.model_name,
        "state": record.state.value,
        **{name: getattr(record, name) for name in names},
    }
