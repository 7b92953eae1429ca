"""Arguments and options that several commands share."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["AsJson", "Device", "MinLesion", "Output", "Settings", "VoxelForVoxel", "VoxelSize", "split_settings"]

Device = Annotated[str, typer.Option(help="What computes.", metavar="auto|cpu|cuda|cuda:N|mps")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output, all else on standard error.")]
Output = Annotated[Path, typer.Option(help="Folder to write; files of an earlier run are replaced.", metavar="DIR")]
MinLesion = Annotated[
    float, typer.Option("--min-lesion-ml", min=0, help="Leave out lesions smaller than this.", metavar="ML")
]
VoxelForVoxel = Annotated[
    bool,
    typer.Option(
        "--voxel-for-voxel", help="Disregard stated positions where the matrices agree; a note says what was laid over."
    ),
]
VoxelSize = Annotated[
    str | None,
    typer.Option("--voxel-size", help="True size of a voxel in mm, where the file's is wrong.", metavar="X,Y,Z"),
]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="Option of the recipe; repeatable.", metavar="KEY=VALUE")
]


def split_settings(settings: Sequence[str] | None) -> dict[str, str]:
    """Options by name from what stands after ``--set``."""
    return dict(_split(setting) for setting in settings or ())


def _split(setting: str) -> tuple[str, str]:
    name, equals, value = setting.partition("=")
    if not (name and equals):
        raise typer.BadParameter(f"{setting!r} is not KEY=VALUE", param_hint="--set")
    return name.strip(), value.strip()
