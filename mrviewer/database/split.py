"""Who is held out. A patient is never on both sides."""

import hashlib
from collections.abc import Sequence

from mrviewer.database.subjects import Subject
from mrviewer.errors import InputError

__all__ = ["split_by_patient", "split_subjects"]


def split_subjects(subjects: Sequence[Subject], held_out: Sequence[str]) -> tuple[list[Subject], list[Subject]]:
    """Split by subject into those to train on and those held out by name.

    Raises
    ------
    InputError
        If a name is not in the database, or nothing is left to train on.
    """
    missing = sorted(set(held_out) - {subject.name for subject in subjects})
    if missing:
        raise InputError(
            f"subject {missing[0]!r} is to be held out but the database has no such subject; check its name"
        )
    training = [subject for subject in subjects if subject.name not in held_out]
    if not training:
        raise InputError("no subject is left to train on; hold out fewer, or add data")
    return training, [subject for subject in subjects if subject.name in held_out]


def split_by_patient(
    subjects: Sequence[Subject], validation: Sequence[str] | float, seed: int
) -> tuple[list[Subject], list[Subject]]:
    """Split into training and validation so that no patient is on both sides.

    Parameters
    ----------
    subjects
        All of them; those with one `Subject.patient_name` stay together.
    validation
        Names of subjects or of patients, all of whose studies are then validated; or the share of patients. A share
        is drawn among patients with labels where at least two have some, since the others show nothing of a
        segmentation. It is at least one patient, and leaves at least one.
    seed
        Of the draw. A patient's place in it depends on the seed and the name alone, so that adding patients moves few.

    Returns
    -------
    Training and validation, each in the order of `subjects`.

    Raises
    ------
    InputError
        If there is one patient only, a name is unknown, or one side would be empty.
    """
    patients = sorted({subject.patient_name for subject in subjects})
    if len(patients) < 2:
        raise InputError(
            f"the database has {len(patients)} patient(s) and two are needed, one to train on and one to validate; "
            "add patients, or name them in a table of paths"
        )
    chosen = (
        _share(subjects, patients, validation, seed)
        if isinstance(validation, int | float)
        else _named(subjects, validation)
    )
    if chosen >= set(patients):
        raise InputError("no patient is left to train on; validate on fewer, or add data")
    held_out = [subject for subject in subjects if subject.patient_name in chosen]
    return [subject for subject in subjects if subject.patient_name not in chosen], held_out


def _named(subjects: Sequence[Subject], names: Sequence[str]) -> set[str]:
    if not names:
        raise InputError("no validation case was chosen, and without one nothing shows what training did; choose one")
    patients = {subject.name: subject.patient_name for subject in subjects}
    patients |= {patient: patient for patient in patients.values()}
    missing = sorted(set(names) - set(patients))
    if missing:
        raise InputError(f"{missing[0]!r} is to be validated but the database has no such subject; check its name")
    return {patients[name] for name in names}


def _share(subjects: Sequence[Subject], patients: Sequence[str], share: float, seed: int) -> set[str]:
    if not 0 < share < 1:
        raise InputError(f"a share of {share:g} is to be validated; give a number between 0 and 1")
    labelled = {subject.patient_name for subject in subjects if subject.labelled is not False}
    eligible = [patient for patient in patients if patient in labelled]
    if len(eligible) < 2:
        eligible = list(patients)
    drawn = sorted(eligible, key=lambda patient: hashlib.sha256(f"{seed}:{patient}".encode()).digest())
    count = min(max(round(share * len(eligible)), 1), len(eligible) - 1)
    return set(drawn[:count])
