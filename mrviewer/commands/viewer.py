"""``mrviewer [PATH...]`` and ``mrviewer demo``: the commands that need a screen."""

from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import typer

from mrviewer.commands.options import VoxelSize
from mrviewer.commands.study_arguments import is_sample
from mrviewer.errors import InputError, MrviewerError
from mrviewer.system.reasons import reason_of

__all__ = ["demo", "view"]

VIEWER_GROUP = "mrviewer.viewer"


class ViewerMissingError(MrviewerError, ImportError):
    """The packages of the viewer are not installed."""


def view(
    paths: Annotated[
        list[str] | None, typer.Argument(help="FILE, folder, or MODALITY=FILE.", metavar="[PATH]...")
    ] = None,
    voxel_size: VoxelSize = None,
) -> None:
    """Open the viewer."""
    from mrviewer.images.voxel_size import parse_voxel_size  # `mrviewer --help` shall not wait for what reads arrays

    chosen = paths or []
    _require_existing(chosen)
    if voxel_size is not None and not chosen:
        raise typer.BadParameter("--voxel-size goes with an image")
    raise typer.Exit(_open_viewer(chosen, voxel_mm=None if voxel_size is None else parse_voxel_size(voxel_size)))


def demo(
    screenshot: Annotated[Path | None, typer.Option(help="Save the window as PNG and end.", metavar="FILE")] = None,
) -> None:
    """Open the sample study with masks, reconstructions, error maps and lesions filled in."""
    if screenshot is not None and not screenshot.absolute().parent.is_dir():
        raise InputError(
            f"folder {screenshot.parent} does not exist, so {screenshot.name} cannot be saved; make it first"
        )
    raise typer.Exit(_open_viewer([], demo=True, screenshot=screenshot))


def _open_viewer(
    paths: Sequence[str],
    *,
    demo: bool = False,
    screenshot: Path | None = None,
    voxel_mm: tuple[float, float, float] | None = None,
) -> int:
    """Start the viewer that is installed, whoever wrote it."""
    given = {} if voxel_mm is None else {"voxel_mm": voxel_mm}
    points = list(entry_points(group=VIEWER_GROUP))
    if not points:
        raise ViewerMissingError('no viewer is installed; run pip install "mrviewer[gui]"')
    try:
        main = points[0].load()
    except ImportError as error:
        raise ViewerMissingError(
            f'the viewer cannot start ({reason_of(error)}); run pip install "mrviewer[gui]"'
        ) from error
    code: int = main(paths, demo=demo, screenshot=screenshot, **given)
    return code


def _require_existing(paths: Sequence[str]) -> None:
    from mrviewer.readers.study_request import path_of  # `mrviewer --help` shall not wait for the readers

    for argument in paths:
        if is_sample(argument):
            continue
        path = path_of(argument)
        if not path.exists():
            raise InputError(f"there is no file or folder {Path(path).name}; check the path, or see mrviewer --help")
