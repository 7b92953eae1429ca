"""Signal of brain tissue in four spin-echo sequences, from published relaxation times.

Relaxation times at 3 T: white and grey matter from Stanisz GJ et al. (2005), T1, T2 relaxation and magnetization
transfer in tissue at 3T, Magn Reson Med 54:507-512, doi:10.1002/mrm.20605. Cerebrospinal fluid and the lesion values
are round figures inside the ranges that are commonly reported at 3 T (CSF T1 about 4 s and T2 about 2 s; chronic MS
lesions prolonged in T1 and T2 against white matter); they are ours, chosen for a plausible contrast. Proton densities
are relative to water.
"""

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

__all__ = ["SEQUENCES", "TISSUES", "Sequence", "Tissue", "spin_echo_signal"]


@dataclass(frozen=True)
class Tissue:
    """Relaxation times in milliseconds, proton density relative to water, and uptake of a contrast agent.

    The uptake is what the agent adds to ``1 / T1``, per second; 0 behind the blood-brain barrier.
    """

    t1_ms: float
    t2_ms: float
    proton_density: float
    uptake: float = 0.0


@dataclass(frozen=True)
class Sequence:
    """A spin-echo sequence, with an inversion if `ti_ms` is given, after a contrast agent or not. Milliseconds."""

    tr_ms: float
    te_ms: float
    ti_ms: float | None = None
    contrast_agent: bool = False


TISSUES = MappingProxyType(
    {
        "white matter": Tissue(1084, 69, 0.70),
        "grey matter": Tissue(1820, 99, 0.82),
        "csf": Tissue(4200, 2000, 1.0),
        "lesion": Tissue(1450, 105, 0.80),
    }
)

SEQUENCES = MappingProxyType(
    {
        "FLAIR": Sequence(tr_ms=9000, te_ms=110, ti_ms=2500),
        "T1": Sequence(tr_ms=600, te_ms=10),
        "T1Gd": Sequence(tr_ms=600, te_ms=10, contrast_agent=True),
        "T2": Sequence(tr_ms=6000, te_ms=100),
    }
)


def spin_echo_signal(tissue: Tissue, sequence: Sequence) -> float:
    """Magnitude of the steady-state spin-echo signal, relative to water without relaxation.

    Without inversion ``PD (1 - exp(-TR/T1)) exp(-TE/T2)``, with inversion
    ``PD |1 - 2 exp(-TI/T1) + exp(-TR/T1)| exp(-TE/T2)``, TE much shorter than TR.

    References
    ----------
    Bernstein MA, King KF, Zhou XJ (2004), Handbook of MRI Pulse Sequences, chapters 14.2 and 16.3,
    doi:10.1016/B978-0-12-092861-3.X5000-6.
    """
    t1_ms = tissue.t1_ms
    if sequence.contrast_agent:
        t1_ms = 1 / (1 / t1_ms + tissue.uptake / 1000)
    recovery = 1 - np.exp(-sequence.tr_ms / t1_ms)
    if sequence.ti_ms is not None:
        recovery = abs(1 - 2 * np.exp(-sequence.ti_ms / t1_ms) + np.exp(-sequence.tr_ms / t1_ms))
    return float(tissue.proton_density * recovery * np.exp(-sequence.te_ms / tissue.t2_ms))
