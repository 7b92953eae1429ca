"""Folders that hold versions of the same images: ``orig`` and ``pre``, ``Raw_Data`` and ``Preprocessed_Data``."""

import re
from collections.abc import Iterable

__all__ = ["preferred_version", "version_of"]

_ORIGINAL = re.compile(
    r"(?:orig|originals?|raw|native|unprocessed|source)(?:[_\- ]?(?:data|images?|scans?))?", re.IGNORECASE
)
_PROCESSED = re.compile(
    r"(?:pre|proc|preproc|(?:pre[_\- ]?)?processed|preprocessing|registered|coreg(?:istered)?|normali[sz]ed|n4"
    r"|bias(?:[_\- ]?corr\w*)?|skull[_\- ]?stripped|brain)(?:[_\- ]?(?:data|images?|scans?))?",
    re.IGNORECASE,
)


def version_of(folders: Iterable[str]) -> str:
    """The folder that names a version, in lower case; empty if none does."""
    return next((name.lower() for name in folders if _ORIGINAL.fullmatch(name) or _PROCESSED.fullmatch(name)), "")


def preferred_version(versions: Iterable[str]) -> str:
    """The version to use of several, empty if there are not several of one image.

    There must be an original, since ``pre`` alone may be a visit. What was processed goes first: labels lie on it.
    """
    known = sorted({version for version in versions if version})
    processed = [version for version in known if not _ORIGINAL.fullmatch(version)]
    return processed[0] if processed and len(processed) < len(known) else ""
