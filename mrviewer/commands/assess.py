"""``mrviewer assess``: metrics alone, for results made elsewhere."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mrviewer.commands.options import AsJson, MinLesion, VoxelForVoxel, VoxelSize
from mrviewer.commands.study_arguments import sized
from mrviewer.commands.terminal import print_json, print_table, say
from mrviewer.errors import InputError, PositionError, ShapeError
from mrviewer.notes import prefixed

if TYPE_CHECKING:
    from mrviewer.evaluation.assessment import Assessment
    from mrviewer.study import Image

__all__ = ["assess"]


def assess(
    segmentation: Annotated[Path | None, typer.Option(help="Segmentation to judge.", metavar="FILE")] = None,
    reference: Annotated[Path | None, typer.Option(help="Segmentation held to be true.", metavar="FILE")] = None,
    image: Annotated[Path | None, typer.Option(help="Image to judge.", metavar="FILE")] = None,
    image_reference: Annotated[Path | None, typer.Option(help="Fully sampled image.", metavar="FILE")] = None,
    min_lesion_ml: MinLesion = 0.0,
    voxel_for_voxel: VoxelForVoxel = False,
    missing_slices: Annotated[
        str,
        typer.Option(
            help="Slices to leave out, as metrics.json lists them; those that a reference lacks are left out anyway.",
            metavar="N,...",
        ),
    ] = "",
    voxel_size: VoxelSize = None,
    as_json: AsJson = False,
) -> None:
    """Measure a segmentation, an image, or both, against their references."""
    if (segmentation is None) != (reference is None):
        raise typer.BadParameter("--segmentation and --reference go together")
    if (image is None) != (image_reference is None):
        raise typer.BadParameter("--image and --image-reference go together")
    if segmentation is None and image is None:
        raise typer.BadParameter("give --segmentation with --reference, or --image with --image-reference")
    assessment, notes = _assess_files(
        (segmentation, reference),
        (image, image_reference),
        min_lesion_ml,
        _numbers(missing_slices),
        voxel_for_voxel=voxel_for_voxel,
        voxel_size=voxel_size,
    )
    if as_json:
        print_json({**assessment.to_json(), "notes": list(notes)})
    else:
        _show(assessment.to_json())
    for note in notes:
        say(f"note: {note}")


def _assess_files(
    labels: tuple[Path | None, Path | None],
    images: tuple[Path | None, Path | None],
    min_lesion_ml: float,
    missing: frozenset[int],
    *,
    voxel_for_voxel: bool,
    voxel_size: str | None,
) -> "tuple[Assessment, tuple[str, ...]]":
    from mrviewer.evaluation.assessment import assess as assess_arrays
    from mrviewer.images.alignment import image_name
    from mrviewer.images.image_values import notes_on_values
    from mrviewer.images.labels import labels_on_grid

    paths = {"segmentation": labels[0], "reference": labels[1], "image": images[0], "image_reference": images[1]}
    notes: list[str] = []
    given: dict[str, Image] = {}
    for name, path in paths.items():
        if path is not None:
            is_labels = name in ("segmentation", "reference")
            given[name], said = _open(path, "labels" if is_labels else None)
            notes += [prefixed(name, note) for note in said if is_labels]
    truth = given.get("image_reference") or given["reference"]
    volumes = {}
    for name, image in given.items():
        if name in ("segmentation", "reference"):
            image, remark = labels_on_grid(image, image.geometry)
            notes += [prefixed(name, remark)] if remark else []
        else:
            notes += notes_on_values(
                image, image_name(image), lost="no figure can be computed", negative="they were measured as they are"
            )
        laid, said = _laid_over(image, truth, voxel_for_voxel=voxel_for_voxel)
        volumes[name] = laid.volume()
        missing = missing.union(laid.missing)
        notes += said
    geometry = sized(truth, voxel_size).geometry
    assessment = assess_arrays(
        **volumes,
        geometry=geometry,
        slice_axis=geometry.slice_axis,
        min_lesion_ml=min_lesion_ml,
        missing=sorted(missing),
    )
    return assessment, tuple(notes)


def _numbers(text: str) -> frozenset[int]:
    """Numbers of slices from ``3,7``."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdecimal() for part in parts):
        raise typer.BadParameter(f"--missing-slices {text!r} is not a list of numbers such as 3,7")
    return frozenset(map(int, parts))


def _open(path: Path, modality: str | None) -> "tuple[Image, tuple[str, ...]]":
    """Open a file that holds one volume, and what it says of itself."""
    from mrviewer.readers.opening import read_with_notes

    image, notes = read_with_notes(path, modality)
    if image.n_frames != 1:
        raise InputError(f"{path.name} holds {image.n_frames} volumes; give a single one")
    return image, notes


def _laid_over(image: "Image", truth: "Image", *, voxel_for_voxel: bool) -> tuple["Image", tuple[str, ...]]:
    """An image in the voxels of what it is held against."""
    from mrviewer.images.alignment import image_name, lay_over, why_unknown

    laid = lay_over(image, truth.geometry, voxel_for_voxel=voxel_for_voxel)
    if laid is None:
        names = image_name(image), image_name(truth)
        reason = why_unknown(image, truth.geometry, names[1]) or (
            f"{names[0]} and {names[1]} do not lie on the same grid; resample one to the other"
        )
        agree = image.geometry.stored_shape == truth.geometry.stored_shape
        raise PositionError(reason) if agree else ShapeError(reason)
    return laid


def _show(metrics: Mapping[str, object]) -> None:
    from rich.table import Table

    table = Table("", "metric", "value")
    for part, values in metrics.items():
        if isinstance(values, dict):
            for name, value in values.items():
                shown = "-" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
                table.add_row(part, name, shown)
    print_table(table, to_stdout=True)
