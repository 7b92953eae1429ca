"""``mrviewer reconstruct``: one study, one mask, one method, to files."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mrviewer.commands.options import AsJson, Device, MinLesion, Output, VoxelForVoxel, VoxelSize
from mrviewer.commands.study_arguments import load_study
from mrviewer.commands.terminal import print_json, say, watch
from mrviewer.evaluation.conditions import SamplingCondition
from mrviewer.metrics.metric_list import METRICS_BY_KEY, flat
from mrviewer.notes import Note, NoteKind
from mrviewer.progress import Progress

if TYPE_CHECKING:
    from mrviewer.method import Method
    from mrviewer.study import Study

__all__ = ["ReconstructRequest", "reconstruct", "reconstruct_to_folder"]

_TOLD = (
    "psnr",
    "ssim",
    "psnr_in_object",
    "ssim_in_object",
    "dice",
    "lesion_f1",
    "lesion_f1_iou10",
)
"""The figures of most interest, by their keys."""


@dataclass(frozen=True)
class ReconstructRequest:
    """What ``mrviewer reconstruct`` was asked to do; the fields are its options."""

    images: tuple[str, ...]
    sampling: SamplingCondition
    method: str
    modality: str | None
    reference_labels: Path | None
    min_lesion_ml: float
    device: str
    output: Path
    coils: int | None = None
    voxel_for_voxel: bool = False
    voxel_size: str | None = None


def reconstruct(
    images: Annotated[
        list[str], typer.Argument(help="FILE, MODALITY=FILE, sample[:SEED] or sample-liver[:SEED].", metavar="IMAGE...")
    ],
    mask: Annotated[str, typer.Option(help="Mask by name; see `mrviewer masks`.", metavar="NAME")],
    method: Annotated[str, typer.Option(help="Method by name; see `mrviewer methods`.", metavar="NAME")],
    output: Output,
    acceleration: Annotated[float, typer.Option(help="All samples divided by acquired ones.", metavar="R")] = 4.0,
    center_fraction: Annotated[float, typer.Option(help="Part of k-space always acquired.", metavar="F")] = 0.08,
    seed: Annotated[int, typer.Option(help="Of the random mask.", metavar="N")] = 0,
    modality: Annotated[str | None, typer.Option(help="Which image to measure; FLAIR or the first.")] = None,
    reference_labels: Annotated[Path | None, typer.Option(help="Reference segmentation.", metavar="FILE")] = None,
    min_lesion_ml: MinLesion = 0.0,
    coils: Annotated[
        int | None, typer.Option(min=1, help="Compress the coils of measured k-space to so many.", metavar="N")
    ] = None,
    voxel_for_voxel: VoxelForVoxel = False,
    voxel_size: VoxelSize = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Accelerate one study with a mask, reconstruct it, and measure what was lost."""
    request = ReconstructRequest(
        images=tuple(images),
        sampling=SamplingCondition(mask, acceleration, center_fraction, seed),
        method=method,
        modality=modality,
        reference_labels=reference_labels,
        min_lesion_ml=min_lesion_ml,
        device=device,
        output=output,
        coils=coils,
        voxel_for_voxel=voxel_for_voxel,
        voxel_size=voxel_size,
    )
    metrics = watch(reconstruct_to_folder(request), method)
    if as_json:
        print_json(metrics)
    _tell(metrics or {})
    say(f"wrote {output}")


def _tell(metrics: Mapping[str, Any]) -> None:
    """Say what a person should know of the study, and the figures of most interest."""
    for note in metrics.get("notes", ()):
        say(f"note: {note}")
    known = flat(metrics)
    figures = [METRICS_BY_KEY[key].sentence(known.get(key)) for key in _TOLD]
    if known.get("lesions_found") is not None:
        found, of, false = (known[key] for key in ("lesions_found", "lesions_reference", "false_regions"))
        figures.append(f"{found} of {of} lesions found, {false} false regions")
    if told := ", ".join(filter(None, figures)):
        say(told)


def reconstruct_to_folder(request: ReconstructRequest) -> Generator[Progress, None, dict[str, object]]:
    """Run a method over a study and write what came of it.

    Returns
    -------
    dict
        What ``metrics.json`` holds.

    Raises
    ------
    MrviewerError
        If the request cannot be met; nothing is written then.
    """
    from mrviewer.device import resolve_device
    from mrviewer.evaluation.measuring import measure_study
    from mrviewer.files.whole_folder import require_writable
    from mrviewer.images.image_values import notes_on_values
    from mrviewer.methods.registry import get_method
    from mrviewer.raw import with_virtual_coils
    from mrviewer.writers.results import write_results

    method = get_method(request.method)
    device = resolve_device(request.device)
    study = load_study(
        request.images,
        request.reference_labels,
        voxel_for_voxel=request.voxel_for_voxel,
        voxel_size=request.voxel_size,
    )
    if request.coils is not None:
        study = with_virtual_coils(study, request.coils)
    modality = study.choose_modality(request.modality)
    cautions = _cautions(method, study, modality)
    for caution in cautions:
        say(f"caution: {caution}")
    require_writable(request.output)
    measured = yield from measure_study(
        method, study, request.sampling, modality=modality, device=device, min_lesion_ml=request.min_lesion_ml
    )
    notes = (*study.notes, *cautions)
    if modality not in study.raw:
        ends = {"lost": "they were taken for 0", "negative": "their absolute values were measured"}
        notes = (*notes, *notes_on_values(study.images[modality], modality, **ends))
    return write_results(request.output, measured.run, measured.assessment, notes)


def _cautions(method: "Method", study: "Study", modality: str) -> tuple[Note, ...]:
    """What to mind before a method is run: of the grid, and of what the image looks like.

    Raises
    ------
    DoesNotFitError
        If it cannot be run at all.
    """
    from mrviewer.images.image_look import look_at
    from mrviewer.method import caution_of_look, require_fit

    told = [require_fit(method, study, modality).caution]
    if modality not in study.raw:
        told.append(caution_of_look(method.card, modality, look_at(study.images[modality])))
    return tuple(Note(caution, NoteKind.METHOD) for caution in told if caution)
