"""Which files are of one study, and whose it is, by names alone."""

import json
from pathlib import Path

import pytest
from database_files import save_image, save_labels, touch

from mrviewer.database.found import FoundDatabase
from mrviewer.database.layouts.find import find_subjects
from mrviewer.database.proposal import map_by_names
from mrviewer.errors import FileFormatError, InputError
from mrviewer.names.visits import patient_of


def told(found: FoundDatabase) -> dict[str, tuple[str, list[str], list[str]]]:
    """Patient, channels and labels by name of the subject."""
    return {each.name: (each.patient, sorted(each.channels), sorted(each.labels)) for each in found.subjects}


def test_two_visits_in_one_folder_are_two_studies_of_one_patient(tmp_path: Path) -> None:
    for patient in ("02", "09"):
        folder = tmp_path / patient
        touch(*(folder / f"{visit}_{what}.nii.gz" for visit in ("Pre", "Post") for what in ("Mask", "Scan_T1")))
    assert told(find_subjects(tmp_path)) == {
        "02_post": ("02", ["T1"], ["Mask"]),
        "02_pre": ("02", ["T1"], ["Mask"]),
        "09_post": ("09", ["T1"], ["Mask"]),
        "09_pre": ("09", ["T1"], ["Mask"]),
    }


def test_dates_below_a_patient_are_visits(tmp_path: Path) -> None:
    for patient, date in (("a", "2019-01-02"), ("a", "2020-05-06"), ("b", "2019-03-01")):
        touch(*(tmp_path / patient / date / name for name in ("FLAIR.nii.gz", "T1.nii.gz", "lesion_mask.nii.gz")))
    assert told(find_subjects(tmp_path)) == {
        "a_2019-01-02": ("a", ["FLAIR", "T1"], ["lesion_mask"]),
        "a_2020-05-06": ("a", ["FLAIR", "T1"], ["lesion_mask"]),
        "b": ("b", ["FLAIR", "T1"], ["lesion_mask"]),
    }


def test_a_variant_of_an_image_is_a_channel_and_no_visit(tmp_path: Path) -> None:
    for patient in ("a", "b"):
        touch(*(tmp_path / patient / name for name in ("t1.nii.gz", "t1_brain.nii.gz", "flair.nii.gz", "seg.nii.gz")))
    assert told(find_subjects(tmp_path))["a"] == ("a", ["FLAIR", "t1", "t1_brain"], ["seg"])


def test_raw_and_preprocessed_images_of_one_visit_are_channels(tmp_path: Path) -> None:
    for patient in ("0", "2"):
        touch(*(tmp_path / patient / kind / name for kind in ("orig", "pre") for name in ("FLAIR.nii.gz", "T1.nii.gz")))
        touch(tmp_path / patient / "orig" / "3DT1.nii.gz", tmp_path / patient / "wmh.nii.gz")
    channels = ["3DT1", "orig/FLAIR", "orig/T1", "pre/FLAIR", "pre/T1"]
    assert told(find_subjects(tmp_path))["0"] == ("0", channels, ["wmh"])


def test_images_and_labels_in_folders_of_their_own_are_paired_by_name(tmp_path: Path) -> None:
    for number in (1, 3, 4):
        touch(tmp_path / "images" / f"case_{number:03}.nii.gz", tmp_path / "labels" / f"case_{number:03}.nii.gz")
    touch(tmp_path / "unlabelled" / "case_007.nii.gz")
    found = told(find_subjects(tmp_path))
    assert found == {
        "case_001": ("case_001", ["image"], ["label"]),
        "case_003": ("case_003", ["image"], ["label"]),
        "case_004": ("case_004", ["image"], ["label"]),
        "case_007": ("case_007", ["image"], []),
    }


def test_folders_called_after_modalities_are_paired_by_name(tmp_path: Path) -> None:
    for name in ("anna", "bert"):
        touch(*(tmp_path / kind / f"{name}.nii.gz" for kind in ("FLAIR", "T2", "masks")))
    found = find_subjects(tmp_path)
    assert told(found) == {"anna": ("anna", ["FLAIR", "T2"], ["label"]), "bert": ("bert", ["FLAIR", "T2"], ["label"])}


def test_files_side_by_side_are_subjects(tmp_path: Path) -> None:
    for number in ("01", "02", "11"):
        touch(*(tmp_path / f"sub{number}_{what}.nii.gz" for what in ("flair", "t1", "seg")))
    (tmp_path / "sub02_t1.nii.gz").unlink()
    assert told(find_subjects(tmp_path)) == {
        "sub01": ("sub01", ["FLAIR", "T1"], ["seg"]),
        "sub02": ("sub02", ["FLAIR"], ["seg"]),
        "sub11": ("sub11", ["FLAIR", "T1"], ["seg"]),
    }


def test_images_alone_in_one_folder_are_subjects(tmp_path: Path) -> None:
    touch(*(tmp_path / "images" / f"c{number}.nii.gz" for number in range(3)))
    assert sorted(told(find_subjects(tmp_path))) == ["c0", "c1", "c2"]


def test_parts_of_a_database_are_no_patients(tmp_path: Path) -> None:
    touch(tmp_path / "train" / "01" / "FLAIR.nii.gz", tmp_path / "test" / "02" / "FLAIR.nii.gz")
    touch(tmp_path / "train" / "03" / "FLAIR.nii.gz", tmp_path / "test" / "03" / "FLAIR.nii.gz")
    assert sorted(told(find_subjects(tmp_path))) == ["01", "02", "test_03", "train_03"]


def test_brain_masks_and_corrections_are_neither_images_nor_labels(tmp_path: Path) -> None:
    touch(*(tmp_path / "a" / name for name in ("FLAIR.nii.gz", "brainmask.nii.gz", "T1_brain_mask.nii.gz")))
    touch(
        tmp_path / "a" / "mrviewer-corrections" / "a_20250101T000000Z_label.nii.gz", tmp_path / "a" / "._FLAIR.nii.gz"
    )
    assert told(find_subjects(tmp_path)) == {"a": ("a", ["FLAIR"], [])}


@pytest.mark.parametrize(
    ("name", "patient"),
    [
        ("sub-01_ses-02", "sub-01"),
        ("patient7-baseline", "patient7"),
        ("UCSF-0001_FU001d", "UCSF-0001"),
        ("BraTS-GLI-00005-001", "BraTS-GLI-00005"),
        ("anna_20190102", "anna"),
        ("hippocampus_001", "hippocampus_001"),
        ("2019-01-02", "2019-01-02"),
        ("scan_001", "scan_001"),
        ("v002_GE", "v002_GE"),
    ],
)
def test_the_patient_is_what_is_left_without_the_visit(name: str, patient: str) -> None:
    assert patient_of(name) == patient


def test_bids_sessions_are_studies_of_one_subject(tmp_path: Path) -> None:
    for session in ("a", "b"):
        folder = tmp_path / "sub-01" / f"ses-{session}" / "anat"
        stem = f"sub-01_ses-{session}"
        touch(
            folder / f"{stem}_T1w.nii.gz", folder / f"{stem}_ce-gadolinium_T1w.nii.gz", folder / f"{stem}_FLAIR.nii.gz"
        )
        touch(tmp_path / "derivatives" / "manual" / "sub-01" / f"ses-{session}" / f"{stem}_label-lesion_mask.nii.gz")
    touch(
        tmp_path / "sub-02" / "anat" / "sub-02_T1w.nii.gz",
        tmp_path / "sub-02" / "anat" / "sub-02_desc-brain_mask.nii.gz",
    )
    (tmp_path / "participants.tsv").write_text("participant_id\tage\nsub-01\t40\nsub-02\t50\nsub-03\t60\n")
    found = find_subjects(tmp_path)
    assert found.layout == "bids"
    assert told(found) == {
        "sub-01_ses-a": ("sub-01", ["FLAIR", "T1", "T1Gd"], ["manual/label-lesion_mask"]),
        "sub-01_ses-b": ("sub-01", ["FLAIR", "T1", "T1Gd"], ["manual/label-lesion_mask"]),
        "sub-02": ("sub-02", ["T1"], []),
    }
    assert [odd.subject for odd in found.oddities if odd.kind == "missing-file"] == ["sub-03"]


def describe(folder: Path, **told: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dataset.json").write_text(json.dumps(told))


def test_the_decathlon_names_files_labels_and_volumes(tmp_path: Path) -> None:
    folder = tmp_path / "Task01"
    describe(
        folder,
        modality={"0": "FLAIR", "1": "T1w"},
        labels={"0": "background", "1": "edema", "2": "tumour"},
        training=[{"image": "./imagesTr/BRATS_001.nii.gz", "label": "./labelsTr/BRATS_001.nii.gz"}],
        test=["./imagesTs/BRATS_002.nii.gz"],
    )
    for path in (folder, folder / "dataset.json", tmp_path):
        found = find_subjects(path)
        assert found.layout == "decathlon"
        assert told(found) == {
            "BRATS_001": ("BRATS_001", ["FLAIR", "T1w"], ["label"]),
            "BRATS_002": ("BRATS_002", ["FLAIR", "T1w"], []),
        }
        assert found.subjects[0].frames == {"FLAIR": 0, "T1w": 1}
        assert found.label_names == {0: "background", 1: "edema", 2: "tumour"}


def test_nnunet_has_a_file_a_channel(tmp_path: Path) -> None:
    describe(tmp_path, channel_names={"0": "T2", "1": "ADC"}, labels={"background": 0, "prostate": 1}, numTraining=1)
    touch(*(tmp_path / "imagesTr" / f"case_7_{channel:04}.nii.gz" for channel in range(2)))
    touch(tmp_path / "labelsTr" / "case_7.nii.gz")
    [subject] = find_subjects(tmp_path).subjects
    assert (subject.name, subject.frames) == ("case_7", {})
    assert {name: path.name for name, path in subject.channels.items()} == {
        "T2": "case_7_0000.nii.gz",
        "ADC": "case_7_0001.nii.gz",
    }


def test_regions_of_nnunet_name_every_value_that_they_hold(tmp_path: Path) -> None:
    regions = {"background": 0, "whole tumor": [1, 2, 3], "tumor core": [2, 3], "enhancing tumor": 3, "ignore": "4"}
    describe(tmp_path, channel_names={"0": "FLAIR"}, labels=regions)
    touch(tmp_path / "imagesTr" / "case_0000.nii.gz")
    names = {0: "background", 1: "whole tumor", 2: "tumor core", 3: "enhancing tumor", 4: "ignore"}
    assert find_subjects(tmp_path).label_names == names


@pytest.mark.parametrize("key", ["training", "validation", "test", "testing"])
def test_an_image_may_be_a_list_of_channels(tmp_path: Path, key: str) -> None:
    cases = [
        {"image": [f"d/B{n}_{told}.nii.gz" for told in ("flair", "t1", "t1ce")], "label": f"d/B{n}_seg.nii.gz"}
        for n in (1, 2)
    ]
    describe(tmp_path, **{key: cases})
    assert told(find_subjects(tmp_path)) == {f"B{n}": (f"B{n}", ["FLAIR", "T1", "T1Gd"], ["label"]) for n in (1, 2)}
    describe(tmp_path, modality={"0": "a", "1": "b", "2": "c"}, training=cases)
    assert told(find_subjects(tmp_path))["B1"][1] == ["a", "b", "c"]
    describe(tmp_path, modality={"0": "a", "1": "b"}, training=cases)
    with pytest.raises(FileFormatError, match="names 2 modalities and 3 images of B1"):
        find_subjects(tmp_path)


def test_nnunet_may_name_the_files_of_each_case(tmp_path: Path) -> None:
    case = {"images": ["x/a.nii.gz", "y/a.nii.gz"], "label": "z/a.nii.gz"}
    describe(tmp_path, channel_names={"0": "T2", "1": "ADC"}, dataset={"anna": case})
    assert told(find_subjects(tmp_path)) == {"anna": ("anna", ["ADC", "T2"], ["label"])}


def test_cases_of_one_name_in_two_folders_are_two_cases(tmp_path: Path) -> None:
    describe(tmp_path, training=[{"image": f"{folder}/t1.nii.gz"} for folder in ("a", "b", "b")])
    assert sorted(told(find_subjects(tmp_path))) == ["a_t1", "b_t1"]


def test_two_contrasts_of_one_patient_are_one_patient(tmp_path: Path) -> None:
    describe(tmp_path, training=[f"B1_{told}.nii.gz" for told in ("flair", "t1")])
    assert {patient for patient, _, _ in told(find_subjects(tmp_path)).values()} == {"B1"}


def test_paths_written_on_windows_are_understood(tmp_path: Path) -> None:
    touch(tmp_path / "scans" / "a.nii.gz", tmp_path / "b\\c.nii.gz")
    describe(tmp_path / "json", training=[{"image": "..\\scans\\a.nii.gz", "label": ".\\l.nii.gz"}])
    [subject] = find_subjects(tmp_path / "json").subjects
    assert subject.channels["image"].resolve() == tmp_path / "scans" / "a.nii.gz"
    assert subject.labels["label"] == tmp_path / "json" / "l.nii.gz"
    table = tmp_path / "t.csv"
    table.write_text("subject,FLAIR\na,scans\\a.nii.gz\nb,b\\c.nii.gz\n")
    channels = [each.channels["FLAIR"] for each in find_subjects(table).subjects]
    # A file whose name holds the sign is still found where there is one.
    assert channels == [tmp_path / "scans" / "a.nii.gz", tmp_path / "b\\c.nii.gz"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("not JSON", "dataset.json cannot be read"),
        ("[]", "holds no JSON object"),
        ('{"modality": {"a": "T1"}, "training": ["x.nii"]}', "does not number its modalities"),
        ('{"modality": {"0": "T1"}}', "names no case"),
        (
            '{"modality": {"0": "T1"}, "training": [{"label": "x.nii"}]}',
            "whose image is neither a path nor a list of paths",
        ),
    ],
)
def test_a_damaged_description_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "dataset.json").write_text(text)
    with pytest.raises(FileFormatError, match=reason):
        find_subjects(tmp_path)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_names_subjects_patients_and_paths(tmp_path: Path, delimiter: str) -> None:
    rows = [
        ["subject", "patient", "age", "FLAIR", "T1", "lesion label"],
        ["a1", "A", "40", "x/a1_f.nii.gz", "x/a1_t.nii.gz", "x/a1_l.nii.gz"],
        ["a2", "A", "41", "x/a2_f.nii.gz", "", ""],
    ]
    table = tmp_path / "studies.csv"
    table.write_text("\ufeff" + "\n".join(delimiter.join(row) for row in rows), encoding="utf-8")
    found = find_subjects(table)
    assert found.layout == "table"
    assert told(found) == {"a1": ("A", ["FLAIR", "T1"], ["lesion label"]), "a2": ("A", ["FLAIR"], [])}
    assert found.subjects[0].channels["FLAIR"] == tmp_path / "x" / "a1_f.nii.gz"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("subject,T1\n", "has no row"),
        ("subject,age\na,3\n", "has no column with paths of images"),
        ("T1\na.nii\n", "has no column called subject"),
        ("subject,T1\na,a.nii\na,b.nii\n", "names a twice"),
    ],
)
def test_a_table_without_what_is_needed_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    table = tmp_path / "studies.csv"
    table.write_text(text)
    with pytest.raises(FileFormatError, match=reason):
        find_subjects(table)


@pytest.mark.parametrize("sign", [";", ",", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_tables_of_spreadsheet_programs_are_understood(tmp_path: Path, sign: str, encoding: str) -> None:
    rows = [["subject", "FLAIR", "label"], ["Müller", "a.nii", "b.nii"]]
    table = tmp_path / "t.csv"
    text = "\r\n".join([f"sep={sign}", *(sign.join(row) for row in rows)])
    table.write_bytes(text.encode(encoding))
    assert told(find_subjects(table)) == {"Müller": ("Müller", ["FLAIR"], ["label"])}


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "cp850", "mac-roman"])
def test_a_table_in_another_code_page_is_refused_with_the_true_reason(tmp_path: Path, encoding: str) -> None:
    table = tmp_path / "t.csv"
    table.write_bytes("subject;FLAIR\na;a.nii\nMüller;b.nii\n".encode(encoding))
    with pytest.raises(FileFormatError, match=r"line 3 of t\.csv .* not in UTF-8"):
        find_subjects(table)


def test_four_layouts_of_the_same_files_give_the_same_subjects(tmp_path: Path) -> None:
    roots = {name: tmp_path / name for name in ("folders", "bids", "table", "decathlon")}
    for seed, name in enumerate(("p1", "p2")):
        save_image(roots["folders"] / name / "FLAIR.nii.gz", seed)
        save_labels(roots["folders"] / name / "lesion_mask.nii.gz")
        save_image(roots["bids"] / f"sub-{name}" / "anat" / f"sub-{name}_FLAIR.nii.gz", seed)
        save_labels(roots["bids"] / "derivatives" / f"sub-{name}" / f"sub-{name}_mask.nii.gz")
        save_image(roots["decathlon"] / "imagesTr" / f"{name}.nii.gz", seed)
        save_labels(roots["decathlon"] / "labelsTr" / f"{name}.nii.gz")
    pairs = [{"image": f"./imagesTr/{name}.nii.gz", "label": f"./labelsTr/{name}.nii.gz"} for name in ("p1", "p2")]
    describe(roots["decathlon"], modality={"0": "FLAIR"}, labels={"0": "background", "1": "x"}, training=pairs)
    roots["table"].mkdir()
    table = roots["table"] / "all.tsv"
    rows = [f"{name}\t../folders/{name}/FLAIR.nii.gz\t../folders/{name}/lesion_mask.nii.gz" for name in ("p1", "p2")]
    table.write_text("subject\tFLAIR\tmask\n" + "\n".join(rows))
    for path in (roots["folders"], roots["bids"], table, roots["decathlon"]):
        found = find_subjects(path)
        assert [each.name.removeprefix("sub-") for each in found.subjects] == ["p1", "p2"]
        assert [list(each.channels) for each in found.subjects] == [["FLAIR"], ["FLAIR"]]
        assert [len(each.labels) for each in found.subjects] == [1, 1]


def test_nothing_to_open_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no sub-folder with images"):
        find_subjects(tmp_path)
    with pytest.raises(InputError, match="is no folder"):
        find_subjects(tmp_path / "table.csv")


def test_real_databases_are_sorted_by_patient(shared_data: Path) -> None:
    expected = {"hippocampus_msd": (61, 61), "glioma_progression": (4, 2), "ms_lesjak_mni": (2, 2)}
    for name, (n_subjects, n_patients) in expected.items():
        found = find_subjects(shared_data / name).subjects
        assert (len(found), len({each.patient for each in found})) == (n_subjects, n_patients), name
    stroke = find_subjects(shared_data / "stroke_isles22")
    assert stroke.layout == "bids"
    assert told(stroke) == {"sub-strokecase0009_ses-0001": ("sub-strokecase0009", ["ADC", "DWI", "FLAIR"], ["msk"])}
    spine = told(find_subjects(shared_data / "spinalcord_sct"))
    assert {patient for patient, _, _ in spine.values()} == {"spinalcord_sct"}
    assert spine["t2"][2] == ["seg_manual", "seg_manual_labeled"]
    assert spine["t2_fake_lesion"] == ("spinalcord_sct", ["T2"], ["lesion_seg", "sc_seg"])


def test_folders_called_after_the_modality_of_their_file_are_no_visits(tmp_path: Path) -> None:
    for patient in ("1", "2"):
        stems = [f"VSD.Brain.XX.O.{kind}.{patient}00{n}" for n, kind in enumerate(("MR_Flair", "MR_T1", "MR_T2", "OT"))]
        touch(*(tmp_path / patient / stem / f"{stem}.nii" for stem in stems))
    [(_, channels, labels), second] = told(find_subjects(tmp_path)).values()
    assert channels == ["FLAIR", "T1", "T2"]
    assert labels == second[2] == ["VSD_Brain_XX_O_OT"]


def test_a_sequence_that_begins_with_t1_is_no_visit(tmp_path: Path) -> None:
    names = ("t1_mprage_sag_nativ", "t1_mprage_sag_KM", "t2_tse_tra", "t2_tirm_tra_dark-fluid", "Maske")
    touch(
        *(
            tmp_path / who / date / f"{name}.nii"
            for who in "ab"
            for date in ("2021-01-03", "2021-02-03")
            for name in names
        )
    )
    found = told(find_subjects(tmp_path))
    assert len(found) == 4
    assert all(each[1:] == (["FLAIR", "T1", "T1Gd", "T2"], ["Maske"]) for each in found.values())


def test_labels_are_called_alike_at_all_visits(tmp_path: Path) -> None:
    stems = [f"P{who}_Timepoint_{visit}" for who in (1, 2) for visit in (1, 2)]
    touch(*(tmp_path / stem[:2] / f"{stem}_{what}.nii.gz" for stem in stems for what in ("t1c", "t2f", "tumorMask")))
    assert {labels for _, _, (labels,) in told(find_subjects(tmp_path)).values()} == {"tumorMask"}
    for who, date in (("a", "2021-01-03"), ("a", "2021-02-03"), ("b", "2021-01-04"), ("b", "2021-03-03")):
        touch(*(tmp_path / "dated" / who / f"{date}_{what}.nii" for what in ("FLAIR", "mask")))
    assert {labels for _, _, (labels,) in told(find_subjects(tmp_path / "dated")).values()} == {"mask"}


def test_lesions_are_proposed_before_predictions_and_anatomy_and_a_brain_never(tmp_path: Path) -> None:
    for patient in ("a", "b", "c"):
        touch(*(tmp_path / patient / f"{name}.nii.gz" for name in ("T1", "aseg", "T1_pred", "T1_brainmask")))
    assert map_by_names(find_subjects(tmp_path).subjects).label == "T1_pred"
    touch(tmp_path / "b" / "FLAIR.nii.gz", tmp_path / "b" / "FLAIR_manual.nii.gz")
    proposed = map_by_names(find_subjects(tmp_path).subjects)
    assert proposed.label is not None
    assert "manual" in proposed.label
    assert proposed.modalities == {"T1": "T1", "FLAIR": "FLAIR"}


def test_files_of_a_folder_of_masks_that_are_called_brain_are_not_lesions(tmp_path: Path) -> None:
    for patient in ("a", "b"):
        touch(tmp_path / patient / "T1.nii.gz", tmp_path / patient / "masks" / "brain.nii.gz")
    assert map_by_names(find_subjects(tmp_path).subjects).label is None


def challenge(root: Path, site: str, *patients: int) -> None:
    """Files as the challenge on white matter hyperintensities (WMH 2017) has them."""
    for patient in patients:
        folder = root / site / str(patient)
        touch(*(folder / kind / f"{name}.nii.gz" for kind in ("orig", "pre") for name in ("FLAIR", "T1")))
        touch(folder / "orig" / "3DT1.nii.gz", folder / "wmh.nii.gz")


@pytest.mark.parametrize("sites", [{"Utrecht": (11, 17)}, {"Utrecht": (0, 2, 4), "Amsterdam/GE3T": (100, 101)},
                                   {"Utrecht": (11, 17), "Singapore": (50, 51, 52)}])  # fmt: skip
def test_each_patient_of_a_site_is_a_study_and_one_version_is_proposed(
    tmp_path: Path, sites: dict[str, tuple[int, ...]]
) -> None:
    for site, patients in sites.items():
        challenge(tmp_path, site, *patients)
    found = find_subjects(tmp_path)
    everybody = {str(patient) for patients in sites.values() for patient in patients}
    assert len(found.subjects) == len(everybody)
    for each in found.subjects:
        folder = {path.parents[1] for path in each.channels.values()}
        assert folder == {path.parent for path in each.labels.values()}, "images and labels are of one patient"
        assert list(each.labels) == ["wmh"]
    assert len(sites) == 1 or {each.patient for each in found.subjects} == everybody
    mapping = map_by_names(found.subjects)
    chosen = {modality: name for name, modality in mapping.modalities.items() if modality}
    assert (chosen, mapping.label) == ({"FLAIR": "pre/FLAIR", "T1": "pre/T1"}, "wmh")
    assert any(odd.kind == "versions" and "those in pre are proposed" in odd.message for odd in found.oddities)


def test_patients_of_one_number_at_two_sites_are_not_joined(tmp_path: Path) -> None:
    challenge(tmp_path, "Utrecht", 1, 2)
    challenge(tmp_path, "Singapore", 1, 2)
    found = find_subjects(tmp_path)
    assert [each.name for each in found.subjects] == ["Singapore_1", "Singapore_2", "Utrecht_1", "Utrecht_2"]
    assert all(len({path.parents[1] for path in each.channels.values()}) == 1 for each in found.subjects)


def test_months_and_sessions_of_a_patient_are_not_taken_for_patients(tmp_path: Path) -> None:
    for visits in ((0, 6, 12), (0, 6, 24), ("s1", "s2"), ("02.03.2019", "15.11.2020"), ("Aufnahme", "Verlauf1")):
        root = tmp_path / f"{visits[1]}_{visits[-1]}"
        for patient in ("anna", "bert"):
            touch(*(root / patient / str(visit) / name for visit in visits for name in ("FLAIR.nii.gz", "mask.nii.gz")))
        found = find_subjects(root)
        assert {each.patient for each in found.subjects} == {"anna", "bert"}
        assert len(found.subjects) == 2 * len(visits)


@pytest.mark.parametrize("first", ["Aufnahme", "02.03.2019", "02-03-2019", "20190302", "M0", "initial", "MRT_2019"])
@pytest.mark.parametrize("second", ["Verlauf", "15.11.2020", "20201115", "Kontrolle_2", "suivi1", "J90"])
def test_folders_and_names_in_other_languages_are_visits(tmp_path: Path, first: str, second: str) -> None:
    assert patient_of(f"anna_{first}") == patient_of(f"anna-{second}") == "anna"
    for visit in (first, second):
        touch(*(tmp_path / visit / patient / "FLAIR.nii.gz" for patient in ("anna", "bert")))
    assert {each.patient for each in find_subjects(tmp_path).subjects} == {"anna", "bert"}


def test_maps_in_the_folder_of_a_visit_are_no_visit_of_their_own(tmp_path: Path) -> None:
    for patient in ("a", "b"):
        for visit in ("M1", "M6"):
            touch(*(tmp_path / patient / visit / f"{name}.nii.gz" for name in ("T1", "T1_map", "T1_sub", "mask")))
    assert told(find_subjects(tmp_path)) == {
        f"{patient}_{visit}": (patient, ["T1", "T1_map", "T1_sub"], ["mask"])
        for patient in ("a", "b")
        for visit in ("m1", "m6")
    }


@pytest.mark.parametrize("n_channels", [1, 2])
def test_a_folder_of_nnunet_without_a_description_is_paired(tmp_path: Path, n_channels: int) -> None:
    for case in ("NAME_001", "NAME_002", "anna"):
        touch(*(tmp_path / "imagesTr" / f"{case}_{number:04}.nii.gz" for number in range(n_channels)))
        touch(tmp_path / "labelsTr" / f"{case}.nii.gz")
    touch(tmp_path / "imagesTs" / "NAME_003_0000.nii.gz", tmp_path / "labelsTr" / "lost.nii.gz")
    found = find_subjects(tmp_path)
    names = ["image"] if n_channels == 1 else ["image_0", "image_1"]
    assert told(found) == {
        "NAME_001": ("NAME_001", names, ["label"]),
        "NAME_002": ("NAME_002", names, ["label"]),
        "NAME_003": ("NAME_003", names[:1], []),
        "anna": ("anna", names, ["label"]),
    }
    assert any("lost.nii.gz" in odd.message for odd in found.oddities)


def test_numbered_images_with_labels_of_the_same_names_are_not_channels(tmp_path: Path) -> None:
    for number in range(3):
        touch(tmp_path / "images" / f"scan_{number:04}.nii.gz", tmp_path / "labels" / f"scan_{number:04}.nii.gz")
    assert len(find_subjects(tmp_path).subjects) == 3
