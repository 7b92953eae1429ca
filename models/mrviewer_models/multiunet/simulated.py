"""Simulated patients for training in three dimensions: on cubic voxels, in all four modalities, with noise."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mrviewer.database import SIMULATED_MS, Subject
from mrviewer.geometry import Geometry
from mrviewer.phantom import PatientOptions, simulate_patient
from mrviewer.phantom.masses import Disease
from mrviewer.readers import read_image
from mrviewer.study import Image, Study

__all__ = ["is_simulated_brain", "simulated_study"]

_DISEASES: dict[str, Disease] = {SIMULATED_MS: "ms", "simulated-stroke": "stroke", "simulated-glioma": "glioma"}
_EXTENT_MM = (156.0, 200.0, 168.0)
_CENTRE_MM = (0.0, -18.0, 8.0)
_MODALITIES = ("FLAIR", "T1", "T1Gd", "T2")


def is_simulated_brain(subject: Subject) -> bool:
    """Whether a subject is simulated and has a brain."""
    return subject.seed is not None and subject.database in _DISEASES


def simulated_study(subject: Subject, voxel_mm: float, masks: Sequence[Path]) -> Study:
    """Make a patient on cubic voxels; those with multiple sclerosis and an odd seed get real lesion masks, if given."""
    seed = subject.seed or 0
    disease = _DISEASES[subject.database]
    rng = np.random.default_rng([seed, 17])
    depth, height, width = (round(extent / voxel_mm) for extent in _EXTENT_MM)
    axial = Geometry.axial((depth, height, width), (voxel_mm, voxel_mm, voxel_mm))
    affine = axial.affine.copy()
    affine[:3, 3] += _CENTRE_MM
    geometry = Geometry(axial.shape, affine, axial.to_stored)
    mask = None
    if masks and disease == "ms" and seed % 2:
        image = read_image(masks[(seed // 2) % len(masks)])
        mask = (image.volume().astype(np.float32) > 0, image.geometry.affine)
    options = PatientOptions(load=None, lesion_mask=mask, modalities=_MODALITIES, vary=True, disease=disease)
    patient = simulate_patient(geometry, seed, options)
    level = float(rng.uniform(0.005, 0.05))
    noisy: dict[str, NDArray[np.float32]] = {
        name: np.abs(volume + level * rng.standard_normal(volume.shape)).astype(np.float32)
        for name, volume in patient.images.items()
    }
    images = {name: Image(volume, geometry, name) for name, volume in noisy.items()}
    return Study(subject.name, images, Image(patient.lesions, geometry, "labels"))
