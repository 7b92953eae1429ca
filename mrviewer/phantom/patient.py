"""A simulated patient: magnitude images by modality and the truth about the lesions, on any grid, from a seed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mrviewer.geometry import Geometry
from mrviewer.phantom.anatomy import HeadAnatomy, deform_anatomy, smooth_field
from mrviewer.phantom.lesions import LesionLoad, draw_lesions
from mrviewer.phantom.masses import Disease, LesionLayer, draw_glioma, draw_stroke
from mrviewer.phantom.signal import SEQUENCES, TISSUES, Tissue, spin_echo_signal

__all__ = ["Patient", "PatientOptions", "simulate_patient"]

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Patient:
    """Noise-free images and lesions of one simulated patient.

    Parameters
    ----------
    images : float32, (z, y, x) each
        Magnitude by modality; white matter is about 1.
    lesions : uint8, (z, y, x)
        1 inside a lesion.
    tissues : uint8, (z, y, x)
        What fills most of a voxel, lesions left out of account: 1 cerebrospinal fluid, 2 grey matter, 3 white matter.
    geometry
        The grid.
    seed
        The seed it was made from.
    """

    images: Mapping[str, FloatArray]
    lesions: NDArray[np.uint8]
    tissues: NDArray[np.uint8]
    geometry: Geometry
    seed: int


@dataclass(frozen=True, eq=False)
class PatientOptions:
    """What may be asked of a patient.

    Parameters
    ----------
    load
        Lesions of multiple sclerosis; `None` draws a load.
    lesion_mask : float32 or bool, stored in RAS millimetres
        Lesion map of multiple sclerosis in template space with its affine, used in place of drawn lesions.
    disease
        Multiple sclerosis, stroke or glioma; see `mrviewer.phantom.masses`.
    modalities
        Which images to make.
    vary
        Whether relaxation times differ from patient to patient, as scanners and people do.
    """

    load: LesionLoad | None = field(default_factory=LesionLoad)
    lesion_mask: tuple[NDArray[np.generic], NDArray[np.float64]] | None = None
    modalities: tuple[str, ...] = ("FLAIR", "T1", "T2")
    vary: bool = False
    disease: Disease = "ms"


def simulate_patient(geometry: Geometry, seed: int, options: PatientOptions | None = None) -> Patient:
    """Make a patient. The same grid, seed and options give the same patient."""
    options = options or PatientOptions()
    rng = np.random.default_rng(seed)
    anatomy = deform_anatomy(geometry, rng)
    layers = _layers(anatomy, geometry, options, rng)
    tissues = {name: _vary(tissue, rng) if options.vary else tissue for name, tissue in TISSUES.items()}
    if options.vary and options.disease != "ms":
        layers = [replace(layer, tissue=_vary(layer.tissue, rng)) for layer in layers]
    texture = _texture(geometry, rng)
    images = {}
    for modality in options.modalities:
        sequence = SEQUENCES[modality]
        signal = {name: spin_echo_signal(tissue, sequence) for name, tissue in tissues.items()}
        mixed = (
            signal["white matter"] * anatomy.white_matter
            + signal["grey matter"] * anatomy.grey_matter
            + signal["csf"] * anatomy.csf
        ) * texture
        for layer in layers:
            # A lesion is a mixture of damaged tissue and what was there before; `severity` says how far it has come.
            part = layer.fraction * layer.severity
            tissue = tissues["lesion"] if options.disease == "ms" else layer.tissue
            mixed = mixed * (1 - part) + spin_echo_signal(tissue, sequence) * part
        images[modality] = (mixed / signal["white matter"]).astype(np.float32)
    lesion = np.max([layer.fraction for layer in layers], axis=0)
    return Patient(images, (lesion > 0.5).astype(np.uint8), _tissues(anatomy), geometry, seed)


def _layers(
    anatomy: HeadAnatomy, geometry: Geometry, options: PatientOptions, rng: np.random.Generator
) -> list[LesionLayer]:
    if options.disease == "stroke":
        return draw_stroke(anatomy, geometry, rng)
    if options.disease == "glioma":
        return draw_glioma(anatomy, geometry, rng)
    if options.lesion_mask is not None:
        lesion = _warp_mask(anatomy, *options.lesion_mask)
    else:
        lesion = draw_lesions(anatomy, geometry, options.load or LesionLoad.draw(rng), rng)
    return [LesionLayer(lesion, TISSUES["lesion"], _severity(lesion, geometry, rng))]


def _tissues(anatomy: HeadAnatomy) -> NDArray[np.uint8]:
    parts = np.stack([anatomy.csf, anatomy.grey_matter, anatomy.white_matter])
    largest = np.asarray(parts.argmax(axis=0), np.uint8) + 1
    return np.where(parts.sum(axis=0) > 0.5, largest, 0).astype(np.uint8)


def _warp_mask(anatomy: HeadAnatomy, mask: NDArray[np.generic], affine: NDArray[np.float64]) -> FloatArray:
    from_mm = np.linalg.inv(affine).astype(np.float32)
    voxel = np.tensordot(from_mm[:3, :3], anatomy.template_mm, axes=1) + from_mm[:3, 3, None, None, None]
    soft = ndimage.gaussian_filter(mask.astype(np.float32), 0.45)
    warped: FloatArray = ndimage.map_coordinates(soft, voxel, order=1)
    inside = anatomy.white_matter + anatomy.grey_matter + anatomy.csf > 0.5
    return np.clip(warped, 0, 1) * inside


def _severity(lesion: FloatArray, geometry: Geometry, rng: np.random.Generator) -> FloatArray:
    """Between one half and one, different from lesion to lesion and a little inside each."""
    labels, count = ndimage.label(lesion > 0.05)
    level = np.concatenate([[1.0], rng.uniform(0.55, 1.0, count)]).astype(np.float32)
    spacing = tuple(max(4.0 / size, 1.5) for size in geometry.voxel_size_mm)
    inner = 1 + 0.08 * smooth_field(geometry.shape, spacing, rng)
    severity: FloatArray = np.clip(level[labels] * inner, 0.3, 1.1).astype(np.float32)
    return severity


def _texture(geometry: Geometry, rng: np.random.Generator) -> FloatArray:
    """Slow shading of the receive field left after correction, and fine variation of the tissue."""
    field_spacing = tuple(70.0 / size for size in geometry.voxel_size_mm)
    fine_spacing = tuple(max(3.0 / size, 1.2) for size in geometry.voxel_size_mm)
    shading = 1 + 0.05 * smooth_field(geometry.shape, field_spacing, rng)
    return shading * (1 + 0.025 * smooth_field(geometry.shape, fine_spacing, rng))


def _vary(tissue: Tissue, rng: np.random.Generator) -> Tissue:
    factors = np.exp(rng.normal(0, (0.12, 0.12, 0.04)))
    return replace(
        tissue,
        t1_ms=tissue.t1_ms * factors[0],
        t2_ms=tissue.t2_ms * factors[1],
        proton_density=tissue.proton_density * factors[2],
    )
