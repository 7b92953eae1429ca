"""Vendors' elements in whichever block they lie.

A private element belongs to the creator that its block names, and the block is free: an archive that adds elements
of its own may move those of the scanner from (0043,10xx) to (0043,11xx) (PS3.5, section 7.8.1). They are found by
creator here and handed on under the usual tag; what another creator keeps under the usual tag is not taken for theirs.
"""

from dataclasses import replace

from mrviewer.readers.dicom.files.elements import Elements
from mrviewer.readers.dicom.files.tags import WANTED, Tag

__all__ = ["WANTED_OR_PRIVATE", "in_usual_blocks"]

_CREATORS = {
    Tag.SIEMENS_TILES: "SIEMENS MR HEADER",
    Tag.SIEMENS_B_VALUE: "SIEMENS MR HEADER",
    Tag.SIEMENS_CSA: "SIEMENS CSA HEADER",
    Tag.SIEMENS_COIL: "SIEMENS MR HEADER",
    Tag.PHILIPS_B_VALUE: "PHILIPS IMAGING DD 001",
    Tag.PHILIPS_COMPONENT: "PHILIPS MR IMAGING DD 001",
    Tag.GE_COMPONENT: "GEMS_PARM_01",
    Tag.GE_B_VALUE: "GEMS_PARM_01",
    Tag.UIH_B_VALUE: "IMAGE PRIVATE HEADER",
    Tag.UIH_TILES: "IMAGE PRIVATE HEADER",
}
"""Who owns each element, in upper case."""
_FIRST_BLOCK, _LAST_BLOCK = 0x10, 0xFF
_PLACES = frozenset((tag >> 16, tag & 0xFF) for tag in _CREATORS)
"""Group and place within a block."""
_GROUPS = frozenset(group for group, _ in _PLACES)


class _WantedOrPrivate:
    """Tags that are kept: the wanted ones, the names of creators, and vendors' elements in any block."""

    def __contains__(self, tag: object) -> bool:
        if tag in WANTED:
            return True
        if not isinstance(tag, int) or tag >> 16 not in _GROUPS:
            return False
        block, place = tag >> 8 & 0xFF, tag & 0xFF
        return _names_creator(tag) if not block else (tag >> 16, place) in _PLACES


WANTED_OR_PRIVATE = _WantedOrPrivate()


def in_usual_blocks(elements: Elements) -> Elements:
    """Elements with those of the vendors under their usual tags.

    Where a usual block names no creator, as after a careless removal of names, its elements are believed; where it
    names another one they are not.
    """
    named = {tag: _name(stored) for tag, stored in elements.values.items() if _names_creator(tag) and stored}
    values = dict(elements.values)
    for tag, creator in _CREATORS.items():
        group, place, usual = tag & 0xFFFF0000, tag & 0xFF, tag >> 8 & 0xFF
        theirs = (
            group | (owner & 0xFF) << 8 | place
            for owner, name in named.items()
            if name == creator and owner & 0xFFFF0000 == group
        )
        found = next((other for other in theirs if other in elements.values), None)
        if found is not None:
            values[tag] = elements.values[found]
        elif named.get(group | usual, creator) != creator:
            values.pop(tag, None)
    return replace(elements, values=values)


def _names_creator(tag: int) -> bool:
    """Whether an element says who owns a block of one of the groups."""
    return tag >> 16 in _GROUPS and _FIRST_BLOCK <= tag & 0xFFFF <= _LAST_BLOCK


def _name(stored: bytes) -> str:
    """Name of a creator, in upper case."""
    return stored.decode("ascii", "replace").strip(" \0").upper()
