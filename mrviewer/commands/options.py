"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["AsJson", "Device", "MinLesion", "Output"]

Device = Annotated[str, typer.Option(help="What computes.", metavar="auto|cpu|cuda|cuda:N|mps")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output, all else on standard error.")]
Output = Annotated[Path, typer.Option(help="Folder to write; files of an earlier run are replaced.", metavar="DIR")]
MinLesion = Annotated[
    float, typer.Option("--min-lesion-ml", min=0, help="Leave out lesions smaller than this.", metavar="ML")
]
