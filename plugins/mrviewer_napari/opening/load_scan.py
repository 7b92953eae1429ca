"""Reading what the viewer shows: one modality or frame of a study, a simulated patient, labels. No Qt."""

from collections.abc import Generator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mrviewer.errors import PositionError
from mrviewer.notes import Note, NoteKind
from mrviewer.physics import adjoint
from mrviewer.progress import Progress, retold
from mrviewer.readers.loading import load_pixels
from mrviewer.reconstruction.acquisition import raw_data, reference_slice, volume_from_slices
from mrviewer.study import Origin, RawData, Study
from mrviewer_napari.facts.scan import Scan, Series, labels_of, with_labels
from mrviewer_napari.facts.study_facts import VOXEL_FOR_VOXEL
from mrviewer_napari.opening.first_picture import FirstPicture, of_raw

__all__ = ["load_scan", "open_labels", "open_part", "open_sample"]


def load_scan(
    study: Study, modality: str | None = None, frame: int = 0, series: Series | None = None
) -> Generator[Progress, None, Scan]:
    """Read what the viewer needs of one modality; `None` chooses as `Study.choose_modality` does.

    Of a series it reads one frame, and shows the methods a study that has this frame alone. A `series` that was read
    before is not read again.
    """
    chosen = study.choose_modality(modality)
    if chosen in study.images:
        data = study.images[chosen].data
        yield from retold(load_pixels(data), lambda step: replace(step, message=f"reading {chosen}"))
    if series is None or series.image.modality != chosen:
        series = _series(study, chosen)
    if series is not None:
        study = _study_of_frame(series, frame)
    raw = raw_data(study, chosen)
    yield Progress(0, raw.shape[0], f"reading {chosen}", _first_picture(raw))
    reference = yield from _reference(study, raw)
    return Scan(
        study=study,
        modality=chosen,
        raw=raw,
        geometry=study.geometry(chosen),
        reference=reference,
        labels=labels_of(study),
        data_range=float((_middle_slice(raw) if reference is None else reference).max(initial=0.0)) or 1.0,
        series=series,
        frame=frame,
    )


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
    try:
        labels, notes = read_labels(path, scan.study.grid, image, voxel_for_voxel=voxel_for_voxel)
    except PositionError as error:
        raise PositionError(error.reason, f'press "{VOXEL_FOR_VOXEL}" under Study', path) from error
    return with_labels(scan, labels, *notes)


def _series(study: Study, modality: str) -> Series | None:
    image = study.images.get(modality)
    if image is None or image.n_frames == 1 or modality in study.raw:
        return None
    values = np.asarray(image.data)
    finite = np.abs(np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0))
    return Series(study, replace(image, data=values), float(finite.max(initial=0)) or 1.0)


def _study_of_frame(series: Series, frame: int) -> Study:
    image = series.image
    volume = replace(image, data=np.asarray(image.volume(frame)))
    said = Note(f"frame {frame + 1} of {image.n_frames} is shown and sampled", NoteKind.FRAMES)
    notes = (*series.study.notes, said)
    return replace(series.study, images={**series.study.images, image.modality: volume}, notes=notes)


def _middle_slice(raw: RawData) -> NDArray[np.float32]:
    """Zero-filled magnitude of the middle slice: what intensities to expect of a scan without a reference."""
    index = raw.shape[0] // 2
    magnitude: NDArray[np.float32] = np.abs(adjoint(raw.kspace(index), raw.coil_maps(index))).astype(np.float32)
    return magnitude


def _first_picture(raw: RawData) -> FirstPicture | None:
    """Middle slice of a scanner's own data; simulations are made of an image that is read at once."""
    return of_raw(raw, f"{raw.modality}, middle slice") if raw.origin is Origin.SCANNER else None


def _reference(study: Study, raw: RawData) -> Generator[Progress, None, NDArray[np.float32] | None]:
    if raw.acquired is not None:
        return None
    if raw.origin is not Origin.SCANNER and raw.modality in study.images:
        # A simulation's image is its reference; transforming there and back would give it again.
        image = np.asarray(study.images[raw.modality].volume(), np.float32)
        return np.abs(np.nan_to_num(image, nan=0.0, posinf=0.0, neginf=0.0))
    n_slices = raw.shape[0]
    planes = []
    for index in range(n_slices):
        plane = reference_slice(raw, index)
        if plane is None:
            return None
        planes.append(plane)
        yield Progress(index + 1, n_slices, f"reference slice {index + 1} of {n_slices}")
    return np.ascontiguousarray(volume_from_slices(np.stack(planes), raw.slice_axis))
