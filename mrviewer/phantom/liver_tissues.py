"""Tissues of the abdomen and tumours of the liver: relaxation before, and perfusion after the agent.

T1 at 3 T of liver, spleen, kidney, muscle, bone marrow and fat: de Bazelaire CMJ et al. (2004), MR imaging relaxation
times of abdominal and pelvic tissues measured in vivo at 3.0 T, Radiology 230:652-659, doi:10.1148/radiol.2303021331.
Blood: Stanisz GJ et al. (2005), Magn Reson Med 54:507-512, doi:10.1002/mrm.20605. All other numbers are round figures
of ours, chosen so that tumours enhance as the reviews describe:

- hepatocellular carcinoma: bright in the arterial phase, darker than the liver after it (washout), with a late capsule;
- haemangioma: bright nodules at the edge that fill in and stay bright;
- metastasis (of few vessels): dark, with a thin bright rim in the arterial phase;
- cholangiocarcinoma: a rim in the arterial phase, and a fibrous core that goes on enhancing;
- focal nodular hyperplasia: very bright in the arterial phase, then like the liver; its scar enhances late;
- cyst: no enhancement.

References
----------
Chernyak V et al. (2018), Liver Imaging Reporting and Data System (LI-RADS) version 2018: imaging of hepatocellular
carcinoma in at-risk patients, Radiology 289:816-830, doi:10.1148/radiol.2018181494.
Matos AP et al. (2015), Focal liver lesions: practical magnetic resonance imaging approach, World J Hepatol
7:1987-2008, doi:10.4254/wjh.v7.i16.1987.
Coenegrachts K (2009), Magnetic resonance imaging of the liver: new imaging strategies for evaluating focal liver
lesions, World J Radiol 1:72-85, doi:10.4329/wjr.v1.i1.72.
"""

from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from mrviewer.phantom.liver_kinetics import Bolus, Perfusion, concentration, spoiled_signal

__all__ = ["MALIGNANT", "TISSUES", "TUMOUR_KINDS", "AbdominalTissue", "TumourKind", "phase_signals", "varied"]


@dataclass(frozen=True)
class AbdominalTissue:
    """T1 in milliseconds, what is seen of its protons relative to water, and its perfusion."""

    t1_ms: float
    density: float
    perfusion: Perfusion


@dataclass(frozen=True)
class TumourKind:
    """What a tumour is made of.

    Parameters
    ----------
    core, rim
        Tissue inside, and at the edge; alike if there is no rim.
    rim_mm
        Thickness of the rim; 0 for none.
    nodular
        Whether the rim is made of nodules.
    scar
        Tissue of a star in the middle; `None` for none.
    """

    core: AbdominalTissue
    rim: AbdominalTissue
    rim_mm: float = 0.0
    nodular: bool = False
    scar: AbdominalTissue | None = None


_NONE = Perfusion(0.0, 1.0, 0.1)

TISSUES = MappingProxyType(
    {
        "liver": AbdominalTissue(809, 1.0, Perfusion(1.0, 0.2, 0.23)),
        "spleen": AbdominalTissue(1328, 1.0, Perfusion(1.6, 1.0, 0.30)),
        "kidney": AbdominalTissue(1142, 1.0, Perfusion(2.5, 1.0, 0.35)),
        "muscle": AbdominalTissue(898, 0.9, Perfusion(0.06, 1.0, 0.12)),
        "bone": AbdominalTissue(586, 0.45, Perfusion(0.15, 1.0, 0.12)),
        "fat": AbdominalTissue(382, 0.12, Perfusion(0.02, 1.0, 0.05)),
        "stomach": AbdominalTissue(1200, 0.8, Perfusion(0.4, 1.0, 0.20)),
        "artery": AbdominalTissue(1932, 1.0, Perfusion(0.0, 1.0, 0.1, plasma=0.58)),
        "portal vein": AbdominalTissue(1932, 1.0, Perfusion(60.0, 0.0, 0.58)),
        "vein": AbdominalTissue(1932, 1.0, Perfusion(2.0, 0.3, 0.58)),
        "fluid": AbdominalTissue(3500, 1.0, _NONE),
    }
)

_HYPERVASCULAR = AbdominalTissue(1050, 1.0, Perfusion(1.8, 0.95, 0.15))
_CAPSULE = AbdominalTissue(1050, 1.0, Perfusion(0.35, 1.0, 0.34))
_FIBROUS = AbdominalTissue(1200, 1.0, Perfusion(0.13, 1.0, 0.40))

TUMOUR_KINDS = MappingProxyType(
    {
        "hepatocellular carcinoma": TumourKind(_HYPERVASCULAR, _CAPSULE, rim_mm=2.5),
        "metastasis": TumourKind(
            AbdominalTissue(1250, 1.0, Perfusion(0.09, 1.0, 0.12)),
            AbdominalTissue(1150, 1.0, Perfusion(1.0, 0.95, 0.20)),
            rim_mm=3.0,
        ),
        "cholangiocarcinoma": TumourKind(_FIBROUS, AbdominalTissue(1150, 1.0, Perfusion(0.8, 0.95, 0.22)), rim_mm=4.5),
        "haemangioma": TumourKind(
            AbdominalTissue(1500, 1.0, Perfusion(0.22, 1.0, 0.50)),
            AbdominalTissue(1500, 1.0, Perfusion(1.6, 1.0, 0.50)),
            rim_mm=7.0,
            nodular=True,
        ),
        "focal nodular hyperplasia": TumourKind(
            AbdominalTissue(880, 1.0, Perfusion(2.4, 0.9, 0.27)),
            AbdominalTissue(880, 1.0, Perfusion(2.4, 0.9, 0.27)),
            scar=AbdominalTissue(1100, 1.0, Perfusion(0.12, 1.0, 0.45)),
        ),
        "cyst": TumourKind(AbdominalTissue(3500, 1.0, _NONE), AbdominalTissue(3500, 1.0, _NONE)),
    }
)
"""Kinds of tumour that a simulated patient may have; the first three are malignant."""

MALIGNANT = tuple(TUMOUR_KINDS)[:3]


def phase_signals(tissue: AbdominalTissue, bolus: Bolus) -> NDArray[np.float32]:
    """Signal ``(4,)`` of a tissue before the injection and in the three phases."""
    signal: NDArray[np.float32] = spoiled_signal(
        tissue.t1_ms, tissue.density, concentration(tissue.perfusion, bolus)
    ).astype(np.float32)
    return signal


def varied(tissue: AbdominalTissue, rng: np.random.Generator, spread: float = 0.15) -> AbdominalTissue:
    """The same tissue in another person: T1 differs by a third of `spread`, flow and space by `spread`."""
    t1, flow, space = np.exp(rng.normal(0, spread, 3) * (1 / 3, 1, 0.6))
    perfusion = tissue.perfusion
    return replace(
        tissue,
        t1_ms=float(tissue.t1_ms * t1),
        perfusion=replace(
            perfusion,
            flow_per_min=float(perfusion.flow_per_min * flow),
            space=float(min(perfusion.space * space, 0.6)),
        ),
    )
