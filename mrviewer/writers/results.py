"""What one run leaves in a folder: volumes, mask, numbers and lesions, whole or not at all."""

from collections.abc import Container, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mrviewer.evaluation.findings import describe_findings
from mrviewer.files.whole_folder import whole_folder
from mrviewer.metrics.quality import error_map
from mrviewer.sliced import SlicedVolume, Volume, block_of
from mrviewer.writers.nifti import write_volume
from mrviewer.writers.tables import write_lesions, write_metrics

if TYPE_CHECKING:
    from mrviewer.evaluation.assessment import Assessment
    from mrviewer.reconstruction.reconstruct import Reconstruction

__all__ = ["RESULT_FILES", "describe_run", "write_results"]

RESULT_FILES = (
    "reconstruction.nii.gz",
    "error.nii.gz",
    "mask.npy",
    "segmentation.nii.gz",
    "segmentation_classes.nii.gz",
    "lesions.csv",
    "metrics.json",
)


def write_results(
    folder: Path,
    run: "Reconstruction",
    assessment: "Assessment",
    notes: Sequence[str] = (),
    files: Container[str] = RESULT_FILES,
) -> dict[str, object]:
    """Write the files of a run into a folder; what the run did not give is left out.

    Parameters
    ----------
    folder
        Made if it does not exist. Results of an earlier run in it are replaced, other files are left alone.
    run
        What a method gave.
    assessment
        Its numbers.
    notes
        What a person must read to understand the study.
    files
        Which of `RESULT_FILES` are wished.

    Returns
    -------
    dict
        What ``metrics.json`` holds.

    Raises
    ------
    InputError
        If nothing can be written there.
    """
    metrics = {**describe_run(run), **assessment.to_json(), **describe_findings(run), "notes": list(notes)}
    volumes = {name: volume for name, volume in _volumes(run).items() if name in files}
    with whole_folder(folder, RESULT_FILES) as partial:
        if "mask.npy" in files and run.is_sampled:
            np.save(partial / "mask.npy", run.mask.pattern)
        for name, volume in volumes.items():
            words = f"{run.method} - reference" if name == "error.nii.gz" else run.method
            write_volume(partial / name, volume, run.geometry, description=words)
        if assessment.lesions is not None and "lesions.csv" in files:
            write_lesions(partial / "lesions.csv", assessment.lesions)
        if "metrics.json" in files:
            write_metrics(partial / "metrics.json", metrics)
    return metrics


def _volumes(run: "Reconstruction") -> dict[str, Volume]:
    """Volumes that a run gave, by the name of their file."""
    volumes: dict[str, Volume] = {}
    if run.image is not None:
        volumes["reconstruction.nii.gz"] = run.image
        if run.reference is not None:
            volumes["error.nii.gz"] = _error(run.image, run.reference)
    if run.lesions is not None:
        volumes["segmentation.nii.gz"] = run.lesions
    if run.segmentation is not None and run.lesion_value is not None and len(run.class_names) > 1:
        volumes["segmentation_classes.nii.gz"] = run.segmentation
    return volumes


def _error(image: NDArray[np.float32], reference: NDArray[np.float32] | SlicedVolume) -> SlicedVolume:
    """The error map, slice by slice along the axis along which the reference costs least."""
    axis = reference.axis if isinstance(reference, SlicedVolume) else 0
    planes = np.moveaxis(image, axis, 0)
    z, y, x = image.shape
    return SlicedVolume(
        (z, y, x), axis, lambda index: error_map(planes[index], block_of(reference, axis, index, index + 1)[0])
    )


def describe_run(run: "Reconstruction") -> dict[str, object]:
    """What ran on what, as ``metrics.json`` says it."""
    mask = run.mask
    return {
        "method": run.method,
        "modality": run.modality,
        "mask": {
            "name": _without_folder(mask.name),
            "acceleration": mask.acceleration,
            "center_fraction": mask.center_fraction,
            "seed": mask.seed,
            "achieved_acceleration": mask.achieved_acceleration,
        },
        "device": run.device,
        "seconds": run.seconds,
        "origin": str(run.origin),
    }


def _without_folder(name: str) -> str:
    """Name of a mask; of one from a file without its folder, which may be called after a person."""
    kind, _, path = name.partition(":")
    return f"{kind}:{Path(path).name}" if path else name
