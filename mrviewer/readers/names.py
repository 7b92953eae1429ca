"""What the name of a file tells: which contrast it is, or that it holds reference labels."""

import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from unicodedata import combining, normalize

from mrviewer.dynamic import PHASES, SERIES
from mrviewer.readers.bids_names import bids_name
from mrviewer.readers.modality_words import Telling, split_words, tell_modality

__all__ = [
    "MODALITIES",
    "UNKNOWN",
    "NameReading",
    "canonical_modality",
    "file_stem",
    "free_name",
    "guess_modality",
    "is_brain_mask",
    "label_rank",
    "read_names",
]

MODALITIES = ("FLAIR", "T1", "T1Gd", "T2", "T2*", "PD", "DWI", "ADC", *PHASES, SERIES)
"""Known modalities, in the order in which a folder's images are opened."""

UNKNOWN = "unknown"
"""What an image is called whose name tells nothing."""

_BARE = {"T1", "T2", "PD"}
"""Modalities whose names may be those of visits and patients."""
_NONE: frozenset[int] = frozenset()
_REMEMBERED = 1 << 16
"""Names whose reading is kept: a database is read several times over."""
_ENDINGS = (".gz", ".bz2", ".nii", ".hdr", ".img", ".mgz", ".mgh", ".nrrd", ".h5", ".mat", ".cfl", ".dcm", ".npy")
_LABEL_WORDS = (
    r"gold|goldstandard",
    r"consensus",
    r"gt|groundtruth",
    r"labels?|labeled|labelled",
    r"seg\d*|segs|segm|segmentations?|manualsegmentation|segmentierung(?:en)?|segmentazion[ei]|segmentacion(?:es)?"
    r"|segmentacao",
    r"masks?\d*|masken?|masques?|mascher[ae]|mascaras?|msk|rois?\d*|vois?|[gcp]tv|tumou?rmask|lesionmask|dseg|probseg|ples"
    r"|annotations?|delineations?|contours?|konture?n?|wmhs?|wmls?|(?:black)?holes?|(?:rater|annotator|expert)s?\d*",
    r"reference|ref|truth|tumou?rs?|tumeurs?|tumori?e?|infarct|infarkte?|l(?:e|ae?)s(?:ion(?:en|es|[ies])?|ao|oes)",
)
"""Words that mark reference labels, the surest first; the last ones only where no word tells a modality."""

_LESIONS = re.compile(r"l(?:e|ae?)s(?:ion(?:en|es|[is])|oes)")
"""Several lesions: labels at the end of a name, even beside a modality; a single one may be what an image shows."""
_BRAIN = re.compile(
    r"\b(?:brain|bet|skull|head) ?(?:parenchyma )?(?:masks?|seg(?:mentation)?s?)\b|\b(?:masks?|seg) (?:brain|bet)\b"
    r"|\bdefacemask\b"
)
_NO_AGENTS = ("none", "no", "pre", "0")
_CHALLENGE_TRUTH = re.compile(r"(?i)(?:vsd|smir)\.brain\w*\.(?:.*\.)?ot(?:\.|$)")
"""Names of ISLES and BraTS as their server gave them: ``VSD.Brain.XX.O.OT.123.nii``."""


@dataclass(frozen=True)
class NameReading:
    """What the name of a file tells, among those of its folder.

    Parameters
    ----------
    modality
        Of `MODALITIES`, or `UNKNOWN`.
    label_rank
        See `label_rank`.
    words
        Words of the name in lower case that do not tell the modality of an image: whose it is, when it was acquired,
        what was done to it.
    """

    modality: str
    label_rank: int | None
    words: tuple[str, ...]


def file_stem(path: str | Path) -> str:
    """File name without the endings of its format: ``a.b.nii.gz`` is ``a.b``."""
    name = path.name if isinstance(path, Path) else Path(path).name
    while True:
        stem, dot, ending = name.rpartition(".")
        if not stem or f"{dot}{ending}".lower() not in _ENDINGS:
            return name
        name = stem


def guess_modality(path: str | Path) -> str:
    """Modality that a file name tells; ``unknown`` if it tells none, or speaks of a map or a subtraction.

    Of a BIDS name the last part decides, and entities such as ``space-T1w`` do not. In other names words are separated
    by anything but letters, digits and ``*``: ``T1_N4_regtoFLAIR.nii.gz`` is T1, ``P1_T2_FLAIR.nii.gz`` is FLAIR. A
    phase of a contrast-enhanced study says more than T1 does: ``T1_arterial.nii.gz`` is arterial. See
    `mrviewer.readers.modality_words` for the words.
    """
    return _tell(file_stem(path), _NONE).modality or UNKNOWN


def read_names(paths: Iterable[Path]) -> dict[Path, NameReading]:
    """Read the names of files of one folder together.

    A word that all images of a folder share is a visit or an identity, and not the modality, wherever what is left
    tells at least two: ``T1_FLAIR``, ``T1_T1`` and ``T1_T2`` are three images of the visit T1.
    """
    paths = list(paths)
    shared = _shared_places([path for path in paths if not _is_surely_label(path)])
    return {path: _read(file_stem(path), shared) for path in paths}


def canonical_modality(name: str) -> str:
    """Modality as this program spells it, for a name that the user gave; an unknown name stays as it is."""
    if name.lower() in ("labels", "label"):
        return "labels"
    return tell_modality(name, split_words(name)).modality or name


def free_name(modality: str, used: Container[str]) -> str:
    """Name that no image has yet: ``T1``, ``T1_2``, ``T1_3``."""
    name, number = modality, 1
    while name in used:
        number += 1
        name = f"{modality}_{number}"
    return name


def label_rank(path: str | Path) -> int | None:
    """How surely a name says "reference labels", 0 is the surest; `None` if it does not.

    In a BIDS name the last part decides. The mask of a brain says where to look, not what is ill, and does not count.
    """
    stem = file_stem(path)
    return _label_rank(stem, _tell(stem, _NONE).modality)


def is_brain_mask(path: str | Path) -> bool:
    """Whether a name says where the brain lies, which is neither an image nor a lesion."""
    return _BRAIN.search(" ".join(_humps(file_stem(path))).lower()) is not None


def _humps(text: str) -> list[str]:
    text = "".join(sign for sign in normalize("NFKD", text) if not combining(sign))
    return re.split(r"[^A-Za-z0-9]+|(?<=[a-z])(?=[A-Z])", text)


def _read(stem: str, shared: frozenset[int]) -> NameReading:
    told = _tell(stem, shared)
    rank = _label_rank(stem, told.modality)
    bids = bids_name(stem)
    entities = split_words(" ".join(f"{key} {value}" for key, value in bids.entities.items()))
    places = told.places if rank is None else ()
    rest = (word for place, word in enumerate(split_words(bids.rest)) if place not in places)
    return NameReading(told.modality or UNKNOWN, rank, tuple(word.lower() for word in (*entities, *rest)))


@lru_cache(maxsize=_REMEMBERED)
def _tell(stem: str, shared: frozenset[int]) -> Telling:
    """What a name tells without its entities and the words at some places, counted from the end where negative."""
    bids = bids_name(stem)
    words = split_words(bids.rest)
    kept = [place for place in range(len(words)) if not {place, place - len(words)} & shared]
    told = tell_modality(bids.rest, [words[place] for place in kept], last_decides=bids.is_standard)
    modality = told.modality
    if bids.entities.get("part", "mag") != "mag" or (bids.is_standard and bids.suffix == "MP2RAGE"):
        modality = ""
    elif modality == "T1" and bids.entities.get("ce", "none").lower() not in _NO_AGENTS:
        modality = "T1Gd"
    return Telling(modality, tuple(kept[place] for place in told.places))


def _shared_places(images: Sequence[Path]) -> frozenset[int]:
    """Places at which the names of all images have the same word, if what is left tells several modalities."""
    stems = list(dict.fromkeys(file_stem(path) for path in images))
    if len(stems) < 2:
        return _NONE
    words = [[word.lower() for word in split_words(bids_name(stem).rest)] for stem in stems]
    shortest = min(map(len, words))
    shared = _equal(words, range(shortest)) or _equal(words, range(-shortest, 0))
    is_spent = any(all({at, at - len(each)} & shared for at in range(len(each))) for each in words)
    left = {modality for stem in stems if (modality := _tell(stem, shared).modality)}
    # Of P1_T1_FLAIR and P1_T2_FLAIR the visits are what differs.
    are_visits = left <= _BARE and all(_tell(stem, _NONE).modality not in _BARE for stem in stems)
    return shared if len(left) > 1 and not is_spent and not are_visits else _NONE


def _equal(words: Sequence[Sequence[str]], places: Iterable[int]) -> frozenset[int]:
    return frozenset(place for place in places if len({each[place] for each in words}) == 1)


def _is_surely_label(path: Path) -> bool:
    rank = label_rank(path)
    return rank is not None and rank < len(_LABEL_WORDS) - 1


@lru_cache(maxsize=_REMEMBERED)
def _label_rank(stem: str, modality: str) -> int | None:
    """Rank of a name whose other words tell a modality, or none."""
    bids = bids_name(stem)
    text = bids.suffix if bids.is_standard else stem
    words = [word.lower() for word in _humps(text) if word]
    if is_brain_mask(stem):
        return None
    if _CHALLENGE_TRUTH.match(stem):
        return 2
    doubtful = len(_LABEL_WORDS) - 1
    for rank, pattern in enumerate(_LABEL_WORDS):
        if any(re.fullmatch(pattern, word) for word in words):
            are_lesions = _LESIONS.fullmatch(words[-1]) is not None
            is_image = rank == doubtful and modality and not bids.is_standard and not are_lesions
            return None if is_image else rank
    return None
