"""What the name of a file tells: which contrast it is, or that it holds reference labels."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from mrviewer.images.dynamic import PHASES, SERIES
from mrviewer.names.bids_names import bids_name
from mrviewer.names.label_words import DOUBTFUL_RANK, LabelKind, label_kind, rank_of_labels
from mrviewer.names.modality_words import Telling, split_words, tell_modality

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
_NO_AGENTS = ("none", "no", "pre", "0")


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
    `mrviewer.names.modality_words` for the words.
    """
    stem = file_stem(path)
    return (_tell(stem, _NONE).modality if label_kind(stem) is None else "") or UNKNOWN


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
    return rank_of_labels(file_stem(path))


def is_brain_mask(path: str | Path) -> bool:
    """Whether a name says where the brain lies, which is neither an image nor a lesion."""
    return label_kind(file_stem(path)) is LabelKind.BRAIN


def _read(stem: str, shared: frozenset[int]) -> NameReading:
    told = _tell(stem, shared)
    kind = label_kind(stem)
    bids = bids_name(stem)
    entities = split_words(" ".join(f"{key} {value}" for key, value in bids.entities.items()))
    places = told.places if kind is None else ()
    rest = (word for place, word in enumerate(split_words(bids.rest)) if place not in places)
    modality = told.modality if kind is None else ""
    return NameReading(modality or UNKNOWN, rank_of_labels(stem), tuple(word.lower() for word in (*entities, *rest)))


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
    return rank is not None and rank != DOUBTFUL_RANK
