"""Whether a new model may be shown at once on what is open: on studies like those that it learned from, and no others.

No header says which part of a body an image shows, so a study is like those of a database if it is one of them. No Qt.
"""

from pathlib import Path

from mrviewer.finetuning import FinetunePlan
from mrviewer_napari.facts.scan import Scan

__all__ = ["is_familiar"]


def is_familiar(plan: FinetunePlan, scan: Scan | None) -> bool:
    """Whether the open image is of a modality and of a database that a run learned from.

    Parameters
    ----------
    plan
        Of the run that made the model.
    scan
        What is open; `None` if nothing is.
    """
    return scan is not None and scan.modality in _learned(plan) and _is_of_database(plan, scan)


def _learned(plan: FinetunePlan) -> set[str]:
    """Modalities that the run used; of a method on k-space the measured one."""
    if plan.modality:
        return {plan.modality}
    mapping = {} if plan.mapping is None else plan.mapping.get("modalities", {})
    return set(filter(None, mapping.values()))


def _is_of_database(plan: FinetunePlan, scan: Scan) -> bool:
    roots = [Path(name).resolve() for name in plan.database]
    folders = [root if root.is_dir() else root.parent for root in roots if root.exists()]
    files = [file.resolve() for image in scan.study.images.values() for file in image.files]
    return bool(files) and all(any(file.is_relative_to(folder) for folder in folders) for file in files)
