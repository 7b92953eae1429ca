"""Notes: text with a kind that survives whatever is done to a study."""

import copy
import json
import pickle
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from mrviewer.geometry import Geometry
from mrviewer.images.renaming import renamed
from mrviewer.notes import Note, NoteKind, as_note, left_out, n_left_out, prefixed
from mrviewer.readers import open_study
from mrviewer.study import Image, Study

NOTE = Note("two images are T1", NoteKind.MODALITY, 2)


def study(*notes: str) -> Study:
    geometry = Geometry.axial((2, 3, 4), (1.0, 1.0, 1.0))
    return Study("s", {"T1": Image(np.ones((2, 3, 4)), geometry, "T1")}, notes=notes)


def facts(note: str) -> tuple[str, NoteKind, int]:
    known = as_note(note)
    return str(known), known.kind, known.n_things


def test_a_note_is_text() -> None:
    assert NOTE == "two images are T1"
    assert hash(NOTE) == hash(str(NOTE))
    assert "; ".join([NOTE, "b"]) == "two images are T1; b"
    assert json.loads(json.dumps([NOTE])) == ["two images are T1"]
    assert NOTE.to_json() == {"kind": "modality", "text": "two images are T1"}


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda note: pickle.loads(pickle.dumps(note))])
def test_the_kind_survives_copies(copied: object) -> None:
    assert callable(copied)
    assert facts(copied(NOTE)) == facts(NOTE)
    [note] = copied(study(NOTE)).notes
    assert facts(note) == facts(NOTE)


def test_the_kind_survives_other_words() -> None:
    assert facts(NOTE.replace("T1", "a file")) == ("two images are a file", NoteKind.MODALITY, 2)
    assert facts(prefixed("FLAIR", NOTE)) == ("FLAIR: two images are T1", NoteKind.MODALITY, 2)


def test_a_study_gives_each_note_a_kind() -> None:
    made = study("plain", NOTE)
    assert [as_note(note).kind for note in made.notes] == [NoteKind.GENERAL, NoteKind.MODALITY]
    changed = replace(made, notes=(*made.notes, "more"))
    assert [type(note) for note in changed.notes] == [Note] * 3
    assert [type(note) for note in made.with_labels(None, "labels were taken away").notes] == [Note] * 3


def test_unknown_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match="gossip"):
        Note("said", "gossip")
    with pytest.raises(ValueError, match="0 things"):
        Note("said", n_things=0)


def test_what_was_left_out_is_counted_by_kind_not_by_words() -> None:
    notes = ["left out: 7 words that a file is called", left_out("a.nii"), prefixed("T1", left_out("4 planes", 4))]
    assert n_left_out(notes) == 5


def test_notes_of_files_have_kinds_and_counts(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, shape in (("T1", (8, 9, 7)), ("T2", (8, 9, 6))):
        nib.save(nib.Nifti1Image(rng.random(shape, np.float32), None), tmp_path / f"{name}.nii")
    (tmp_path / "FLAIR.nii").write_bytes(b"damaged")
    for number in range(4):
        nib.save(nib.Nifti1Image(rng.random((8, 9, 7), np.float32), None), tmp_path / f"scan{number}.nii")
    opened = open_study(tmp_path)
    kinds = [as_note(note).kind for note in opened.notes]
    assert {NoteKind.POSITION, NoteKind.LEFT_OUT} == set(kinds)
    # The damaged file, the other grid, and four files whose names tell nothing.
    assert n_left_out(opened.notes) == 6
    assert as_note(renamed(opened, "T1", "PD").notes[-1]).kind is NoteKind.MODALITY
