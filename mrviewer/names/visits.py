"""Parts of names that say when an image was acquired, and not of whom it is."""

import re
from collections.abc import Container, Iterable

__all__ = ["are_patients", "is_visit", "patient_of", "visit_of"]

_VISIT = (
    r"(?:ses(?:sion)?|visit|time(?:point)?|tp|scan|study|exam|follow-?up|fu|baseline|bl|screening|(?:pre|post)[_\-]?op|pre|"
    r"post|date|week|wk|month|day"
    r"|aufnahme|verlauf|(?:verlaufs|nach)?kontrolle|(?:erst|vor|nach|verlaufs)untersuchung|untersuchung|besuch|termin|ausgang"
    r"|vorher|nachher|vor[_\-]?op|nach[_\-]?op|woche|monat|tag|jahr|zeitpunkt|basis(?:untersuchung)?|initial|entlassung"
    r"|visite|suivi|contr[oô]le|avant|apr[eè]s|examen|inclusion|mois|semaine|jour|ann[eé]e|basal|seguimiento|visita|controllo)"
)
_VISIT_PART = re.compile(
    r"(?i)(?:^|(?<=[_\-. ]))(?:"
    r"ses[\-_][a-z0-9]+|run[\-_]?\d+|visit(?!e(?:[_\-. ]|$))[_\-]?[a-z]"
    rf"|{_VISIT}(?:[_\-]?\d+d?)?"
    r"|(?:v|m|w|y|t|mr)\d{1,3}|d\d{3,5}|\d{1,3}[_\-]?(?:mo|months?|wks?|weeks?)"
    r"|(?:19|20)\d{2}[_\-.]?\d{2}[_\-.]?\d{2}|(?:0?[1-9]|[12]\d|3[01])([_\-.])(?:0?[1-9]|1[0-2])\1(?:(?:19|20)\d{2}|\d{2})"
    r"|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])(?:19|20)\d{2}|(?:19|20)\d{2}[_\-.](?:0[1-9]|1[0-2])"
    r"|\d{1,2}(?:jan|feb|m[aä]r|apr|ma[iy]|ju[nl]|aug|sep|o[ck]t|nov|de[cz])[a-z]{0,6}(?:(?:19|20)\d{2}|\d{2})"
    r"|(?:irm|mrt|mri|m\d{1,2}|j\d{1,3})[_\-]?(?:19|20)\d{2}|(?:irm|mrt|mri)[_\-]?\d{1,2}|j\d{1,3}"
    r")(?=[_\-. ]|$)"
    r"|(?<=\d{5})[\-_]\d{2,3}$"
)
"""Parts of a name that tell the visit and not the patient; the last one is that of BraTS-GLI-00005-001."""


def visit_of(parts: Iterable[str]) -> tuple[str, ...]:
    """All that tells a visit in folders and names, in lower case, each once; empty if nothing does."""
    return tuple(dict.fromkeys(match[0].lower() for part in parts for match in _VISIT_PART.finditer(part)))


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


_MOST_VISITS = 12
_PATIENT = re.compile(
    r"(?i)(?:(?:pat|patient|pt|proband|sub|subj|subject|sujet|case|fall|ms|hc)[_\- ]?\d+|p[_\- ]?\d{2,})"
)


def are_patients(names: Iterable[str], elsewhere: Container[str] = ()) -> bool:
    """Whether names of folders beside one another are surely those of patients and not of their visits.

    They are called patients; or, if none of them occurs elsewhere, as months of visits do, they are numbered otherwise
    than visits are, which count from 0 or 1 without gaps, or there are more of them than visits.

    Parameters
    ----------
    names
        Of the folders.
    elsewhere
        Names of folders on the same level in other folders.
    """
    names = list(names)
    if any(is_visit(name) for name in names):
        return False
    if all(_PATIENT.fullmatch(name) for name in names):
        return True
    if len(names) < 2 or any(name in elsewhere for name in names):
        return False
    if all(name.isdecimal() for name in names):
        numbers = sorted(map(int, names))
        return numbers[0] > 1 or numbers != list(range(numbers[0], numbers[0] + len(numbers)))
    return len(names) > _MOST_VISITS
