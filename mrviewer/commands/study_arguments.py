"""From what stands on the command line to a study."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mrviewer.commands.terminal import say
from mrviewer.errors import InputError

if TYPE_CHECKING:
    from mrviewer.study import Image, Study

__all__ = ["is_sample", "load_study", "sized"]

_SAMPLE = re.compile(r"(sample|sample-liver)(?::(\d+))?")


def is_sample(argument: str) -> bool:
    """Whether an argument stands for a simulated patient: ``sample`` or ``sample-liver``, or one with ``:SEED``."""
    return _SAMPLE.fullmatch(argument) is not None and not Path(argument).exists()


def sized(image: "Image", voxel_size: str | None) -> "Image":
    """An image of the voxel size ``X,Y,Z`` that ``--voxel-size`` gave, else as it is; what can hardly be true is said.

    Raises
    ------
    InputError
        If that is not a voxel size.
    """
    from mrviewer.images.voxel_size import parse_voxel_size, size_note

    if voxel_size is not None:
        image = replace(image, geometry=image.geometry.resized(parse_voxel_size(voxel_size)))
    if note := size_note(image.geometry):
        say(f"note: {note}")
    return image


def load_study(
    arguments: Sequence[str],
    labels: Path | None = None,
    *,
    voxel_for_voxel: bool = False,
    voxel_size: str | None = None,
) -> "Study":
    """Open the images of one study, or make a simulated patient.

    Parameters
    ----------
    arguments
        Paths, ``MODALITY=path``, or alone ``sample[:SEED]`` (multiple sclerosis) or ``sample-liver[:SEED]``.
    labels
        Reference segmentation.
    voxel_for_voxel
        See `mrviewer.images.labels.labels_on_grid`.
    voxel_size
        ``X,Y,Z`` in mm in place of that of the files.

    Raises
    ------
    InputError
        If the simulated patient is mixed with files, a file cannot be used, or that is not a voxel size.
    """
    if not any(is_sample(argument) for argument in arguments):
        from mrviewer.images.voxel_size import parse_voxel_size
        from mrviewer.readers import open_study

        voxel_mm = None if voxel_size is None else parse_voxel_size(voxel_size)
        return open_study(list(arguments), labels=labels, voxel_for_voxel=voxel_for_voxel, voxel_mm=voxel_mm)
    if voxel_size is not None:
        raise InputError("the voxels of the sample study have a size already; leave --voxel-size out")
    if len(arguments) > 1 or labels is not None:
        raise InputError("the sample study brings its own images and labels; give it alone")
    from mrviewer.phantom import sample_liver_study, sample_study

    kind, _, seed = arguments[0].partition(":")
    return (sample_study if kind == "sample" else sample_liver_study)(seed=int(seed or 0))
