"""Large lesions: infarcts of several ages, and gliomas with necrosis, enhancing rim and oedema.

Sizes, places and relaxation times are ours: round figures chosen so that each part is brighter or darker than its
surroundings in FLAIR, T1, T1 after contrast and T2 as radiology describes it. Nothing pushes the healthy tissue aside,
as a real mass would.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mrviewer.geometry import Geometry
from mrviewer.phantom.anatomy import HeadAnatomy, smooth_field
from mrviewer.phantom.lesions import distance_to_edge
from mrviewer.phantom.signal import Tissue

__all__ = ["Disease", "LesionLayer", "draw_glioma", "draw_stroke"]

FloatArray = NDArray[np.float32]

Disease = Literal["ms", "stroke", "glioma"]

_TISSUES = MappingProxyType(
    {
        "infarct": Tissue(2000, 170, 0.88),
        "cavity": Tissue(3500, 1000, 0.97),
        "oedema": Tissue(1900, 150, 0.85),
        "solid tumour": Tissue(1750, 130, 0.85),
        "enhancing tumour": Tissue(1750, 130, 0.85, uptake=1.3),
        "necrosis": Tissue(3000, 400, 0.95),
    }
)


@dataclass(frozen=True, eq=False)
class LesionLayer:
    """One kind of damaged tissue and where it is; of several layers the later ones cover the earlier.

    Parameters
    ----------
    fraction : float32, (z, y, x)
        Part of each voxel that belongs to the lesion, in [0, 1].
    tissue
        What a voxel that it fills altogether looks like.
    severity : float or float32, (z, y, x)
        How far the tissue there has turned from what it was into `tissue`, about 0 to 1.
    """

    fraction: FloatArray
    tissue: Tissue
    severity: FloatArray | float = 1.0


def draw_stroke(anatomy: HeadAnatomy, geometry: Geometry, rng: np.random.Generator) -> list[LesionLayer]:
    """One infarct of one hemisphere, cortex and white matter, fresh or with a cavity; sometimes a small deep one."""
    x, y, z = anatomy.template_mm
    brain = anatomy.white_matter + anatomy.grey_matter
    side = float(rng.choice((-1, 1)))
    place = (brain > 0.7) & (side * x > 18) & (z > -20) & (y > -75) & (y < 40)
    volume_ml = float(np.clip(np.exp(rng.normal(np.log(15), 1.1)), 0.6, 150))
    edge_mm = _edge(place, geometry, volume_ml, rng, roughness=0.34)
    one_side = np.clip(0.5 + side * x / 3, 0, 1)
    within = np.clip(1.6 * brain, 0, 1) * one_side
    fraction = _soft(edge_mm) * within
    layers = [LesionLayer(fraction.astype(np.float32), _TISSUES["infarct"], float(rng.uniform(0.65, 1.0)))]
    if rng.uniform() < 0.5:
        cavity = _soft(edge_mm - rng.uniform(2, 6)) * within
        layers.append(LesionLayer(cavity.astype(np.float32), _TISSUES["cavity"], float(rng.uniform(0.7, 1.0))))
    if rng.uniform() < 0.4:
        deep = (brain > 0.8) & (np.abs(x) < 32) & (z > -15) & (z < 35) & (y > -45) & (y < 25)
        small = _soft(_edge(deep, geometry, float(rng.uniform(0.2, 1.5)), rng, roughness=0.2)) * np.clip(
            1.6 * brain, 0, 1
        )
        layers.append(LesionLayer(small.astype(np.float32), _TISSUES["infarct"], float(rng.uniform(0.65, 1.0))))
    return layers


def draw_glioma(anatomy: HeadAnatomy, geometry: Geometry, rng: np.random.Generator) -> list[LesionLayer]:
    """One glioma: oedema along the white matter, and a core that is solid or a rim around necrosis."""
    x, y, z = anatomy.template_mm
    brain = anatomy.white_matter + anatomy.grey_matter
    place = (anatomy.white_matter > 0.6) & (np.abs(x) > 14) & (z > -15) & (z < 50) & (y > -75) & (y < 45)
    volume_ml = float(np.clip(np.exp(rng.normal(np.log(12), 0.9)), 1.0, 90))
    edge_mm = _edge(place, geometry, volume_ml, rng, roughness=0.2)
    width_mm = float(rng.uniform(3, 16))
    spacing = tuple(max(9.0 / size, 1.5) for size in geometry.voxel_size_mm)
    fingers = smooth_field(geometry.shape, spacing, rng)
    core = _soft(edge_mm) * np.clip(1.6 * (brain + 0.5 * anatomy.csf), 0, 1)
    oedema = _soft(edge_mm + width_mm * (1 + 0.3 * fingers)) * np.clip(1.5 * anatomy.white_matter, 0, 1)
    layers = [
        LesionLayer(np.maximum(oedema, core).astype(np.float32), _TISSUES["oedema"], float(rng.uniform(0.6, 1.0)))
    ]
    if rng.uniform() < 0.65:
        inner = edge_mm - rng.uniform(2.5, 6.0) * (1 + 0.3 * fingers)
        layers.append(LesionLayer(core.astype(np.float32), _TISSUES["enhancing tumour"], float(rng.uniform(0.7, 1.0))))
        layers.append(LesionLayer((_soft(inner) * core).astype(np.float32), _TISSUES["necrosis"]))
    else:
        layers.append(LesionLayer(core.astype(np.float32), _TISSUES["solid tumour"], float(rng.uniform(0.6, 1.0))))
    return layers


def _edge(
    place: NDArray[np.bool_], geometry: Geometry, volume_ml: float, rng: np.random.Generator, *, roughness: float
) -> NDArray[np.float64]:
    """Millimetres to the surface of an irregular ellipsoid of about `volume_ml` somewhere in `place`."""
    candidates = np.flatnonzero(place)
    chosen = int(candidates[rng.integers(candidates.size)]) if candidates.size else place.size // 2
    seed = np.asarray(np.unravel_index(chosen, place.shape))
    axes = np.exp(rng.normal(0, 0.22, 3))
    axes *= (volume_ml * 1000 * 3 / (4 * np.pi) / np.prod(axes)) ** (1 / 3)
    spacing = np.asarray(geometry.voxel_size_mm)
    return distance_to_edge(np.zeros(3, np.intp), np.asarray(place.shape), seed, axes, spacing, rng, roughness)


def _soft(edge_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fraction of a voxel inside, for a surface that runs `edge_mm` millimetres away from its centre."""
    fraction: NDArray[np.float64] = np.clip(0.5 + edge_mm / 1.2, 0, 1)
    return fraction
