"""The sample study: a simulated MS patient in an eight-coil scanner, made on the spot and cached."""

import logging
from pathlib import Path

import numpy as np
import platformdirs

from mrviewer.array_files.stored_npz import read_npz
from mrviewer.files.whole_file import whole_file
from mrviewer.geometry import Geometry
from mrviewer.notes import Note, NoteKind
from mrviewer.phantom.masses import Disease
from mrviewer.phantom.patient import Patient, PatientOptions, simulate_patient
from mrviewer.phantom.scan import ScannedImage, SimulatedScan
from mrviewer.study import Image, Study
from mrviewer.system.reasons import reason_of

__all__ = ["sample_study"]

_logger = logging.getLogger(__name__)

_SHAPE = (48, 224, 192)
_VOXEL_SIZE_MM = (3.0, 1.0, 1.0)
_CENTRE_RAS_MM = (0.0, -18.0, 8.0)
_DISEASES: dict[Disease, str] = {"ms": "MS", "stroke": "stroke", "glioma": "glioma"}
_VERSION = 3
"""Raise it when the same seed makes another patient, so that no old cache is read."""


def sample_study(seed: int = 0, *, cache: bool = True, disease: Disease = "ms") -> Study:
    """Simulated FLAIR, T1 and T2 of a patient: 48 axial slices of 3 mm, eight coils, noise.

    Parameters
    ----------
    seed
        Which patient.
    cache
        Keep a patient with multiple sclerosis on disk, so that the next call takes a fraction of a second.
    disease
        Multiple sclerosis; or stroke or glioma, which come with T1 after a contrast agent too.
    """
    if disease == "ms":
        patient = _cached_patient(seed) if cache else _simulate(seed)
    else:
        options = PatientOptions(disease=disease, modalities=("FLAIR", "T1", "T1Gd", "T2"))
        patient = simulate_patient(_geometry(), seed, options)
    voxel_mm = patient.geometry.voxel_size_mm
    scans = {name: SimulatedScan(name, volume, seed, voxel_size_mm=voxel_mm) for name, volume in patient.images.items()}
    images = {name: Image(ScannedImage(scan), patient.geometry, name) for name, scan in scans.items()}
    return Study(
        name=f"simulated {_DISEASES[disease]} patient {seed}",
        images=images,
        labels=Image(patient.lesions, patient.geometry, "labels"),
        raw=scans,
        notes=(Note("Simulated patient: made from the ICBM152 templates, not a real person.", NoteKind.SIMULATED),),
    )


def _geometry() -> Geometry:
    geometry = Geometry.axial(_SHAPE, _VOXEL_SIZE_MM)
    affine = geometry.affine.copy()
    affine[:3, 3] += _CENTRE_RAS_MM
    return Geometry(geometry.shape, affine, geometry.to_stored)


def _simulate(seed: int) -> Patient:
    return simulate_patient(_geometry(), seed)


def _cached_patient(seed: int) -> Patient:
    path = Path(platformdirs.user_cache_dir("mrviewer")) / f"sample-{_VERSION}-{seed}.npz"
    try:
        volumes = read_npz(path)
        lesions, tissues = (volumes.pop(name).astype(np.uint8) for name in ("lesions", "tissues"))
        images = {name: volume.astype(np.float32) for name, volume in volumes.items()}
        return Patient(images, lesions, tissues, _geometry(), seed)
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError) as error:
        _logger.warning("the cached sample patient cannot be read (%s); it is made again", reason_of(error))
    patient = _simulate(seed)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary, temporary.open("wb") as file:
            truth = {"lesions": patient.lesions, "tissues": patient.tissues}
            np.savez(file, allow_pickle=False, **truth, **dict(patient.images))
    except OSError as error:
        _logger.warning("the sample patient cannot be cached (%s); it is made again next time", reason_of(error))
    return patient
