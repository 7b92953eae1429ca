"""From what stands on the command line to a study."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mrviewer.errors import InputError

if TYPE_CHECKING:
    from mrviewer.study import Study

__all__ = ["is_sample", "load_study"]

_SAMPLE = re.compile(r"sample(?::(\d+))?")


def is_sample(argument: str) -> bool:
    """Whether an argument stands for the simulated patient: ``sample`` or ``sample:SEED``."""
    return _SAMPLE.fullmatch(argument) is not None and not Path(argument).exists()


def load_study(arguments: Sequence[str], labels: Path | None = None) -> "Study":
    """Open the images of one study, or make the simulated patient.

    Parameters
    ----------
    arguments
        Paths, ``MODALITY=path``, or ``sample[:SEED]`` alone.
    labels
        Reference segmentation.

    Raises
    ------
    InputError
        If the simulated patient is mixed with files, or a file cannot be used.
    """
    if not any(is_sample(argument) for argument in arguments):
        from mrviewer.readers import open_study

        return open_study(list(arguments), labels=labels)
    if len(arguments) > 1 or labels is not None:
        raise InputError("the sample study brings its own images and labels; give it alone")
    from mrviewer.phantom import sample_study

    match = _SAMPLE.fullmatch(arguments[0])
    return sample_study(seed=int(match[1] or 0) if match else 0)
