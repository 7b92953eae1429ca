"""Generators for the viewer's threads: reading studies, preparing slices, measuring again. No Qt."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mrviewer.live import LiveSlice
from mrviewer.progress import Progress
from mrviewer_napari.results import Outcome, measured
from mrviewer_napari.scan import Scan, load_scan, with_labels

if TYPE_CHECKING:
    from mrviewer_napari.importing.answers import NewLabels
    from mrviewer_napari.importing.questions import Question

__all__ = [
    "Prepared",
    "measure_again",
    "open_files",
    "open_labels",
    "open_part",
    "open_sample",
    "prepare_slice",
]


@dataclass(frozen=True, eq=False)
class Prepared:
    """What a mask change of one slice needs, already transformed."""

    scan: Scan
    index: int
    live: LiveSlice


def open_files(
    paths: Sequence[str], scan: Scan | None = None
) -> Generator[Progress, None, "Scan | NewLabels | Question"]:
    """Open a study from files or folders, or find out what has to be asked first; `scan` is what is open."""
    # What reads DICOM takes a while to load, which nobody at the screen shall wait for.
    from mrviewer_napari.importing.examining import examine

    return (yield from examine(paths, scan))


def open_sample(kind: str, seed: int) -> Generator[Progress, None, Scan]:
    """Simulate a patient; the one with multiple sclerosis is kept on disk for the next time."""
    from mrviewer.database import SIMULATED_KINDS, SIMULATED_MS
    from mrviewer.phantom import sample_study

    yield Progress(0, 1, "simulating a patient")
    study = sample_study(seed) if kind == SIMULATED_MS else SIMULATED_KINDS[kind](seed)
    return (yield from load_scan(study))


def open_part(scan: Scan, modality: str, frame: int = 0) -> Generator[Progress, None, Scan]:
    """Read another modality, or another frame of a series, of the patient who is open."""
    return (yield from load_scan(scan.patient, modality, frame, scan.series))


def open_labels(scan: Scan, path: str, *, voxel_for_voxel: bool = False) -> Generator[Progress, None, Scan]:
    """Take reference labels from a file, perhaps whatever it says of their position."""
    from mrviewer.readers.opening import read_labels

    yield Progress(0, 1, "opening labels")
    image = scan.study.images.get(scan.modality)
    labels, notes = read_labels(path, scan.study.grid, image, voxel_for_voxel=voxel_for_voxel)
    return with_labels(scan, labels, *notes)


def prepare_slice(scan: Scan, index: int) -> Generator[Progress, None, Prepared]:
    """Transform one slice so that a mask change takes a fraction of a millisecond."""
    yield Progress(0, 1, f"slice {index + 1}")
    live = LiveSlice(scan.raw, index)
    live.transform()
    return Prepared(scan, index, live)


def measure_again(
    scan: Scan, outcomes: Sequence[Outcome], min_lesion_ml: float
) -> Generator[Progress, None, tuple[Outcome, ...]]:
    """Measure finished outcomes once more, with other labels or another smallest lesion."""
    again = []
    for place, outcome in enumerate(outcomes):
        yield Progress(place, len(outcomes), f"measuring {outcome.request.method}")
        again.append(measured(scan, outcome.request, outcome.reconstruction, min_lesion_ml))
    return tuple(again)


def name_of(paths: Sequence[str]) -> str:
    """Short name of what is being opened, for messages."""
    return ", ".join(Path(path).name for path in paths)
