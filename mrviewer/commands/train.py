"""``mrviewer train``: train a method by its recipe, under ``torchrun`` in several processes."""

import os
from pathlib import Path
from typing import Annotated

import typer

from mrviewer.commands.options import AsJson, Device, Settings, split_settings
from mrviewer.commands.terminal import INTERRUPTED, print_json, say, watch
from mrviewer.errors import InputError
from mrviewer.finetuning.run_folder.resuming import require_right_folder
from mrviewer.progress import finish
from mrviewer.system.interruption import Interrupted, caught_signals

__all__ = ["train"]


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
    is_first = os.environ.get("RANK", "0") == "0"
    if is_first:
        require_right_folder(output, resume=resume)
    if minutes is not None and os.environ.get("WORLD_SIZE", "1") != "1":
        raise InputError("several processes do not stop at one time; leave --minutes out, and stop torchrun instead")
    from mrviewer.training import cli_train

    with caught_signals() as is_interrupted:
        job = cli_train(recipe, database, output, device, overrides)
        seconds = float("inf") if minutes is None else 60 * minutes
        try:
            # One of several processes draws for all.
            weights = watch(job, recipe, seconds=seconds) if is_first else finish(job)
        except Interrupted:
            weights = None
        was_interrupted = weights is None and is_interrupted()
    if is_first:
        _tell(recipe, weights, as_json=as_json)
    if was_interrupted:
        raise typer.Exit(INTERRUPTED)


def _tell(recipe: str, weights: Path | None, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {"method": recipe, "weights": None if weights is None else str(weights), "finished": weights is not None}
        )
    say("stopped; go on with --resume" if weights is None else f"wrote {weights}")
