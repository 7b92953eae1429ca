"""``mrviewer train``: train a method by its recipe."""

from pathlib import Path
from typing import Annotated

import typer

from mrviewer.commands.options import AsJson, Device, Settings, split_settings
from mrviewer.commands.terminal import print_json, say, watch
from mrviewer.errors import InputError

__all__ = ["train"]

_CHECKPOINT = "checkpoint.safetensors"


def train(
    recipe: Annotated[str, typer.Argument(help="Name of a method that can be trained.", metavar="RECIPE")],
    database: Annotated[list[str], typer.Option(help="Folder of subjects, or simulated:N; repeatable.", metavar="DIR")],
    output: Annotated[Path, typer.Option(help="Folder of the run.", metavar="RUN")],
    settings: Settings = None,
    minutes: Annotated[float | None, typer.Option(min=0, help="Stop after this time; go on with --resume.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in this folder.")] = False,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Train a method on a database, and evaluate it on subjects that it did not see."""
    overrides = split_settings(settings)
    _require_right_folder(output, resume=resume)
    from mrviewer.training import cli_train

    job = cli_train(recipe, database, output, device, overrides)
    weights = watch(job, recipe, seconds=float("inf") if minutes is None else 60 * minutes)
    if as_json:
        print_json(
            {"method": recipe, "weights": None if weights is None else str(weights), "finished": weights is not None}
        )
    say("time is over; go on with --resume" if weights is None else f"wrote {weights}")


def _require_right_folder(output: Path, *, resume: bool) -> None:
    """A run is neither continued nor lost by accident."""
    if output.exists() and not output.is_dir():
        raise InputError(f"output {output.name} is a file; give a folder")
    has_run = (output / _CHECKPOINT).is_file() or (output / "weights.safetensors").is_file()
    if has_run and not resume:
        raise InputError(f"folder {output.name} holds a run already; add --resume to go on, or choose another folder")
    if resume and not has_run:
        raise InputError(f"folder {output.name} holds no run that could go on; leave --resume out to start one")
