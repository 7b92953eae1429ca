"""The command line: the same program without a screen."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from mrviewer import __version__
from mrviewer.commands.assess import assess
from mrviewer.commands.cache import cache
from mrviewer.commands.database import database
from mrviewer.commands.export_bids import export_bids
from mrviewer.commands.export_dicom import export_dicom
from mrviewer.commands.export_figure import export_figure
from mrviewer.commands.export_seg import export_seg
from mrviewer.commands.finetune import finetune
from mrviewer.commands.info import info
from mrviewer.commands.listing import masks, methods
from mrviewer.commands.models import models
from mrviewer.commands.reconstruct import reconstruct
from mrviewer.commands.reproduce import reproduce
from mrviewer.commands.runs import runs
from mrviewer.commands.study_arguments import is_sample
from mrviewer.commands.terminal import INTERRUPTED, plain_logging, refuse, silence_output, write_any_name
from mrviewer.commands.train import train
from mrviewer.commands.viewer import demo, view
from mrviewer.commands.wrong_usage import WRONG_USAGE, tell_usage
from mrviewer.system.crash_log import keep_crash_log
from mrviewer.system.faults import explained

__all__ = ["app", "main", "with_default_command"]

DONE, REFUSED = 0, 1

_VIEW, _MODELS = "view", "models"
_VIEW_OPTION = "--voxel-size"
"""Option of the viewer that may come before the files."""
_HELP = (
    "See what accelerating an MR scan costs, and what learned methods win back. `mrviewer [PATH...]` opens the viewer. "
    "Research software, not for diagnosis."
)
_COMMANDS = {
    command.__name__.replace("_", "-"): command
    for command in (
        *(demo, reconstruct, assess, methods, masks, info, database, train, finetune, runs, reproduce, cache),
        *(export_seg, export_dicom, export_bids, export_figure),
    )
}

app = typer.Typer(name="mrviewer", help=_HELP, add_completion=False, pretty_exceptions_enable=False)
app.command(_VIEW, hidden=True)(view)
for _name, _command in _COMMANDS.items():
    app.command(_name)(_command)
app.add_typer(models, name=_MODELS)


def _show_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"mrviewer {__version__}\n")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and end.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    del version


def with_default_command(arguments: Sequence[str]) -> list[str]:
    """Put the command that opens the viewer before arguments that name a file, or before none at all.

    A bare word that is neither a command nor a file is left as it is, so that a mistyped command is wrong usage and not
    a missing file.
    """
    if not arguments:
        return [_VIEW]
    first = arguments[0]
    if first.partition("=")[0] == _VIEW_OPTION:
        return [_VIEW, *arguments]
    if first.startswith("-") or first in (*_COMMANDS, _VIEW, _MODELS):
        return list(arguments)
    looks_like_path = any(sign in first for sign in "./\\=") or Path(first).exists() or is_sample(first)
    return [_VIEW, *arguments] if looks_like_path else list(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program.

    Parameters
    ----------
    arguments
        Without the name of the program; those of the process by default.

    Returns
    -------
    int
        0 done, 1 input refused, 2 wrong usage, 130 interrupted.
    """
    keep_crash_log()
    given = sys.argv[1:] if arguments is None else arguments
    try:
        return _run(given)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output wants no more of it.
        silence_output()
    except Exception as error:  # noqa: BLE001 - the one net under all commands; the log keeps the traceback
        refuse(explained(error, _command_of(given)))
        silence_output()
    return REFUSED


def _run(arguments: Sequence[str]) -> int:
    """Run a command, and see that what it said has arrived."""
    write_any_name()
    plain_logging()
    code = DONE
    try:
        ended = app(args=with_default_command(arguments), prog_name="mrviewer", standalone_mode=False)
        code = ended if isinstance(ended, int) else DONE
    except WRONG_USAGE as error:
        code = tell_usage(error)
    except typer.Abort:
        code = REFUSED
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else DONE
    sys.stdout.flush()
    return code


def _command_of(arguments: Sequence[str]) -> str:
    """Name of the command for the log, which holds no arguments."""
    return next((name for name in (*_COMMANDS, _MODELS) if [name] == list(arguments[:1])), _VIEW)
