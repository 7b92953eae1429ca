"""In a database an image and its labels are of one patient, one visit, one run and one space."""

from pathlib import Path
from tempfile import TemporaryDirectory

from database_files import touch
from database_grammar import Made, bids_trees, plain_trees
from hypothesis import given, settings

from mrviewer.database.found import FoundDatabase
from mrviewer.database.layouts.find import find_subjects
from mrviewer.names.image_names import guess_modality


def found_in(made: list[Made]) -> tuple[FoundDatabase, dict[Path, Made]]:
    with TemporaryDirectory() as folder:
        root = Path(folder) / "study"
        files = {root / each.name: each for each in made}
        touch(*files)
        return find_subjects(root), files


def check_subjects(found: FoundDatabase, files: dict[Path, Made]) -> None:
    patients: dict[str, set[str]] = {}
    visits: list[tuple[str, str]] = []
    for subject in found.subjects:
        own = [files[path] for path in (*subject.channels.values(), *subject.labels.values())]
        assert len({(each.patient, each.visit) for each in own}) == 1, subject
        visits.append((own[0].patient, own[0].visit))
        patients.setdefault(own[0].patient, set()).add(subject.patient)
        for channel, path in subject.channels.items():
            assert guess_modality(channel) == files[path].modality, subject
        assert all(files[path].modality == "label" for path in subject.labels.values())
    assert len(set(visits)) == len(visits)
    assert set(visits) == {(each.patient, each.visit) for each in files.values() if each.modality != "label"}
    # Visits of a patient stay on one side of a split, and those of two patients need not.
    assert all(len(names) == 1 for names in patients.values())
    assert len({name for names in patients.values() for name in names}) == len(patients)


@settings(max_examples=150, deadline=None)
@given(plain_trees())
def test_folders_and_names_tell_patient_visit_and_contrast(made: list[Made]) -> None:
    found, files = found_in(made)
    check_subjects(found, files)
    used = {path for each in found.subjects for path in (*each.channels.values(), *each.labels.values())}
    assert used == set(files)


@settings(max_examples=150, deadline=None)
@given(bids_trees())
def test_bids_labels_are_of_the_run_and_space_of_their_image(made: list[Made]) -> None:
    found, files = found_in(made)
    check_subjects(found, files)
    messages = " ".join(odd.message for odd in found.oddities)
    for subject in found.subjects:
        flair = files[subject.channels["FLAIR"]]
        for path in subject.labels.values():
            assert (files[path].run, files[path].space) == (flair.run, "")
        fitting = [
            each
            for each in files.values()
            if (each.patient, each.visit, each.modality) == (flair.patient, flair.visit, "label") and not each.space
        ]
        assert bool(subject.labels) == bool(fitting)
    used = {path for each in found.subjects for path in (*each.channels.values(), *each.labels.values())}
    assert all(path.name in messages for path in set(files) - used)
