"""``mrviewer export-figure``: a slice of a result as PNG or SVG."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from mrviewer.commands.options import VoxelSize
from mrviewer.commands.study_arguments import sized
from mrviewer.commands.terminal import say

if TYPE_CHECKING:
    from mrviewer.study import Image

__all__ = ["export_figure"]

_BRIGHT = 99.5
"""Percentile of a volume that is shown white, so that one bright voxel does not darken the rest."""


def export_figure(
    image: Annotated[Path, typer.Option(help="Image, e.g. a reconstruction.", metavar="FILE")],
    output: Annotated[Path, typer.Option(help="File that ends in .png or .svg.", metavar="FILE")],
    error: Annotated[Path | None, typer.Option(help="Error map, drawn beside it.", metavar="FILE")] = None,
    segmentation: Annotated[Path | None, typer.Option(help="Outlined in the first colour.", metavar="FILE")] = None,
    reference: Annotated[Path | None, typer.Option(help="Outlined in the second colour.", metavar="FILE")] = None,
    index: Annotated[
        int | None, typer.Option("--slice", help="From 0; by default the one with most lesion, else the middle.")
    ] = None,
    voxel_size: VoxelSize = None,
) -> None:
    """Draw a slice of an image, its error map and outlines of segmentations, with a scale bar."""
    from mrviewer.errors import InputError
    from mrviewer.readers import read_image
    from mrviewer.writers.figures import Figure, Panel, write_figure

    shown = read_image(image, "unknown")
    grid = sized(shown, voxel_size).geometry
    axis = grid.slice_axis
    masks = {
        name: np.greater(np.moveaxis(_on_grid(path, shown), axis, 0), 0)
        for name, path in (("segmentation", segmentation), ("reference", reference))
        if path is not None
    }
    values = np.moveaxis(shown.volume(), axis, 0)
    chosen = _slice(masks, len(values)) if index is None else index
    if not 0 <= chosen < len(values):
        raise InputError(f"there is no slice {chosen}; {image.name} has slices 0 to {len(values) - 1}")
    outlined = {name: mask[chosen] for name, mask in masks.items()}
    panels = [Panel(values[chosen], f"slice {chosen}", (0.0, _bright(values)), masks=outlined)]
    if error is not None:
        errors = np.moveaxis(_on_grid(error, shown), axis, 0)
        limit = _bright(errors)
        panels.append(Panel(errors[chosen], f"error, ±{limit:.3g}", (-limit, limit), signed=True))
    sizes = [size for place, size in enumerate(grid.voxel_size_mm) if place != axis]
    write_figure(output, Figure(panels, (sizes[0], sizes[1])))
    say(f"wrote {output}")


def _on_grid(path: Path, shown: "Image") -> "np.ndarray[tuple[int, ...], np.dtype[np.generic]]":
    from mrviewer.errors import ShapeError
    from mrviewer.images.alignment import image_name, lay_over, why_unknown
    from mrviewer.readers import read_image

    other = read_image(path, "unknown")
    laid = lay_over(other, shown.geometry)
    if laid is None:
        reason = why_unknown(other, shown.geometry, image_name(shown))
        raise ShapeError(reason or f"{path.name} does not lie on the grid of the image; resample it first")
    image, notes = laid
    for note in notes:
        say(f"note: {note}")
    return image.volume()


def _slice(masks: "dict[str, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]", n_slices: int) -> int:
    """The slice with most of the first mask that has any."""
    for mask in masks.values():
        if mask.any():
            return int(np.argmax(mask.reshape(n_slices, -1).sum(1)))
    return n_slices // 2


def _bright(values: "np.ndarray[tuple[int, ...], np.dtype[np.generic]]") -> float:
    finite = np.abs(values[np.isfinite(values)]).astype(np.float64)
    return float(np.percentile(finite, _BRIGHT)) or 1.0 if finite.size else 1.0
