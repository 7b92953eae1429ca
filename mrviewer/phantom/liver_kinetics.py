"""How tissues of the abdomen take up contrast agent, and what a spoiled gradient echo makes of it.

The blood of the aorta follows a population average (Parker), that of the portal vein the same, later and wider. A
tissue is one compartment that both supply (Materne), with blood plasma of its own (the extended model of Tofts).

References
----------
Parker GJM et al. (2006), Experimentally-derived functional form for a population-averaged high-temporal-resolution
arterial input function for dynamic contrast-enhanced MRI, Magn Reson Med 56:993-1000, doi:10.1002/mrm.21066.
Materne R et al. (2002), Assessment of hepatic perfusion parameters with dynamic MRI, Magn Reson Med 47:135-142,
doi:10.1002/mrm.10045.
Tofts PS (1997), Modeling tracer kinetics in dynamic Gd-DTPA MR imaging, J Magn Reson Imaging 7:91-101,
doi:10.1002/jmri.1880070113.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Bolus", "Perfusion", "concentration", "population_input", "spoiled_signal"]

FloatArray = NDArray[np.float64]

STEP_S = 0.5
LENGTH_S = 320.0
HAEMATOCRIT = 0.42

REPETITION_MS = 4.0
FLIP_DEGREES = 12.0
RELAXIVITY_PER_MM_S = 4.5
"""Of an extracellular agent in plasma at 3 T, a round figure. Its shortening of T2* is left out."""


@dataclass(frozen=True)
class Bolus:
    """When the agent comes and when the scanner looks, in seconds after the injection.

    Parameters
    ----------
    arrival_s
        Of the agent in the aorta.
    phases_s
        Late arterial, portal venous and delayed phase.
    portal_delay_s, portal_spread_s
        How much later, and over which time constant, blood comes through the gut into the portal vein.
    """

    arrival_s: float = 18.0
    phases_s: tuple[float, float, float] = (32.0, 72.0, 180.0)
    portal_delay_s: float = 8.0
    portal_spread_s: float = 12.0


@dataclass(frozen=True)
class Perfusion:
    """Supply and spaces of a tissue.

    Parameters
    ----------
    flow_per_min
        Agent that passes from blood into the tissue, in volumes of blood per volume of tissue and minute.
    arterial_share
        Part of the flow that comes from the artery; the rest comes from the portal vein.
    space
        Volume that the agent spreads in, as a part of the tissue.
    plasma
        Plasma that is in the tissue and follows the artery at once, as a part of the tissue.
    """

    flow_per_min: float
    arterial_share: float
    space: float
    plasma: float = 0.0


def population_input(seconds: FloatArray) -> FloatArray:
    """Concentration in the blood of an artery, mmol/l, by seconds after the agent arrives (Parker)."""
    minutes = np.asarray(seconds, np.float64) / 60
    first = 0.809 / (0.0563 * np.sqrt(2 * np.pi)) * np.exp(-((minutes - 0.17046) ** 2) / (2 * 0.0563**2))
    second = 0.330 / (0.132 * np.sqrt(2 * np.pi)) * np.exp(-((minutes - 0.365) ** 2) / (2 * 0.132**2))
    tail = 1.050 * np.exp(-0.1685 * minutes) / (1 + np.exp(-38.078 * (minutes - 0.483)))
    blood: FloatArray = np.where(minutes < 0, 0.0, first + second + tail)
    return blood


def concentration(perfusion: Perfusion, bolus: Bolus) -> FloatArray:
    """Concentration in a tissue before the injection and in the three phases, mmol/l, ``(4,)``.

    ``C = v_p c_a + int F (a c_a + (1 - a) c_v)(s) exp(-(F / v) (t - s)) ds`` with plasma of artery and portal vein.
    """
    times = np.arange(0, LENGTH_S, STEP_S)
    arterial = population_input(times - bolus.arrival_s) / (1 - HAEMATOCRIT)
    late = population_input(times - bolus.arrival_s - bolus.portal_delay_s) / (1 - HAEMATOCRIT)
    portal = _convolve(late, np.exp(-times / bolus.portal_spread_s) / bolus.portal_spread_s)
    flow = perfusion.flow_per_min / 60
    supply = perfusion.arterial_share * arterial + (1 - perfusion.arterial_share) * portal
    tissue = perfusion.plasma * arterial + _convolve(flow * supply, np.exp(-times * flow / perfusion.space))
    phases = np.interp(bolus.phases_s, times, tissue)
    return np.concatenate([[0.0], phases])


def spoiled_signal(t1_ms: float, density: float, agent_mmol: FloatArray) -> FloatArray:
    """Signal of a spoiled gradient echo, ``M sin(a) (1 - E) / (1 - cos(a) E)``, ``E = exp(-TR / T1)``.

    Parameters
    ----------
    t1_ms, density
        Of the tissue without agent; the density is relative to water and holds what fat suppression leaves.
    agent_mmol
        Concentrations, mmol/l; each shortens T1 by its relaxivity.
    """
    rate_per_ms = 1 / t1_ms + RELAXIVITY_PER_MM_S / 1000 * np.asarray(agent_mmol, np.float64)
    recovery = np.exp(-REPETITION_MS * rate_per_ms)
    flip = np.radians(FLIP_DEGREES)
    signal: FloatArray = density * np.sin(flip) * (1 - recovery) / (1 - np.cos(flip) * recovery)
    return signal


def _convolve(signal: FloatArray, response: FloatArray) -> FloatArray:
    convolved: FloatArray = np.convolve(signal, response)[: len(signal)] * STEP_S
    return convolved
