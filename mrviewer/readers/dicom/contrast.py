"""Which contrast a series shows, proposed from its header; a person may know better.

What the scanner states of a map or of diffusion weighting is certain; a description that a technician typed says most
otherwise; then the contrast that enhanced files name; last the times of the sequence, by the ranges that are usual for
brain imaging at 1.5 and 3 T (Bernstein, King, Zhou, Handbook of MRI Pulse Sequences, 2004, chapters 14 and 17).
"""

import re
from dataclasses import dataclass

from mrviewer.images.dynamic import PHASES, SERIES
from mrviewer.names.image_names import MODALITIES, canonical_modality
from mrviewer.readers.dicom.frames.components import shows_contrast

__all__ = ["UNKNOWN_CONTRAST", "SequenceFacts", "modality_of_part", "propose_modality"]

UNKNOWN_CONTRAST = "Unknown contrast"
"""What a series that this program derived from another is called where the contrast of the other is not known."""
_ENHANCED = {
    "FLUID_ATTENUATED": "FLAIR",
    "T1": "T1",
    "T2": "T2",
    "T2_STAR": "T2*",
    "PROTON_DENSITY": "PD",
    "DIFFUSION": "DWI",
}
_NO_CONTRAST = re.compile(
    rf"{UNKNOWN_CONTRAST}|(?<![a-z])(?:maps?|sub)(?![a-z])|field ?map|mapping|subtract|b0|scout|locali[sz]er|survey|"
    r"phase|fa\b|perf|swi|mra|tof|spectr",
    re.I,
)
_WITHOUT_AGENT = re.compile(r"pre(?:\b|_|reg)|non[- ]?contrast|unenhanced|native|nativ\b", re.I)
_ATTENUATED = re.compile(r"(?i)flair|dark[-_ ]?fluid")
_GLUED = re.compile(r"(?i)(t1|t2|pd|flair)(pre|post|reg)")
_AGENT = re.compile(r"(?i)(?:\+ ?(?:c|gd|km)\b|\bpost\b|\bgad|\bce\b)")
_NO_AGENT = re.compile(r"(?i)^\s*(?:no|none|n|0|-)?\s*$")


@dataclass(frozen=True)
class SequenceFacts:
    """What the header of a series says of its contrast; 0 or empty where it says nothing.

    Parameters
    ----------
    descriptions
        What a person called it: series description, then protocol.
    image_type, scanning_sequence
        Values of the elements of these names.
    enhanced_contrast
        Contrast as an enhanced file states it.
    repetition_ms, echo_ms, inversion_ms
        Times of the sequence.
    contrast_agent
        Name of the agent.
    b_value
        Largest diffusion weighting in s/mm2.
    """

    descriptions: tuple[str, ...] = ()
    image_type: tuple[str, ...] = ()
    scanning_sequence: tuple[str, ...] = ()
    enhanced_contrast: str = ""
    repetition_ms: float = 0
    echo_ms: float = 0
    inversion_ms: float = 0
    contrast_agent: str = ""
    b_value: float = 0


def propose_modality(facts: SequenceFacts) -> str:
    """Modality as `mrviewer.names.image_names` spells it; ``unknown`` if nothing tells."""
    modality = _from_scanner(facts) or _from_words(facts) or _from_times(facts)
    if modality == "T1" and _has_agent(facts):
        return "T1Gd"
    return modality or "unknown"


def modality_of_part(proposed: str, component: str) -> str:
    """Modality of a part of a series: what was proposed of the whole, unless it shows a phase, a map or fat alone.

    Parameters
    ----------
    proposed
        Modality of the series.
    component
        What the part shows, see `mrviewer.readers.dicom.frames.components`.
    """
    return proposed if shows_contrast(component) or not component else component


def _from_scanner(facts: SequenceFacts) -> str:
    kinds = {value.upper() for value in facts.image_type}
    if "ADC" in kinds:
        return "ADC"
    if "DIFFUSION" in kinds or facts.b_value >= SMALLEST_DWI:
        return "DWI"
    return ""


def _from_words(facts: SequenceFacts) -> str:
    for rank, words in enumerate(facts.descriptions):
        guess = canonical_modality(_GLUED.sub(r"\1 \2", words))
        # Protocols, and descriptions of echo-planar series, hold "delay" and "art" in another sense.
        means_phase = rank == 0 and "EP" not in facts.scanning_sequence
        if guess in MODALITIES and (means_phase or guess not in (*PHASES, SERIES)):
            if guess == "T1Gd" and _WITHOUT_AGENT.search(words):
                return "T1"
            # "t2_tirm_dark-fluid" and "t2_space_ir" are FLAIR.
            is_attenuated = bool(_ATTENUATED.search(words)) or facts.inversion_ms >= LONG_INVERSION_MS
            return "FLAIR" if guess == "T2" and is_attenuated else guess
    return ""


def _from_times(facts: SequenceFacts) -> str:
    """Contrast by what the scanner states, else by the times of the sequence."""
    if any(_NO_CONTRAST.search(words) for words in facts.descriptions):
        return ""
    if facts.enhanced_contrast in _ENHANCED:
        return _ENHANCED[facts.enhanced_contrast]
    if not facts.repetition_ms or not facts.echo_ms:
        return ""
    sequence = set(facts.scanning_sequence)
    if facts.inversion_ms >= LONG_INVERSION_MS and facts.repetition_ms >= LONG_REPETITION_MS:
        return "FLAIR" if facts.echo_ms >= LONG_ECHO_MS else "T1"
    if "GR" in sequence and "SE" not in sequence:
        return "T2*" if facts.echo_ms >= SUSCEPTIBLE_ECHO_MS else ""
    if facts.repetition_ms <= SHORT_REPETITION_MS:
        return "T1" if facts.echo_ms <= SHORT_ECHO_MS else ""
    if facts.repetition_ms >= LONG_REPETITION_MS and "EP" not in sequence:
        return "T2" if facts.echo_ms >= LONG_ECHO_MS else "PD" if facts.echo_ms <= PD_ECHO_MS else ""
    return ""


def _has_agent(facts: SequenceFacts) -> bool:
    """Whether an agent was given, by the header or the description, unless that says it was not yet."""
    words = _GLUED.sub(r"\1 \2", " ".join(facts.descriptions))
    if _WITHOUT_AGENT.search(words):
        return False
    return not _NO_AGENT.match(facts.contrast_agent) or bool(_AGENT.search(words))


SMALLEST_DWI = 50.0
"""Diffusion weighting in s/mm2 from which an image is called diffusion-weighted."""
LONG_INVERSION_MS = 1500.0
LONG_REPETITION_MS = 1800.0
SHORT_REPETITION_MS = 1000.0
LONG_ECHO_MS = 60.0
PD_ECHO_MS = 40.0
SHORT_ECHO_MS = 30.0
SUSCEPTIBLE_ECHO_MS = 15.0
