"""Words by which people say what an MR image is, in file names and in descriptions of series.

A name is read as a list of words. Several of them may look like a contrast: ``P1_T2_FLAIR`` may be a FLAIR of the
second visit, ``T1_to_FLAIR`` a T1 that was registered to a FLAIR, ``PD_01_T1`` a T1 of a patient with Parkinson's
disease. So words that can mean nothing else go before the bare ``T1``, ``T2`` and ``PD``, later ones before earlier
ones, and what an image was registered to does not count. Maps, subtractions and projections are made from images and
are none of the contrasts that their names hold.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mrviewer.images.dynamic import PHASES, SERIES

__all__ = ["Telling", "split_words", "tell_modality"]

_AGENT = (
    r"gd|gad|gado|gadolinium|gadovist|gadavist|magnevist|dotarem|prohance|multihance|primovist|km|kontrastmittel|mdc|"
    r"ce|contrast|contraste|kontrast|postcontrast|postgd|postgad|postkm|injection|inject|injecte|inj"
)
_GADOLINIUM = r"gd|gad|gado|gadolinium|gadovist|gadavist|magnevist|dotarem"
_NOT_T1 = r"mra|angio\w*|tof|perf\w*|dsc|ct|cta|swi|swan|stir|tirm|bold|epi|pet|ciss|fiesta|before|diff\w*|carotid\w*"
_GLUED_AGENT = rf"(?:{_AGENT}|c|pc|post|enhanced)"
_THICK = r"(?:[23]d)?"
_CERTAIN = {
    "FLAIR": rf"{_THICK}(?:t2w?)?(?:flair|fla|t2f)(?:w|t2)?\d*|darkfluid",
    "T1Gd": rf"{_THICK}t1w?{_GLUED_AGENT}\d*|{_THICK}(?:ce|gd|gad|km)t1w?",
    "T1": (
        rf"{_THICK}t1(?:w|wi|wtd|weighted|n|mprage|mpr|mp2rage|t?se|fse|[tf]fe|gre|spgr|space|vibe|cube|t?fl[23]?d?|"
        r"fs|fatsat|pre|precontrast|pregd|nativ|native|unenhanced)|[23]dt1|inplanet1|unit1"
        rf"|{_THICK}mp2?rage\d*|{_THICK}(?:bravo|i?r?fspgr)"
    ),
    "T2*": rf"{_THICK}t2(?:\*|s|star)w?",
    "T2": rf"{_THICK}t2(?:w|wi|wtd|weighted|t?se|fr?fse|fse|fs|fatsat|space|cube|blade|propeller|haste)|[23]dt2"
    r"|inplanet2",
    "PD": rf"{_THICK}(?:pd|dp)(?:w|wi|wtd|weighted|tse|fse|fs|fatsat)|[23]d(?:pd|dp)|protondensity",
    "ADC": r"d?adc(?:maps?)?\d*",
    "DWI": r"(?:dwi|dmri|dti)\d*|diffusion|tracew",
    SERIES: r"(?:t1w?)?dce(?:mri)?\d*|dynamics?",
}
_PROCESSED = r"(?:reg|coreg|to|in|brain|bet|norm|mni|n4|bc|sag|cor|tra|ax|orig|raw|iso|strip|crop|def|res)"
_HUMP = re.compile(
    rf"(?i:T[12](?:gd|gado?|ce|km|c)|FLAIR|T[12])(?={_PROCESSED})|FLAIR(?=[a-z])|T[12](?=[a-z])|"
    r"[A-Z0-9*]+(?![a-z])|[A-Z]?[a-z]+[0-9*]*|[0-9]+"
)
_BARE = {"t1": "T1", "t2": "T2", "pd": "PD", "dp": "PD"}
"""Words that are also names of visits and of patients."""
_DIMENSIONS = re.compile(r"(?<=[a-z*])[23]d$|(?<=t[12])[23]d$")
"""Behind a contrast it says how the contrast was acquired: ``flair3d``."""
_PHASES = {
    "arterial": r"arterial(?:phase)?|art|hap|c\+a",
    "portal-venous": r"portal(?:venous|vein)?(?:phase)?|pvp?|venous(?:phase)?|ven|c\+v",
    "delayed": r"delay(?:ed)?(?:phase)?|equilibrium",
}

_WITH_AGENT, _WITHOUT_AGENT = " gd ", " noncontrast "
_SIGNS = (
    (
        re.compile(r"(?i)(?<![a-z])(?:proton[ _-]?densit(?:y|é|e)|densit(?:é|e)[ _-](?:de[ _-])?protons?)"),
        "protondensity",
    ),
    (re.compile(r"(?i)(?<![a-z0-9])w/o(?![a-z0-9])"), " without "),
    (
        re.compile(r"(?i)(?:\+ ?(?:c|ce|gd|gad|km|contrast)|(?<![a-z0-9])c ?\+|(?<=t1)\+|(?<=t1w)\+)(?![a-z0-9+])"),
        _WITH_AGENT,
    ),
    (re.compile(r"(?i)(?:(?<![a-z0-9])c ?-|(?<=t1)c-|(?<=t1w)c-|(?<=[\s_])-(?:c|gd|km))(?![a-z0-9])"), _WITHOUT_AGENT),
)
_NOT = r"(?:pre|non|no|not|without|wo|ohne|vor|sans|senza|sin|before|avant|sem|prima|antes)"
_NO_AGENT = re.compile(
    rf"\b(?:{_NOT} (?:iv )?(?:{_AGENT}|c|enhanced)|(?:{_AGENT}) (?:none|no|neg|negative)|noncontrast|noncon|unenhanced|"
    r"nonenhanced|nativ|native|precontrast|pregd|prekm|pregad)\b"
)
_ANY_AGENT = re.compile(rf"\b(?:{_AGENT})\b(?! (?:adjust|norm|stretch|correct|match))")
_POST = re.compile(r"\bpost\b(?! ?(?:op|surg|treat|therap|rt\b|chemo|biops|radio|proc|reg))")
_BEFORE_CONTRAST = re.compile(r"\b(?:precontrast|unenhanced|noncontrast|(?:pre|non) contrast)\b")

_TARGET = {"to", "in", "into", "onto", "on", "reg", "regto", "registered", "coreg", "coregistered", "aligned"}
_ONTO = {"to", "in", "into", "onto", "regto"}
"""Words behind which a target stands whatever was registered to it: ``CT_to_T1`` is not a T1."""
_PLANES = {"ax", "axial", "sag", "sagittal", "cor", "coronal", "tra", "transversal", "obl", "oblique"}
_STARS = {"star", "s", "*"}
_GRADIENT_ECHO = {"gre", "ffe", "hemo"}
_MAPS = r"maps?|mapping|kar?te|cartes?|cartographie|mappa|mapa"
_DERIVED = re.compile(
    r"(?:subtr|sub(?:s?tract|trakt)(?:ion|ed)?(?:en|s)?|subtrahiert|soustractions?|sottrazione|sustraccion|difference|differenz"
    r"|ratio|mips?|minips?"
    r"|(?:t[12](?:w|star|\*|s)?|pd|r[12](?:\*|s|star)?|m0|chi|b[01]|field|trace|t1rho|q?t[12])(?:map|maps|mapping)"
    r"|q(?:t[12](?:\*|s|star)?|pd)|quantitative|relaxometry|r2(?:\*|s|star)|t1rho|sh?molli|molli|sasha"
    r"|r?cb[vf]|mtt|ttp|tmax|ktrans|kep|i?auc\d*|qsm|mtr|mtsat|eadc|exponential|inv[12]"
    r"|locali[sz]ers?|scouts?|survey)"
)
_DIFFUSION_MAPS = re.compile(r"fa|md|rd|ad|tr|l[123]|colfa|tensor|v[123]")
_TISSUE = re.compile(r"(?:[ms]*w?r?c[1-6]|m0?w[cp][1-6])(?=[A-Za-z])")
"""How SPM and CAT12 begin the names of tissue maps that they make of an image: ``c1T1``, ``mwp1sub-01_T1w``."""
_PARTS = re.compile(r"ph|pha|phase|real|imag|imaginary")
_PHASE_OF = {
    "in",
    "out",
    "opp",
    "opposed",
    "arterial",
    "venous",
    "portal",
    "delayed",
    "equilibrium",
    "pre",
    "post",
    "contrast",
}
_COMBINED = re.compile(
    r"(?i)(?:pd|t1|t2)w? ?[+&/] ?(?:pd|t[12])w?(?![a-z0-9])"
    r"|(?:post|gd|c\+|nach)[a-z]*[ _]*(?:-|–|minus)[ _]*(?:pre|nativ|vor|c-)"
)


@dataclass(frozen=True)
class Telling:
    """What some words tell.

    Parameters
    ----------
    modality
        As `mrviewer.names.image_names.MODALITIES` has it; empty if nothing is told.
    places
        Positions of the words that told it, or what a map was made from.
    """

    modality: str = ""
    places: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Hit:
    place: int
    modality: str
    is_bare: bool


def split_words(name: str) -> list[str]:
    """Words of a name as they are written: letters, digits and ``*``; the signs of ``C+`` and ``C-`` become words."""
    for sign, word in _SIGNS:
        name = sign.sub(word, name)
    return [word for word in re.split(r"[^A-Za-z0-9*]+", name) if word]


def tell_modality(name: str, written: Sequence[str], *, last_decides: bool = False) -> Telling:
    """What image a name speaks of.

    Parameters
    ----------
    name
        As it is written.
    written
        Its words, by `split_words`, perhaps fewer.
    last_decides
        Whether the last telling word decides whatever the others say, as in a BIDS name.
    """
    words = [word.lower() for word in written]
    found = _tell(name, words, last_decides)
    if found is not None:
        return found
    humps = [(hump.lower(), place) for place, word in enumerate(written) for hump in _HUMP.findall(word)]
    found = _tell(name, [hump for hump, _ in humps], last_decides)
    return Telling() if found is None else Telling(found.modality, tuple(humps[place][1] for place in found.places))


def _tell(name: str, words: Sequence[str], last_decides: bool) -> Telling | None:
    """What words tell; `None` if they tell nothing, and an empty modality if what they tell is not an image."""
    hits = [hit for place in range(len(words)) if (hit := _hit(words, place)) is not None]
    chosen = _choose(name, words, hits, last_decides)
    if any(_DERIVED.fullmatch(word) for word in words):
        return Telling("", () if chosen is None else (chosen.place,))
    if chosen is None:
        return _phase(name, words, None) or _agent_alone(words)
    if _is_derived(name, words, chosen):
        return Telling("", (chosen.place,))
    modality, places = _with_neighbours(chosen, words)
    phase = _phase(name, words, modality)
    return Telling(modality, places) if phase is None else Telling(phase.modality, (*places, *phase.places))


def _hit(words: Sequence[str], place: int) -> _Hit | None:
    word = _DIMENSIONS.sub("", words[place])
    if word in _BARE:
        return _Hit(place, _BARE[word], is_bare=word == words[place])
    modality = next((name for name, pattern in _CERTAIN.items() if re.fullmatch(pattern, word)), None)
    return None if modality is None else _Hit(place, modality, is_bare=False)


def _choose(name: str, words: Sequence[str], hits: list[_Hit], last_decides: bool) -> _Hit | None:
    """The word that counts among those that look like a contrast."""
    hits = [hit for hit in hits if not _is_target(words, hit, hits)]
    diffusion = {hit.modality: hit for hit in hits if hit.modality in ("ADC", "DWI")}
    if not hits or len(diffusion) == 2:
        return diffusion.get("ADC")
    if last_decides:
        return hits[-1]
    certain = [hit for hit in hits if not hit.is_bare]
    if certain:
        return next((hit for hit in hits if _is_t1_flair(name, words, hit)), certain[-1])
    others = [hit for hit in hits if not _is_identity(words, hit)]
    if others:
        return others[-1]
    is_numbered = hits[0].modality == "PD" or re.match(r"(?i)t[12]-\d{2}", name)
    return None if is_numbered else hits[-1]


def _is_target(words: Sequence[str], hit: _Hit, hits: Sequence[_Hit]) -> bool:
    """Whether a word says what an image named before was registered to."""
    if hit.place == 0 or words[hit.place - 1] not in _TARGET:
        return False
    start = next((at + 1 for at in range(hit.place - 1, -1, -1) if words[at] not in _TARGET), 0)
    return hits[0].place < hit.place - 1 or (start > 0 and not _ONTO.isdisjoint(words[start : hit.place]))


def _is_t1_flair(name: str, words: Sequence[str], hit: _Hit) -> bool:
    """Whether ``T1 FLAIR`` is the T1-weighted sequence that descriptions call so, and not a FLAIR of the visit T1."""
    before, after = words[: hit.place], words[hit.place + 1 : hit.place + 2]
    if hit.modality != "T1" or list(after) != ["flair"]:
        return False
    has_identity = any(re.search(r"\d", word) and word not in ("2d", "3d") for word in before)
    return bool(_PLANES & set(words)) or (" " in name and not has_identity)


def _is_identity(words: Sequence[str], hit: _Hit) -> bool:
    """Whether ``T1``, ``T2`` or ``PD`` is the beginning of a numbered name, such as ``PD_007``."""
    following = words[hit.place + 1 : hit.place + 2]
    is_numbered = bool(following) and following[0].isdigit() and len(following[0]) > 1
    return is_numbered and (hit.place == 0 or hit.modality == "PD")


def _with_neighbours(hit: _Hit, words: Sequence[str]) -> tuple[str, tuple[int, ...]]:
    """Let other words decide between T1 and T1Gd, T2 and T2* or FLAIR."""
    joined = " ".join(words)
    following = words[hit.place + 1] if hit.place + 1 < len(words) else ""
    if hit.modality == "T2" and following in _STARS:
        return "T2*", (hit.place, hit.place + 1)
    if hit.modality == "T2" and _GRADIENT_ECHO & set(words[hit.place + 1 :]):
        return "T2*", (hit.place,)
    if hit.modality == "T2" and re.search(r"\bdark ?fluid\b", joined):
        return "FLAIR", (hit.place,)
    if hit.modality == "DWI" and "apparent diffusion" in joined:
        return "ADC", (hit.place,)
    if hit.modality not in ("T1", "T1Gd"):
        return hit.modality, (hit.place,)
    # The first word of t1_mprage_sag says the same once more, and not when.
    places = (0, 1) if hit.place == 1 and words[0] == "t1" and not hit.is_bare else (hit.place,)
    if _NO_AGENT.search(joined):
        return "T1", places
    if hit.modality == "T1" and _has_agent(words, hit.place):
        agents = [at for at, word in enumerate(words) if re.fullmatch(_GLUED_AGENT, word)]
        return "T1Gd", (*places, *agents)
    return hit.modality, places


def _has_agent(words: Sequence[str], place: int) -> bool:
    """Whether words around a T1 name a contrast agent; ``post`` and ``c`` only behind it."""
    behind = " ".join(words[place + 1 :])
    is_next = re.match(r"(?:c|pc|enhanced)\b", behind) is not None
    return is_next or _ANY_AGENT.search(" ".join(words)) is not None or _POST.search(behind) is not None


def _agent_alone(words: Sequence[str]) -> Telling | None:
    """What the name of an agent tells where nothing else does: ``GADO`` is the T1 after contrast."""
    places = tuple(at for at, word in enumerate(words) if re.fullmatch(_GADOLINIUM, word))
    if not places or _NO_AGENT.search(" ".join(words)) or any(re.fullmatch(_NOT_T1, word) for word in words):
        return None
    return Telling("T1Gd", places)


def _phase(name: str, words: Sequence[str], modality: str | None) -> Telling | None:
    """Phase of a contrast-enhanced study; ``pre`` is one at the end of a name that tells nothing else."""
    if modality not in (None, SERIES, "T1", "T1Gd") or not words:
        return None
    # The words of a name are cut at a plus sign, which tells the phases of LLD-MMRI ("C+A") apart.
    signs = re.findall(r"(?<![a-z0-9])c\+[av](?![a-z])", name.lower())
    for phase, pattern in _PHASES.items():
        places = tuple(at for at, word in enumerate(words) if re.fullmatch(pattern, word))
        if places or any(re.fullmatch(pattern, sign) for sign in signs):
            return Telling(phase, places)
    is_before = _BEFORE_CONTRAST.search(" ".join(words)) or words[-1] == "pre"
    return Telling(PHASES[0]) if is_before and modality in (None, SERIES) else None


def _is_derived(name: str, words: Sequence[str], hit: _Hit) -> bool:
    """Whether a name speaks of a map, a subtraction, a projection, a phase or a localiser, and not of an image."""
    if any(re.fullmatch(_MAPS, word) for word in words) and hit.modality != "ADC":
        return True
    if _COMBINED.search(name) or _TISSUE.match(name):
        return True
    if hit.modality == "DWI" and any(_DIFFUSION_MAPS.fullmatch(word) for word in words[hit.place + 1 :]):
        return True
    if _PARTS.fullmatch(words[-1]) and words[-2:-1] and words[-2] not in _PHASE_OF:
        return True
    return any(word == "sub" and _is_subtraction(words, at) for at, word in enumerate(words))


def _is_subtraction(words: Sequence[str], place: int) -> bool:
    """Whether ``sub`` means a subtraction and not a subject: at the end, or before what tells a contrast or plane."""
    if place + 1 == len(words):
        return True
    following = words[place + 1]
    is_contrast = _hit(words, place + 1) is not None or re.fullmatch(_GLUED_AGENT, following) is not None
    return is_contrast or following in _PLANES
