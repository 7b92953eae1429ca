"""Words by which people say that a file holds labels, and which kind: lesions, anatomy, or what a program made of them.

Labels are drawn on an image and often called after it: ``FLAIR_manual``, ``lesions_FLAIR``, ``ples_lpa_mFLAIR``. So
words of labels decide before those of modalities, but for the few that may also say what an image shows.
"""

import re
from collections.abc import Sequence
from enum import Enum
from functools import lru_cache
from unicodedata import combining, normalize

from mrviewer.names.bids_names import BidsName, bids_name
from mrviewer.names.modality_words import split_words, tell_modality

__all__ = ["DOUBTFUL_RANK", "LabelKind", "label_kind", "rank_of_labels"]

_REMEMBERED = 1 << 16
"""Names whose reading is kept: a database is read several times over."""


class LabelKind(Enum):
    """What the labels of a name are of."""

    LESIONS = "lesions, or whatever somebody drew"
    MACHINE = "what a program found: predictions and probabilities"
    ANATOMY = "tissues and structures of a healthy brain"
    BRAIN = "where the brain or the body lies"


_RANKS = (
    r"gold|goldstandard",
    r"consensus|staple|majority(?:vote)?",
    r"gt|ground ?truth|truth",
    r"labels?|labeled|labelled|manual(?:ly)?|manuell|manuel(?:le)?|handdrawn",
    r"seg\d*|segs|segm|segmented|(?:lesion|wmh|tumou?r|gm|wm|sc)seg(?:mentation)?|segmentations?|manualseg(?:mentation)?|segmentierung(?:en)?|segmentazion[ei]|segmentacion(?:es)?"
    r"|segmentacao",
    r"masks?\d*|masken?|masques?|mascher[ae]|mascaras?|msk|rois?\d*|vois?|[gcp]tv|tumou?rmask|dseg"
    r"|l(?:e|ae?)sion(?:s|en)?(?:mas[kq]\w*|maps?|labels?)|(?:new|all)lesions|hyperintensit(?:y|ies)"
    r"|annot(?:ated|ations?)?|traced|tracings?|drawn|delineations?|outlines?|contours?|konture?n?|wmhs?|wmls?|(?:black)?holes?"
    r"|(?:rater|reader|annotator|expert|(?:neuro)?radiologist)s?\d*",
    r"reference|ref|tumou?rs?|tumeurs?|tumori?e?|infarct|infarkte?|l(?:e|ae?)s(?:ion(?:en|es|[ies])?|ao|oes)",
    r"bin|binar(?:y|i[sz]ed)|thr(?:esh(?:old(?:ed)?)?)?\d*",
)
"""Words that mark labels, the surest first."""
_CHALLENGE_RANK = 2
DOUBTFUL_RANK = 6
"""Words that also say what an image shows."""
_MACHINE_RANK = len(_RANKS)
_ANATOMY_RANK = _MACHINE_RANK + 1
_DRAWN_RANK = 3
"""Up to here words say that somebody drew or checked the labels."""
_MACHINE = (
    r"pred(?:s|icted|ictions?)?\d*|pr(?:e|ae)di(?:ktion|zione|ccion)|prob(?:s|ability|abilities|abilistic)?\d*"
    r"|(?:prob(?:ability)?|lesionprob(?:ability)?)(?:maps?|seg)?|softmax|sigmoid|logits?|heatmaps?|uncertainty"
    r"|auto(?:mat(?:ic|ed|isch|ique))?|auto(?:matic)?seg(?:mentation)?|ples|lst|lstai|lga|lpa|bianca|samseg|nicmslesions"
)
"""Words of programs that find lesions, and of what they write."""
_PROGRAMS = r"nnu ?net|(?:swin)?unetr|deepmedic|toads|lesiontoads|legion|hypermapp3r"
"""The same, but only at the end of a name that tells a modality: they may name a database or a folder too."""
_PROCESSING = r"(?:co)?reg\w*|registration|align\w*|crop\w*|box|qc|correct\w*"
"""Words that say how an image was made where they follow ``manual`` or ``auto``."""
_LESION = re.compile(r"l(?:e|ae?)s(?:ion(?:en|es|[ies])?|ao|oes)")
_LESIONS = re.compile(r"l(?:e|ae?)s(?:ion(?:en|es|[is])|oes)")
"""Several lesions are labels even beside a modality; a single one may be what an image shows."""
_HEALED = {"fake", "filled", "filling", "inpainted", "free", "removed"}
_ILL = re.compile(
    r"l[ae]e?si[ao]|\bwm[hl]s?\b|tumou?r|tumeur|hyperintens|infarc?[kt]|plaque|glioma|o?edema|holes?\b|metasta|\b[gcp]tv\b"
)
"""Words of illness, with which a name speaks of lesions whatever else it says (``white_matter_lesions``)."""
_BRAIN_MASK = re.compile(
    r"\b(?:brain|(?:hd ?)?bet2?|skull(?: ?strip(?:ped|ping)?)?|head|body|face|(?:ge)?hirn|cerveau|cervello|e?[it][ci]v"
    r"|intra ?cranial|foreground|fov)(?: ?(?:parenchyma|volume|extraction))?"
    r" ?(?:masks?\d*|masken?|masque|msk|seg(?:mentation)?s?)\b"
    r"|\b(?:masks?|masque|maschera|msk|seg|label) ?(?:du |de |del )?"
    r"(?:brain|bet|[it][ci]v|cerveau|(?:ge)?hirn|head|cervello)\b"
    r"|\bdefacemask\b|\b[it]cv$|\btiv$"
)
_STRUCTURES = re.compile(
    r"\b(?:tissues?|tissueseg|[wcd]?gm|wm|csf|(?:gr[ae]y|white) ?matter|parc(?:ellations?)?|hippocamp(?:us|i)"
    r"|(?:gm|wm|sc)seg|(?:spinal ?)?cord"
    r"|thalam(?:us|i)|ventricles?|brain ?stem|cerebell(?:um|ar)|cortex|cortical|basal ?ganglia|s?fmriprep|smriprep"
    r"|free ?surfer|fast ?surfer|cat12|fast(?: \w+)? seg\d*|seg\d* fast)\b(?! \d)"
)
"""What is segmented in a healthy brain, and programs that do it; a name says so only beside a word for labels."""
_ANATOMY = re.compile(
    r"\b(?:aseg\d*|aparc(?: ?aseg|dkt\w*|a2009s\w*)?|wmparc|ribbon|synthseg|pve(?:seg)?s?\d*|mixeltype|(?:gm|wm|csf)$)"
    r"(?: \d+)?\b"
)
"""What needs no other word."""
_IMAGE_WORD = r"(?:[23]d|[rwm])?(?:flair|t[12](?:w|gd|ce|c|km)?|pd|dp|dwi|adc)"
_LABEL_WORD = (
    r"(?:lesions?|masks?|seg(?:mentation)?|labels?|manual|wmh|pred(?:iction)?|prob|gt|consensus|roi|aseg"
    r"|brainmask|truth)"
)
_GLUED = re.compile(
    rf"(?i)(?<![a-z0-9])({_IMAGE_WORD})({_LABEL_WORD})(?![a-z])|(?<![a-z])({_LABEL_WORD})({_IMAGE_WORD})(?![a-z0-9])"
)
"""A modality and labels that are written in one word: ``FLAIRmask`` and ``lesionFLAIR``."""
_CHALLENGE_TRUTH = re.compile(r"(?i)(?:vsd|smir)\.brain\w*\.(?:.*\.)?ot(?:\.|$)")
"""Names of ISLES and BraTS as their server gave them: ``VSD.Brain.XX.O.OT.123.nii``."""


@lru_cache(maxsize=_REMEMBERED)
def label_kind(stem: str) -> LabelKind | None:
    """What the labels of a name are of; `None` if it does not speak of labels.

    Parameters
    ----------
    stem
        The name of a file without the endings of its format, or of a label source with its folder. In a BIDS name the
        last part decides whether it is labels, and ``desc-`` and ``label-`` say which.
    """
    bids = bids_name(stem)
    told = " ".join(_humps(_telling(stem, bids))).lower()
    is_ill = _ILL.search(told) is not None
    if not is_ill and _BRAIN_MASK.search(told):
        return LabelKind.BRAIN
    words = _words(stem, bids)
    rank = _rank(words, stem, bids)
    is_of_machine = _is_of_machine(words, bids)
    is_label = rank is not None or is_of_machine
    if not is_ill and (_ANATOMY.search(told) or (is_label and _STRUCTURES.search(told))):
        return LabelKind.ANATOMY if is_label or not bids.is_standard else None
    if is_of_machine and (rank is None or rank > _DRAWN_RANK):
        return LabelKind.MACHINE
    return None if rank is None else LabelKind.LESIONS


@lru_cache(maxsize=_REMEMBERED)
def rank_of_labels(stem: str) -> int | None:
    """How surely a name says "labels", 0 is the surest; `None` if it does not, or speaks of the mask of a brain.

    What programs made goes behind all that somebody may have drawn, and anatomy behind that.
    """
    kind = label_kind(stem)
    if kind is None or kind is LabelKind.BRAIN:
        return None
    if kind is LabelKind.ANATOMY:
        return _ANATOMY_RANK
    if kind is LabelKind.MACHINE:
        return _MACHINE_RANK
    bids = bids_name(stem)
    return _rank(_words(stem, bids), stem, bids)


def _telling(stem: str, bids: BidsName) -> str:
    """A name without whose it is and when, where it says so in the way of BIDS."""
    if not bids.is_standard:
        return stem
    return " ".join((*(bids.entities[key] for key in ("desc", "label", "seg") if key in bids.entities), bids.rest))


def _words(stem: str, bids: BidsName) -> list[str]:
    """Words in which a name may speak of labels: all, or the last part of a BIDS name."""
    return [word.lower() for word in _humps(bids.suffix if bids.is_standard else stem)]


def _rank(words: Sequence[str], stem: str, bids: BidsName) -> int | None:
    if _CHALLENGE_TRUTH.match(stem):
        return _CHALLENGE_RANK
    for rank, pattern in enumerate(_RANKS):
        places = [at for at, word in enumerate(words) if re.fullmatch(pattern, word)]
        if rank == _DRAWN_RANK:
            places = [at for at in places if not re.fullmatch(_PROCESSING, " ".join(words[at + 1 : at + 2]))]
        if not places:
            continue
        if rank != DOUBTFUL_RANK or bids.is_standard or not _tells_modality(bids.rest):
            return rank
        return rank if _are_lesions(words) else None
    return None


def _are_lesions(words: Sequence[str]) -> bool:
    """Whether lesions beside a modality are labels: several at either end, or one right behind it."""
    if not _HEALED.isdisjoint(words):
        return False
    is_behind = _LESION.fullmatch(words[-1]) is not None and len(words) > 1 and _tells_modality(words[-2])
    return is_behind or any(_LESIONS.fullmatch(word) for word in (words[0], words[-1]))


def _is_of_machine(words: Sequence[str], bids: BidsName) -> bool:
    made = [at for at, word in enumerate(words) if re.fullmatch(_MACHINE, word)]
    if any(not re.fullmatch(_PROCESSING, " ".join(words[at + 1 : at + 2])) for at in made):
        return True
    end = re.search(rf"(?:^| )(?:{_PROGRAMS})$", " ".join(words))
    return end is not None and not bids.is_standard and _tells_modality(bids.rest)


def _tells_modality(text: str) -> bool:
    return tell_modality(text, split_words(text)).modality != ""


def _humps(text: str) -> list[str]:
    """Words of a text without accents, cut where a capital follows a small letter."""
    text = "".join(sign for sign in normalize("NFKD", text) if not combining(sign))
    text = _GLUED.sub(lambda match: " ".join(filter(None, match.groups())), text)
    return [word for word in re.split(r"[^A-Za-z0-9]+|(?<=[a-z])(?=[A-Z])", text) if word]
