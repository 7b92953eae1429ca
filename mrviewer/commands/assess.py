"""``mrviewer assess``: metrics alone, for results made elsewhere."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mrviewer.commands.options import AsJson, MinLesion
from mrviewer.commands.terminal import print_json, print_table
from mrviewer.errors import InputError, ShapeError

if TYPE_CHECKING:
    from mrviewer.assess import Assessment
    from mrviewer.study import Image

__all__ = ["assess"]


def assess(
    segmentation: Annotated[Path | None, typer.Option(help="Segmentation to judge.", metavar="FILE")] = None,
    reference: Annotated[Path | None, typer.Option(help="Segmentation held to be true.", metavar="FILE")] = None,
    image: Annotated[Path | None, typer.Option(help="Image to judge.", metavar="FILE")] = None,
    image_reference: Annotated[Path | None, typer.Option(help="Fully sampled image.", metavar="FILE")] = None,
    min_lesion_ml: MinLesion = 0.0,
    as_json: AsJson = False,
) -> None:
    """Measure a segmentation, an image, or both, against their references."""
    if (segmentation is None) != (reference is None):
        raise typer.BadParameter("--segmentation and --reference go together")
    if (image is None) != (image_reference is None):
        raise typer.BadParameter("--image and --image-reference go together")
    if segmentation is None and image is None:
        raise typer.BadParameter("give --segmentation with --reference, or --image with --image-reference")
    assessment = _assess_files((segmentation, reference), (image, image_reference), min_lesion_ml)
    if as_json:
        print_json(assessment.to_json())
    else:
        _show(assessment.to_json())


def _assess_files(
    labels: tuple[Path | None, Path | None], images: tuple[Path | None, Path | None], min_lesion_ml: float
) -> "Assessment":
    from mrviewer.assess import assess as assess_arrays

    segmentation, reference = _open_pair(*labels, "labels")
    image, image_reference = _open_pair(*images, None)
    known = [given for given in (image_reference, reference) if given is not None]
    if len(known) == 2:
        _require_same_grid(known[0], known[1])
    geometry = known[0].geometry
    return assess_arrays(
        image=None if image is None else image.volume(),
        image_reference=None if image_reference is None else image_reference.volume(),
        segmentation=None if segmentation is None else segmentation.volume(),
        reference=None if reference is None else reference.volume(),
        geometry=geometry,
        slice_axis=geometry.slice_axis,
        min_lesion_ml=min_lesion_ml,
    )


def _open_pair(judged: Path | None, truth: Path | None, modality: str | None) -> tuple["Image | None", "Image | None"]:
    """Open two files that must lie on one grid."""
    from mrviewer.readers import read_image

    if judged is None or truth is None:
        return None, None
    first, second = read_image(judged, modality), read_image(truth, modality)
    for opened in (first, second):
        if opened.n_frames != 1:
            raise InputError(f"{opened.path and opened.path.name} holds {opened.n_frames} volumes; give a single one")
    _require_same_grid(first, second)
    return first, second


def _require_same_grid(first: "Image", second: "Image") -> None:
    if not first.geometry.matches(second.geometry):
        names = [image.path.name if image.path else image.modality for image in (first, second)]
        raise ShapeError(f"{names[0]} and {names[1]} do not lie on the same grid; resample one to the other")


def _show(metrics: Mapping[str, object]) -> None:
    from rich.table import Table

    table = Table("", "metric", "value")
    for part, values in metrics.items():
        if isinstance(values, dict):
            for name, value in values.items():
                shown = "-" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
                table.add_row(part, name, shown)
    print_table(table, to_stdout=True)
