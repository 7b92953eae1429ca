"""``mrviewer export-bids``: the results of a run as BIDS derivatives."""

from pathlib import Path
from typing import Annotated

import typer

from mrviewer.commands.terminal import say

__all__ = ["export_bids"]


def export_bids(
    results: Annotated[Path, typer.Option(help="Folder that `mrviewer reconstruct` wrote.", metavar="DIR")],
    output: Annotated[Path, typer.Option(help="Folder of the derivatives.", metavar="DIR")],
    subject: Annotated[str, typer.Option(help="Label without sub-; never a name.", metavar="LABEL")] = "01",
    session: Annotated[str, typer.Option(help="Label without ses-.", metavar="LABEL")] = "",
) -> None:
    """Write the results of a run as BIDS derivatives."""
    from mrviewer.writers.bids import BidsTarget, write_bids

    files = write_bids(results, BidsTarget(output, subject, session))
    say(f"wrote {len(files)} files to {output}")
