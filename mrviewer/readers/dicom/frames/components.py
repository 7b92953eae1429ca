"""What the images of a series show: magnitude, phase, water, a map, ...; by what each vendor writes into the header.

The standard names the component in `ComplexImageComponent` and, like most vendors, in `ImageType` (PS3.3, C.8.13.3.1).
GE numbers it in a private element, and Philips repeats it in one.
"""

import re
from collections.abc import Iterable

__all__ = ["MAGNITUDE", "component_of", "component_rank", "shows_contrast"]

MAGNITUDE = "magnitude"
_WATER, _IN_PHASE, _OUT_OF_PHASE, _FAT = "water", "in phase", "out of phase", "fat"
_NAMES = {
    MAGNITUDE: "M MAGNITUDE",
    "phase": "P PHASE PHASE_MAP PHASE_IMAGE PHASE_DIFF PHASE_DIFFERENCE",
    "real": "R REAL",
    "imaginary": "I IMAGINARY",
    "corrected real": "CR PS PSIR PHASE_SENSITIVE",
    _WATER: "W WATER WATER_ONLY",
    _FAT: "F FAT FAT_ONLY",
    _IN_PHASE: "IP IN IN_PHASE INPHASE",
    _OUT_OF_PHASE: "OP OUT OPP OUT_PHASE OUTPHASE OUT_OF_PHASE OPP_PHASE OPPOSED OPPOSED_PHASE OPPOSEDPHASE OUTOFPHASE",
    "fat fraction": "FF PDFF FAT_FRACTION FATFRACTION FAT_PERCENT FAT_FRAC",
    "water fraction": "WF WATER_FRACTION WATER_PERCENT",
    "field map": "B0 B0_MAP FIELD_MAP FIELDMAP OFF_RESONANCE FREQUENCY_MAP",
    "B1 map": "B1 B1_MAP B1MAP FLIP_ANGLE_MAP",
    "T1 map": "T1_MAP T1MAP",
    "T2 map": "T2_MAP T2MAP",
    "T2* map": "T2_STAR_MAP T2STAR_MAP T2STARMAP T2*_MAP",
    "R1 map": "R1 R1_MAP",
    "R2 map": "R2 R2_MAP",
    "R2* map": "R2_STAR R2STAR R2_STAR_MAP R2STAR_MAP R2*_MAP",
    "PD map": "PD_MAP RHO_MAP",
    "velocity": "V VELOCITY VELOCITY_MAP",
    "ADC": "ADC ADC_MAP AVG_ADC AVERAGE_ADC APPARENT_DIFFUSION_COEFFICIENT",
    "exponential ADC": "EADC EXP_ADC EXPONENTIAL_ADC",
    "FA map": "FA FA_MAP FRACTIONAL_ANISOTROPY",
    "susceptibility map": "QSM",
    "subtraction": "SUB SUBTRACT SUBTRACTION",
    "projection": "MIP MAX_IP MINIP MIN_IP MNIP PROJECTION_IMAGE CSA_MIP",
}
"""Words of `ImageType` and `ComplexImageComponent`, upper case with underscores, by what they mean."""
_MEANING = {word: component for component, words in _NAMES.items() for word in words.split()}
_MEANING |= {
    word: f"{word} map"
    for word in ("CBF", "CBV", "RCBF", "RCBV", "RELCBF", "RELCBV", "MTT", "RELMTT", "TTP", "TMAX", "KTRANS")
}
_BY_SEQUENCE = re.compile(r"([MPRI])_(?:FFE|SE|TSE|IR|EPI|GRASE|B-?FFE|PCA|MIXED|CSI)")
"""As Philips names the component of one kind of sequence."""
_DESCRIBED = (
    (
        _OUT_OF_PHASE,
        r"\b(?:opp?|out|opposed|outphase|oppphase)$|\b(?:opp|opposed|out|out of) phase\b|\b(?:out|opp)phase\b",
    ),
    (_IN_PHASE, r"\bin$|\bin ?phase\b"),
    ("fat fraction", r"\b(?:ff|pdff|fat fraction)\b"),
    (_WATER, r"\bw$|\bwater\b"),
    (_FAT, r"\bf$|\bfat\b(?! ?(?:sat|sup|fraction))"),
)
"""Parts of a Dixon series by its description: ``t1_vibe_dixon_tra_W``, ``WATER: Ax LAVA Flex``."""
_DIXON = re.compile(r"(?i)dixon|ideal|flex|wfi|in[ _-]?phase|(?:out|opp)[ _a-z-]*phase")
_FIRST = (MAGNITUDE, "corrected real", _WATER, _FAT, _IN_PHASE, _OUT_OF_PHASE, "phase", "real", "imaginary")
_WEIGHTED = (MAGNITUDE, "corrected real", _WATER, _IN_PHASE, _OUT_OF_PHASE)
_COMPLEX = (MAGNITUDE, "phase", "real", "imaginary")
"""Parts of the complex signal, by GE's number."""
_SEPARATED = (_WATER, _FAT, _IN_PHASE, _OUT_OF_PHASE)


def component_of(words: Iterable[str], ge_number: int | None = None, description: str = "") -> str:
    """What an image shows; magnitude if nothing says otherwise.

    Parameters
    ----------
    words
        Values of `ComplexImageComponent`, of `ImageType` behind the second, and of the vendors' elements like them.
    ge_number
        Value of GE's element (0043,102F): 0 magnitude, 1 phase, 2 real, 3 imaginary.
    description
        Of the series; it tells the parts of a Dixon series apart where nothing else does.
    """
    if ge_number is not None and 0 < ge_number < len(_COMPLEX):
        return _COMPLEX[ge_number]
    meanings = [meaning for word in words if (meaning := _meaning(word))]
    part = next((meaning for meaning in meanings if meaning not in _COMPLEX), "") or _described(description)
    signal = next((meaning for meaning in meanings if meaning in _COMPLEX and meaning != MAGNITUDE), "")
    if part in _SEPARATED and signal in ("phase", "imaginary"):
        return f"{part}, {signal}"
    return part or signal or MAGNITUDE


def component_rank(component: str) -> int:
    """Place of a component in the order in which the parts of a series are offered."""
    return _FIRST.index(component) if component in _FIRST else len(_FIRST)


def shows_contrast(component: str) -> bool:
    """Whether an image of this component is weighted as its sequence is; a phase, a map or fat alone is not."""
    return component in _WEIGHTED


def _meaning(word: str) -> str:
    normal = re.sub(r"[\s_-]+", "_", word.strip().upper())
    if match := _BY_SEQUENCE.fullmatch(normal):
        normal = match[1]
    return _MEANING.get(normal, "")


def _described(description: str) -> str:
    """Part of a Dixon series that a description names; empty if it names none, or several."""
    if not _DIXON.search(description):
        return ""
    normal = re.sub(r"[\s_.:-]+", " ", description).strip().lower()
    normal = re.sub(r"(?: (?:nd|norm|dis[23]d))+$", "", normal)
    found = [component for component, pattern in _DESCRIBED if re.search(pattern, normal)]
    return found[0] if len(found) == 1 else ""
