"""Parts of names that say when an image was acquired, and not of whom it is."""

import re
from collections.abc import Iterable

__all__ = ["is_visit", "patient_of", "visit_of"]

_VISIT = (
    r"(?:ses(?:sion)?|visit|time(?:point)?|tp|scan|study|exam|follow-?up|fu|baseline|bl|screening|(?:pre|post)[_\-]?op|pre|"
    r"post|date|week|wk|month|day)"
)
_VISIT_PART = re.compile(
    r"(?i)(?:^|(?<=[_\-. ]))(?:"
    r"ses[\-_][a-z0-9]+|run[\-_]?\d+|visit[_\-]?[a-z]"
    rf"|{_VISIT}(?:[_\-]?\d+d?)?"
    r"|(?:v|m|w|y|t|mr)\d{1,3}|d\d{3,5}|\d{1,3}[_\-]?(?:mo|months?|wks?|weeks?)"
    r"|(?:19|20)\d{2}[_\-.]?\d{2}[_\-.]?\d{2}"
    r")(?=[_\-. ]|$)"
    r"|(?<=\d{5})[\-_]\d{2,3}$"
)
"""Parts of a name that tell the visit and not the patient; the last one is that of BraTS-GLI-00005-001."""


def visit_of(parts: Iterable[str]) -> tuple[str, ...]:
    """All that tells a visit in folders and names, in lower case, each once; empty if nothing does."""
    return tuple(dict.fromkeys(match.lower() for part in parts for match in _VISIT_PART.findall(part)))


def patient_of(name: str) -> str:
    """Name of the patient in that of a study: what is left without date, session or visit.

    What is left must be the beginning of the name or hold a digit, else it may be the same for every patient.
    """
    left = re.sub(r"[_\-. ]{2,}", "_", _VISIT_PART.sub("", name)).strip("_-. ")
    tells = bool(left) and (name.startswith(left) or any(sign.isdigit() for sign in left))
    return left if tells else name


def is_visit(name: str) -> bool:
    """Whether a whole name says when, and not who: ``T1``, ``visit-2``, ``baseline``, ``2019-01-02``."""
    return patient_of(f"patient_{name}") == "patient"
