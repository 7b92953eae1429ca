"""A simulated patient with tumours of the liver: four phases after contrast agent, on any grid, from a seed."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mrviewer.errors import UnknownNameError
from mrviewer.geometry import Geometry
from mrviewer.images.dynamic import PHASES
from mrviewer.notes import Note, NoteKind
from mrviewer.phantom.anatomy import smooth_field
from mrviewer.phantom.liver_anatomy import Abdomen, draw_abdomen
from mrviewer.phantom.liver_kinetics import Bolus
from mrviewer.phantom.liver_tissues import TISSUES, TUMOUR_KINDS, TumourKind, phase_signals, varied
from mrviewer.phantom.liver_tumours import Tumour, draw_tumours
from mrviewer.phantom.scan import ScannedImage, SimulatedScan
from mrviewer.study import Image, Study

__all__ = ["LiverPatient", "liver_study", "sample_liver_study", "simulate_liver_patient"]

FloatArray = NDArray[np.float32]

SHAPE = (12, 128, 128)
VOXEL_SIZE_MM = (9.0, 2.75, 2.75)
_CENTRE_RAS_MM = (0.0, 0.0, 4.0)
_RESIDUAL_MM = 0.8
"""Standard deviation of what registration leaves of the breathing between phases, along each axis."""


@dataclass(frozen=True, eq=False)
class LiverPatient:
    """Noise-free phases of one simulated patient, and the truth about the tumours.

    Parameters
    ----------
    phases : float32, (z, y, x) each
        Magnitude by the names in `mrviewer.images.dynamic.PHASES`; the liver before contrast is about 1.
    tumours, liver : uint8, (z, y, x)
        1 inside; the liver is without tumours and vessels.
    kind
        What the tumours are; a name in `TUMOUR_KINDS`.
    geometry
        The grid.
    seed
        The seed it was made from.
    """

    phases: Mapping[str, FloatArray]
    tumours: NDArray[np.uint8]
    liver: NDArray[np.uint8]
    kind: str
    geometry: Geometry
    seed: int


def simulate_liver_patient(
    geometry: Geometry | None = None, seed: int = 0, *, kind: str | None = None, count: int | None = None
) -> LiverPatient:
    """Make a patient. The same grid, seed and wishes give the same patient.

    Parameters
    ----------
    geometry
        Grid in millimetres from the middle of the body; 12 axial slices of 9 mm by default.
    seed
        Which patient.
    kind
        Name in `TUMOUR_KINDS`; drawn if `None`.
    count
        How many tumours, all of that kind; 1 to 3 are drawn if `None`, and there may be 0.

    Raises
    ------
    UnknownNameError
        If there is no such kind.
    """
    if kind is not None and kind not in TUMOUR_KINDS:
        raise UnknownNameError(f"there is no kind of tumour {kind!r}; choose one of {', '.join(TUMOUR_KINDS)}")
    geometry = geometry or _grid()
    rng = np.random.default_rng([seed, 29])
    drawn_kind, drawn_count = str(rng.choice(list(TUMOUR_KINDS))), int(rng.integers(1, 4))
    kind, count = kind or drawn_kind, drawn_count if count is None else count
    bolus = _bolus(rng)
    abdomen = draw_abdomen(geometry, rng)
    tumours = list(draw_tumours(abdomen.liver, geometry, TUMOUR_KINDS[kind], count, rng))
    phases = _paint(abdomen, tumours, TUMOUR_KINDS[kind], bolus, rng)
    texture = _texture(geometry, rng)
    moved = {name: _moved(volume * texture, geometry, rng) for name, volume in zip(PHASES, phases, strict=True)}
    covered = np.max([tumour.fraction for tumour in tumours], axis=0) if tumours else np.zeros(geometry.shape)
    truth = (covered > 0.5).astype(np.uint8)
    liver = ((abdomen.liver > 0.5) & (covered < 0.1)).astype(np.uint8)
    return LiverPatient(moved, truth, liver, kind, geometry, seed)


def sample_liver_study(seed: int = 0) -> Study:
    """Four simulated phases of a liver with tumours: 12 axial slices of 9 mm, eight coils, noise.

    Parameters
    ----------
    seed
        Which patient.
    """
    return liver_study(simulate_liver_patient(seed=seed))


def liver_study(patient: LiverPatient) -> Study:
    """Scan a patient: the four phases with noise, eight coils, and the truth about the tumours."""
    seed = patient.seed
    noise_level = float(np.random.default_rng([seed, 31]).uniform(0.02, 0.05))
    voxel_mm = patient.geometry.voxel_size_mm
    scans = {
        name: SimulatedScan(name, volume, seed, noise_level=noise_level, voxel_size_mm=voxel_mm)
        for name, volume in patient.phases.items()
    }
    return Study(
        name=f"simulated liver patient {seed}",
        images={name: Image(ScannedImage(scan), patient.geometry, name) for name, scan in scans.items()},
        labels=Image(patient.tumours, patient.geometry, "labels"),
        raw=scans,
        notes=(
            Note(
                "Simulated patient: drawn shapes with published kinetics of contrast agent, not a real person.",
                NoteKind.SIMULATED,
            ),
        ),
        diagnosis=patient.kind if patient.tumours.any() else "",
    )


def _grid() -> Geometry:
    geometry = Geometry.axial(SHAPE, VOXEL_SIZE_MM)
    affine = geometry.affine.copy()
    affine[:3, 3] += _CENTRE_RAS_MM
    return Geometry(geometry.shape, affine, geometry.to_stored)


def _bolus(rng: np.random.Generator) -> Bolus:
    """Circulation differs from person to person, and so does the moment of the scan."""
    usual = Bolus()
    jitter = rng.normal(0, (2.0, 4.0, 10.0))
    arterial, portal, delayed = (float(time + by) for time, by in zip(usual.phases_s, jitter, strict=True))
    return Bolus(
        arrival_s=float(usual.arrival_s + rng.normal(0, 1.0)),
        phases_s=(arterial, portal, delayed),
        portal_delay_s=float(usual.portal_delay_s + rng.normal(0, 1.0)),
        portal_spread_s=float(usual.portal_spread_s * np.exp(rng.normal(0, 0.15))),
    )


def _paint(
    abdomen: Abdomen, tumours: list[Tumour], kind: TumourKind, bolus: Bolus, rng: np.random.Generator
) -> FloatArray:
    """Phases ``(4, z, y, x)``, each part painted over what lies below it."""
    signals = {name: phase_signals(varied(tissue, rng, 0.08), bolus) for name, tissue in TISSUES.items()}
    image = np.zeros((len(PHASES), *abdomen.liver.shape), np.float32)
    for tissue, part in abdomen.layers:
        image += part * (signals[tissue][:, None, None, None] - image)
    core, rim = (phase_signals(varied(tissue, rng), bolus) for tissue in (kind.core, kind.rim))
    scar = phase_signals(varied(kind.scar or kind.core, rng), bolus)
    for tumour in tumours:
        inner = core[:, None, None, None] + tumour.rim * (rim - core)[:, None, None, None]
        inner = inner + tumour.scar * (scar[:, None, None, None] - inner)
        image += tumour.fraction * (inner - image)
    painted: FloatArray = image / signals["liver"][0]
    return painted


def _texture(geometry: Geometry, rng: np.random.Generator) -> FloatArray:
    """Shading of the receive field, and fine variation of the tissue; alike in all phases."""
    slow = tuple(max(140.0 / size, 1.5) for size in geometry.voxel_size_mm)
    fine = tuple(max(6.0 / size, 1.2) for size in geometry.voxel_size_mm)
    shading = 1 + 0.08 * smooth_field(geometry.shape, slow, rng)
    texture: FloatArray = (shading * (1 + 0.03 * smooth_field(geometry.shape, fine, rng))).astype(np.float32)
    return texture


def _moved(volume: FloatArray, geometry: Geometry, rng: np.random.Generator) -> FloatArray:
    """The body a little elsewhere, as registration of breath-holds leaves it."""
    shift = rng.normal(0, _RESIDUAL_MM, 3) / np.asarray(geometry.voxel_size_mm)
    moved: FloatArray = ndimage.shift(volume, shift, order=1, mode="nearest").astype(np.float32)
    return moved
