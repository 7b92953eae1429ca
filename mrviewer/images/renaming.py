"""Correcting what an image is: the same study with another modality for one of its images."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from mrviewer.errors import InputError
from mrviewer.images.redescribed import RedescribedRawData
from mrviewer.notes import Note, NoteKind
from mrviewer.study import Study

__all__ = ["renamed"]

T = TypeVar("T")
_CORRECTED = re.compile(r"corrected: what was opened as (\S+) is (\S+)")


def renamed(study: Study, old: str, new: str) -> Study:
    """Call an image, its raw data, or both by another modality; nothing is read, and labels and order stay.

    Parameters
    ----------
    study
        As it was opened.
    old, new
        Modality that it has, and the one that it should have.

    Returns
    -------
    The study with a note on the correction, which is in the place of an earlier one of the same image.

    Raises
    ------
    UnknownNameError
        If the study has no `old`.
    InputError
        If `new` is the name of another image, names labels, or is empty.
    """
    study.choose_modality(old)
    if old == new:
        return study
    if new in study.modalities:
        raise InputError(f"study {study.name!r} has a {new} image already; call that one by another name first")
    if not new.strip() or new == "labels":
        raise InputError(f"an image was to be called {new!r} and a modality was expected; name one such as FLAIR or T2")
    images = _with_other_key(study.images, old, new)
    raw = _with_other_key(study.raw, old, new)
    if new in images:
        images[new] = replace(images[new], modality=new)
    if new in raw:
        raw[new] = RedescribedRawData(raw[new], new, raw[new].geometry)
    files = _with_other_key(study.files, old, new)
    return replace(study, images=images, raw=raw, notes=_with_note(study.notes, old, new), files=files)


def _with_other_key(values: Mapping[str, T], old: str, new: str) -> dict[str, T]:
    return {new if name == old else name: value for name, value in values.items()}


def _with_note(notes: Sequence[str], old: str, new: str) -> tuple[str, ...]:
    """Notes with one on this correction; of one that was corrected before, from what it was opened as."""
    kept, first = [], old
    for note in notes:
        before = _CORRECTED.fullmatch(note)
        if before is not None and before[2] == old:
            first = before[1]
        else:
            kept.append(note)
    return (
        tuple(kept)
        if first == new
        else (*kept, Note(f"corrected: what was opened as {first} is {new}", NoteKind.MODALITY))
    )
