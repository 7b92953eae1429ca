"""The parts of a BIDS name: entities such as ``space-T1w``, which never tell what an image is, and what is left.

References
----------
Gorgolewski KJ et al. (2016), The brain imaging data structure, Sci Data 3:160044, doi:10.1038/sdata.2016.44.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["BidsName", "bids_name"]

_KEYS = (
    "sub|ses|sample|tpl|cohort|task|tracksys|acq|nuc|voi|ce|trc|stain|rec|dir|run|mod|echo|flip|inv|mt|part|proc|hemi|"
    "space|split|recording|chunk|atlas|seg|scale|res|den|label|desc|from|to|mode|model|param|stat"
)
_ENTITY = re.compile(rf"({_KEYS})-([A-Za-z0-9+.-]+)")
_SUFFIXES = ("seg-", "label-")
"""Entities that stand for the suffix where they follow one: ``sub-01_T2w_seg-manual`` is what was drawn on a T2."""
_SUBJECT = re.compile(r"sub-[A-Za-z0-9+.-]+(?=_)")


@dataclass(frozen=True)
class BidsName:
    """A name without the ending of its format, in parts.

    Parameters
    ----------
    entities
        Value by key, ``{"sub": "01", "space": "T1w"}``, in their order.
    rest
        What is left, joined by ``_``; in a standard name its last part, the suffix.
    is_standard
        Whether the name begins with a subject as BIDS has it. Its last part then decides what it is.
    """

    entities: Mapping[str, str]
    rest: str
    is_standard: bool

    @property
    def suffix(self) -> str:
        """The last part that is not an entity."""
        return self.rest.rpartition("_")[2]


def bids_name(stem: str) -> BidsName:
    """Take the entities off a name; a name of another kind has none and is all rest."""
    parts = stem.split("_")
    matches = [_ENTITY.fullmatch(part) for part in parts]
    is_standard = _SUBJECT.match(stem) is not None
    if is_standard and len(parts) > 1 and parts[-1].startswith(_SUFFIXES) and matches[-2] is None:
        matches[-1] = None
    entities = {match[1]: match[2] for match in matches if match is not None}
    rest = "_".join(part for part, match in zip(parts, matches, strict=True) if match is None)
    return BidsName(entities, rest, is_standard)
