"""Trees of files as databases have them, drawn with whose and of when every file is."""

from dataclasses import dataclass
from itertools import product

from hypothesis import strategies as st

__all__ = ["Made", "bids_trees", "plain_trees"]


@dataclass(frozen=True)
class Made:
    """A file by how it was made; `modality` is ``label`` for labels."""

    name: str
    patient: str
    visit: str
    modality: str
    run: str = ""
    space: str = ""


_MODALITIES = {"FLAIR": "FLAIR", "T1": "T1", "T2": "T2"}
_MASKS = ("mask", "MASK", "seg", "lesion_mask", "gt")
_PATIENTS = (("PD01", "PD02", "PD03"), ("P1", "P2", "P3"), ("T1-001", "T1-002", "T1-003"), ("anna", "bert", "carl"))
_VISITS = (
    ("T1", "T2"),
    ("T1", "T2", "T3"),
    ("v1", "v2"),
    ("baseline", "followup1"),
    ("2019-01-02", "2020-03-04"),
    ("T1",),
)
_FORMS = {
    "folders": "{patient}/{visit}/{what}",
    "repeated": "{patient}/{visit}/{patient}_{visit}_{what}",
    "one folder a patient": "{patient}/{visit}_{what}",
    "repeated in one folder": "{patient}/{patient}_{visit}_{what}",
    "one folder": "{patient}_{visit}_{what}",
    "visits first": "{visit}/{patient}/{what}",
    "visits first, one folder each": "{visit}/{patient}_{what}",
    "groups": "train/{patient}/{visit}/{what}",
}


@st.composite
def plain_trees(draw: st.DrawFn) -> list[Made]:
    """Patients and visits in folders and names, some images missing, labels for some visits."""
    patients, visits = draw(st.sampled_from(_PATIENTS)), draw(st.sampled_from(_VISITS))
    form, mask = _FORMS[draw(st.sampled_from(sorted(_FORMS)))], draw(st.sampled_from(_MASKS))
    made = []
    for patient, visit in product(patients, visits):
        present = ["FLAIR", *draw(st.lists(st.sampled_from(("T1", "T2")), unique=True))]
        labelled = draw(st.integers(0, 3)) > 0
        for what, modality in (*((what, what) for what in present), *([(mask, "label")] if labelled else [])):
            name = form.format(patient=patient, visit=visit, what=what)
            made.append(Made(f"{name}.nii.gz", patient, visit, modality))
    return made


@st.composite
def bids_trees(draw: st.DrawFn) -> list[Made]:
    """Sessions, runs and spaces, in images and in labels, that fit or do not."""
    subjects = draw(st.sampled_from((("01", "02"), ("PD01", "PD02"), ("T1", "T2"))))
    sessions = draw(st.sampled_from((("",), ("a", "b"), ("T1", "T2"), ("01", "02"))))
    runs = draw(st.sampled_from((("",), ("1",), ("1", "2"), ("01", "02", "03"))))
    is_aside = draw(st.booleans())
    made = []
    for subject, session in product(subjects, sessions):
        stem = f"sub-{subject}" + (f"_ses-{session}" if session else "")
        folder = f"sub-{subject}/" + (f"ses-{session}/" if session else "") + "anat/"
        for run in runs:
            name = f"{folder}{stem}{_entity('run', run)}_FLAIR.nii.gz"
            made.append(Made(name, f"sub-{subject}", session, "FLAIR", run))
        if draw(st.booleans()):
            made.append(Made(f"{folder}{stem}_T1w.nii.gz", f"sub-{subject}", session, "T1"))
        place = f"derivatives/manual/{folder}" if is_aside else folder
        for run, space in draw(
            st.lists(st.tuples(st.sampled_from(runs), st.sampled_from(("", "orig", "MNI152"))), unique=True, max_size=4)
        ):
            name = f"{place}{stem}{_entity('run', run)}{_entity('space', space)}_label-lesion_mask.nii.gz"
            made.append(Made(name, f"sub-{subject}", session, "label", run, "" if space == "orig" else space))
    return made


def _entity(key: str, value: str) -> str:
    return f"_{key}-{value}" if value else ""
