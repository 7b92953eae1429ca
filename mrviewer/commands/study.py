"""From what stands on the command line to a study."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mrviewer.errors import InputError

if TYPE_CHECKING:
    from mrviewer.study import Study

__all__ = ["is_sample", "load_study"]

_SAMPLE = re.compile(r"(sample|sample-liver)(?::(\d+))?")


def is_sample(argument: str) -> bool:
    """Whether an argument stands for a simulated patient: ``sample`` or ``sample-liver``, or one with ``:SEED``."""
    return _SAMPLE.fullmatch(argument) is not None and not Path(argument).exists()


def load_study(arguments: Sequence[str], labels: Path | None = None, *, voxel_for_voxel: bool = False) -> "Study":
    """Open the images of one study, or make a simulated patient.

    Parameters
    ----------
    arguments
        Paths, ``MODALITY=path``, or alone ``sample[:SEED]`` (multiple sclerosis) or ``sample-liver[:SEED]``.
    labels
        Reference segmentation.
    voxel_for_voxel
        See `mrviewer.labels.labels_on_grid`.

    Raises
    ------
    InputError
        If the simulated patient is mixed with files, or a file cannot be used.
    """
    if not any(is_sample(argument) for argument in arguments):
        from mrviewer.readers import open_study

        return open_study(list(arguments), labels=labels, voxel_for_voxel=voxel_for_voxel)
    if len(arguments) > 1 or labels is not None:
        raise InputError("the sample study brings its own images and labels; give it alone")
    from mrviewer.phantom import sample_liver_study, sample_study

    kind, _, seed = arguments[0].partition(":")
    return (sample_study if kind == "sample" else sample_liver_study)(seed=int(seed or 0))
