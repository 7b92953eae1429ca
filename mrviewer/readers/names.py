"""What the name of a file tells: which contrast it is, or that it holds reference labels."""

import re
from collections.abc import Container, Sequence
from pathlib import Path

from mrviewer.dynamic import PHASES, SERIES

__all__ = ["MODALITIES", "canonical_modality", "file_stem", "free_name", "guess_modality", "label_rank"]

MODALITIES = ("FLAIR", "T1", "T1Gd", "T2", "T2*", "PD", "DWI", "ADC", *PHASES, SERIES)
"""Known modalities, in the order in which a folder's images are opened."""

_CONTRAST_AGENT = r"(?:gd|gad|gado|gadolinium|ce|c|post|postgd|postcontrast|contrast|enhanced|km)"
_WORDS = {
    "FLAIR": r"(?:[23]d)?(?:t2w?)?(?:flair|fla|t2f)(?:w|t2)?\d*",
    "T1Gd": rf"(?:[23]d)?t1w?{_CONTRAST_AGENT}\d*",
    "T1": r"(?:[23]d)?t1(?:w|wi|n|mprage|mpr)?|(?:[23]d)?mp2?rage\d*",
    "T2*": r"(?:[23]d)?t2(?:\*|s|star)w?",
    "T2": r"(?:[23]d)?t2(?:w|wi|tse|fse)?",
    "PD": r"(?:[23]d)?pd(?:w|wi)?\d*",
    "DWI": r"(?:dwi|dmri|dti)\d*",
    "ADC": r"adc(?:map)?\d*",
    SERIES: r"(?:t1w?)?dce(?:mri)?\d*|dynamics?",
}
_PHASE_WORDS = {
    "arterial": r"arterial(?:phase)?|art|hap|c\+a",
    "portal-venous": r"portal(?:venous|vein)?(?:phase)?|pvp?|venous(?:phase)?|ven|c\+v",
    "delayed": r"delay(?:ed)?(?:phase)?|equilibrium",
}
_BEFORE_CONTRAST = r"precontrast|unenhanced|noncontrast"
_ENDINGS = (".gz", ".bz2", ".nii", ".hdr", ".img", ".mgz", ".mgh", ".nrrd", ".h5", ".mat", ".cfl", ".dcm", ".npy")
_LABEL_WORDS = (
    r"gold|goldstandard",
    r"consensus",
    r"gt|groundtruth",
    r"labels?|labeled|labelled",
    r"seg\d*|segs|segmentations?",
    r"masks?|msk|roi|tumou?rmask|lesionmask|dseg|annotations?|delineations?|wmhs?",
    r"reference|ref|truth|lesions?|tumou?r|infarct",
)
"""Words that mark reference labels, the surest first; the last ones only where no word tells a modality."""


def file_stem(path: str | Path) -> str:
    """File name without the endings of its format: ``a.b.nii.gz`` is ``a.b``."""
    stem = Path(path).name
    while (ending := Path(stem).suffix.lower()) in _ENDINGS:
        stem = stem[: -len(ending)]
    return stem


def guess_modality(path: str | Path) -> str:
    """Modality that a file name tells, by its first telling word; ``unknown`` if none does.

    Words are separated by anything but letters, digits and ``*``. So ``T1_N4_regtoFLAIR.nii.gz`` is T1, and
    ``sub-01_ce-gadolinium_T1w.nii.gz`` is T1Gd. A phase of a contrast-enhanced study says more than T1 does:
    ``T1_arterial.nii.gz`` is arterial.
    """
    stem = file_stem(path)
    plain = [word.lower() for word in re.split(r"[^A-Za-z0-9*]+", stem)]
    humps = [word.lower() for word in re.findall(r"[A-Z0-9*]+(?![a-z])|[A-Z]?[a-z]+[0-9*]*|[0-9]+", stem)]
    modality = _first_modality(plain) or _first_modality(humps)
    return _phase(stem, (*plain, *humps), modality) or modality or "unknown"


def canonical_modality(name: str) -> str:
    """Modality as this program spells it, for a name that a person gave; an unknown name stays as it is."""
    if name.lower() in ("labels", "label"):
        return "labels"
    words = re.split(r"[^A-Za-z0-9*]+", name.lower())
    modality = _first_modality(words)
    return _phase(name, words, modality) or modality or name


def free_name(modality: str, used: Container[str]) -> str:
    """Name that no image has yet: ``T1``, ``T1_2``, ``T1_3``."""
    name, number = modality, 1
    while name in used:
        number += 1
        name = f"{modality}_{number}"
    return name


def label_rank(path: str | Path) -> int | None:
    """How surely a name says "reference labels", 0 is the surest; `None` if it does not.

    The mask of a brain is none: it says where to look, not what is ill.
    """
    words = [word.lower() for word in re.split(r"[^A-Za-z0-9]+|(?<=[a-z])(?=[A-Z])", file_stem(path)) if word]
    joined = " ".join(words)
    if re.search(r"brain ?masks?\b|\bmasks? brain", joined):
        return None
    for rank, pattern in enumerate(_LABEL_WORDS):
        if any(re.fullmatch(pattern, word) for word in words):
            is_doubtful = rank == len(_LABEL_WORDS) - 1 and guess_modality(path) != "unknown"
            return None if is_doubtful else rank
    return None


def _first_modality(words: list[str]) -> str | None:
    for position, word in enumerate(words):
        for modality, pattern in _WORDS.items():
            if re.fullmatch(pattern, word):
                return _with_neighbours(modality, words, position)
    return None


def _phase(name: str, words: Sequence[str], modality: str | None) -> str | None:
    """Phase of a contrast-enhanced study; ``pre`` is one at the end of a name that tells nothing else."""
    if modality not in (None, SERIES, "T1", "T1Gd"):
        return None
    # The words of a name are cut at a plus sign, which tells the phases of LLD-MMRI ("C+A") apart.
    signs = re.findall(r"(?<![a-z0-9])c\+[av](?![a-z])", name.lower())
    for word in (*signs, *words):
        for phase, pattern in _PHASE_WORDS.items():
            if re.fullmatch(pattern, word):
                return phase
    joined = " ".join(words)
    is_before = re.search(rf"\b(?:{_BEFORE_CONTRAST}|(?:pre|non) contrast)\b", joined) or words[-1] == "pre"
    return PHASES[0] if is_before and modality in (None, SERIES) else None


def _with_neighbours(modality: str, words: list[str], position: int) -> str:
    """Let the next word, or a contrast agent anywhere, decide between T1 and T1Gd, T2 and FLAIR or T2*."""
    following = words[position + 1] if position + 1 < len(words) else ""
    if modality == "T1" and (
        re.fullmatch(_CONTRAST_AGENT, following) or {"ce", "gd", "gadolinium"} & set(words[:position])
    ):
        return "T1Gd"
    if modality == "T2" and following in ("flair", "fla"):
        return "FLAIR"
    if modality == "T2" and following in ("star", "s", "*"):
        return "T2*"
    return modality
