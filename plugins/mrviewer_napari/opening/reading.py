"""Reading studies in a thread: files, simulated patients, another modality or frame, labels. No Qt."""

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

from mrviewer.progress import Progress
from mrviewer_napari.facts.scan import Scan, load_scan, with_labels

if TYPE_CHECKING:
    from mrviewer_napari.opening.new_labels import NewLabels
    from mrviewer_napari.opening.questions import Question

__all__ = ["open_files", "open_labels", "open_part", "open_sample"]


def open_files(
    paths: Sequence[str], scan: Scan | None = None
) -> Generator[Progress, None, "Scan | NewLabels | Question"]:
    """Open a study from files or folders, or find out what has to be asked first; `scan` is what is open."""
    # What reads DICOM takes a while to load, which nobody at the screen shall wait for.
    from mrviewer_napari.opening.examining import examine

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
