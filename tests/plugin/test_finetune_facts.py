"""What the Fine-tune section knows, without widgets: subjects and their split, fitting models, logs, verdicts."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import FakeMethod
from finetuning_cases import write_database

from mrviewer.database import DatabaseMapping, Oddity, Survey, SurveyedSubject, propose_mapping, survey_database
from mrviewer.finetuning import FinetunePlan, RunRecord, RunState
from mrviewer.geometry import Geometry
from mrviewer.method import Needs, Task
from mrviewer.progress import finish
from mrviewer.study import Image, Study
from mrviewer_napari.opening.load_scan import load_scan
from mrviewer_napari.sections.finetune.facts.familiar_study import is_familiar
from mrviewer_napari.sections.finetune.facts.run_history import RunHistory, ScoreSeries, smoothed
from mrviewer_napari.sections.finetune.facts.run_result import ScoreChange, read_result
from mrviewer_napari.sections.finetune.facts.run_texts import duration, progress_text, state_text
from mrviewer_napari.sections.finetune.facts.starting_models import fits_database, measured_modalities
from mrviewer_napari.sections.finetune.facts.subject_rows import (
    Role,
    proposed_validation,
    split_text,
    subject_rows,
    toggle_validation,
    whole_messages,
)

FLAIR = DatabaseMapping({"flair": "FLAIR", "odd": ""}, "mask", {1: 1})


def subject(name: str, patient: str = "", *, labels: bool = True, channel: str = "flair") -> SurveyedSubject:
    strange = (Oddity(name, "spacing", f"{name} is strange"),) if name == "b1" else ()
    mask = {"mask": Path("m.nii")} if labels else {}
    return SurveyedSubject(name, patient or name, {channel: Path("f.nii")}, mask, (3, 4, 5), (2.0, 1.0, 1.0), strange)


@pytest.fixture
def survey() -> Survey:
    return Survey(
        Path("hospital"),
        "folders",
        (
            subject("a1", "a"),
            subject("a2", "a"),
            subject("b1", "b"),
            subject("c1", "c"),
            subject("d1", "d", labels=False),
            subject("e1", "e", channel="odd"),
        ),
        channels=("flair", "odd"),
        labels=("mask",),
    )


def test_a_row_says_what_a_subject_is_used_for(survey: Survey) -> None:
    mapping = DatabaseMapping({"flair": "FLAIR", "odd": ""}, "mask", {1: 1}, excluded=("c1",))
    rows = {row.name: row for row in subject_rows(survey, mapping, ["b1"], needs_labels=True)}
    assert [row.role for row in rows.values()] == [
        Role.TRAINING,
        Role.TRAINING,
        Role.VALIDATION,
        Role.LEFT_OUT,
        Role.UNUSABLE,
        Role.UNUSABLE,
    ]
    assert rows["b1"].oddities == ("b1 is strange",)
    assert not rows["b1"].harmless
    assert rows["a1"].voxel_mm == (2.0, 1.0, 1.0)
    without = subject_rows(survey, mapping, ["b1"], needs_labels=False)
    assert without[4].role is Role.TRAINING, "a method that learns no labels can use it"


def test_a_split_never_divides_a_patient_and_is_always_the_same(survey: Survey) -> None:
    rows = subject_rows(survey, FLAIR, (), needs_labels=True)
    held_out = proposed_validation(rows, 0.4)
    assert held_out
    assert held_out == proposed_validation(rows, 0.4)
    assert ("a1" in held_out) is ("a2" in held_out)
    assert not {"d1", "e1"} & set(held_out)
    assert toggle_validation(rows, "a2", True, ("b1",)) == ("a1", "a2", "b1")
    assert toggle_validation(rows, "a1", False, ("a1", "a2", "b1")) == ("b1",)
    assert proposed_validation(rows[:2]) == (), "one patient cannot be split"


def test_the_split_is_told_in_patients(survey: Survey) -> None:
    rows = subject_rows(survey, FLAIR, ("a1", "a2"), needs_labels=True)
    assert split_text(rows) == "2 patients to train on, 1 to validate on"
    assert split_text(rows, names=True).endswith(": a")
    assert "tick some" in split_text(subject_rows(survey, FLAIR, (), needs_labels=True))
    assert split_text(()) == "no subject can be used"


def test_a_model_that_does_not_fit_says_why() -> None:
    images = Needs(kspace=False, required=("arterial", "delayed"))
    both = (Task.RECONSTRUCT, Task.SEGMENT)
    assert fits_database(FakeMethod("joint", both).card, ("FLAIR",), labelled=True)
    assert "labels" in fits_database(FakeMethod("joint", both).card, ("FLAIR",), labelled=False).reason
    assert fits_database(FakeMethod("plain").card, ("FLAIR",), labelled=False)
    assert "no channel" in fits_database(FakeMethod("plain").card, (), labelled=True).reason
    liver = FakeMethod("liver", (Task.REGRESS,), needs=images).card
    assert fits_database(liver, ("arterial",), labelled=True).reason.endswith("has no delayed")


def test_the_measured_image_is_one_that_the_method_knows_if_it_can() -> None:
    assert measured_modalities(Needs(modalities=("T2",)), ("T1", "FLAIR", "T2")) == ("T2", "FLAIR", "T1")
    assert measured_modalities(Needs(kspace=False), ("T1",)) == ()


def test_a_curve_goes_on_where_a_run_was_resumed() -> None:
    history = RunHistory()
    steps = [{"event": "step", "step": step, "loss": 10.0 - step, "seconds_left": 5} for step in (1, 2, 3, 4)]
    assert history.take([{"event": "start"}, *steps, {"event": "step", "step": 3, "loss": 1.5}])
    assert history.loss == ScoreSeries([1, 2, 3], [9.0, 8.0, 1.5])
    assert history.seconds_left is None
    assert not history.take([])


def test_the_figures_before_do_not_cut_the_curve_of_a_resumed_run() -> None:
    history = RunHistory()
    before = {"event": "zero_shot", "step": 0, "metrics": {"dice": 0.1}}
    later = {"event": "validation", "step": 7, "metrics": {"dice": 0.4}}
    history.take([before, later, {"event": "start"}, before])
    assert history.validation["dice"] == ScoreSeries([0, 7], [0.1, 0.4])


def test_what_is_no_number_is_not_drawn() -> None:
    history = RunHistory()
    metrics = {"dice": 0.5, "psnr": None, "name": "x", "nan": float("nan")}
    validation = {"event": "validation", "step": 4, "metrics": metrics, "picture": "validation/step-4.npz"}
    history.take([{"event": "step", "step": 1, "loss": None}, validation, {"event": "failed", "message": "no room"}])
    assert history.loss == ScoreSeries()
    assert history.validation == {"dice": ScoreSeries([4], [0.5])}
    assert history.picture == "validation/step-4.npz"
    assert history.failure == "no room"


def test_smoothing_keeps_a_constant_and_thinning_keeps_the_end() -> None:
    level = ScoreSeries(list(range(5)), [2.0] * 5)
    assert smoothed(level).values == pytest.approx([2.0] * 5)
    steps = ScoreSeries(list(range(5000)), [float(step) for step in range(5000)])
    thin = steps.thinned()
    assert len(thin.steps) <= 600
    assert thin.steps[-1] == 4999
    wild = ScoreSeries([0, 1], [0.0, 10.0])
    assert 0 < smoothed(wild).values[1] < 10


def record(path: Path, state: RunState, **values: object) -> RunRecord:
    return RunRecord(path, FinetunePlan("unet-full", ("hospital",), str(path), name="mine"), state, **values)  # type: ignore[arg-type]


def test_a_run_is_told_in_words(tmp_path: Path) -> None:
    run = record(tmp_path, RunState.TRAINING, step=3, total_steps=40, seconds_left=600.0, device="cpu")
    assert progress_text(run, RunHistory()) == "step 3 of 40, about 10 min left, cpu"
    history = RunHistory(step=5, total_steps=40, memory_bytes=3 * 2**30, device="cuda", seconds_left=30)
    assert progress_text(run, history) == "step 5 of 40, about 30 s left, cuda, 3.0 GB"
    assert all(state_text(record(tmp_path, state)) for state in RunState)
    assert duration(3 * 3600) == "3.0 h"


def test_a_figure_knows_which_way_is_good() -> None:
    assert ScoreChange("Dice", 0.1, 0.2).is_better
    assert ScoreChange("HD95", 10, 20, more_is_better=False).is_better is False
    assert ScoreChange("Dice", 0.1, 0.1).is_better is None
    assert ScoreChange("Dice", None, 0.1).texts == ("unknown", "0.100")


def test_the_result_of_a_run_is_read_as_tables(tmp_path: Path) -> None:
    def figures(dice: float | None) -> dict[str, object]:
        return {"image": None, "segmentation": {"dice": dice, "hd95_mm": 9.0}, "seconds": 1.0}

    lesion = {"subject": "b1", "lesion": 1, "volume_ml": 0.25}
    summary = {
        "method": "mine",
        "subjects": {"training": ["a1"], "validation": ["b1"]},
        "verdict": "worse",
        "sentence": "Worse than before on the validation cases. Dice 0.500 before.",
        "before": figures(0.5),
        "after": figures(0.25),
        "by_subject": {"b1": {"before": figures(0.5), "after": figures(None)}},
        "by_lesion": [
            {**lesion, "before": {"status": "missed", "dice": 0.0}, "after": {"status": "found", "dice": 0.5}}
        ],
        "notes": ["left out c1: broken"],
    }
    run = record(tmp_path, RunState.FINISHED)
    assert read_result(run) is None
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    result = read_result(run)
    assert result is not None
    assert [(figure.name, figure.texts, figure.is_better) for figure in result.means] == [
        ("Dice", ("0.500", "0.250"), False),
        ("HD95 (mm)", ("9.0", "9.0"), None),
    ]
    assert result.subjects[0].figures[0].texts == ("0.500", "unknown")
    assert result.lesions[0].title == ("b1", "1", "0.25", "missed, then found")
    assert result.lesions[0].figures[0].is_better
    assert result.remarks == ("left out c1: broken",)


def test_files_that_are_not_there_are_shown_before_a_run_begins(tmp_path: Path) -> None:
    write_database(tmp_path, tuple("abcd"))
    table = tmp_path / "table.csv"
    lines = [f"{name},{name}/FLAIR.nii.gz,{name}/label.nii.gz" for name in "abcd"]
    lines[1], lines[3] = "b,b/FLIAR.nii.gz,b/label.nii.gz", "d,d/FLAIR.nii.gz,d/lable.nii.gz"
    table.write_text("\n".join(["subject,FLAIR,label", *lines]))
    survey = finish(survey_database(table))
    messages = " ".join(whole_messages(survey, harmless=False))
    assert "no file FLIAR.nii.gz" in messages
    assert "no file lable.nii.gz" in messages
    rows = {row.name: row for row in subject_rows(survey, propose_mapping(survey), (), needs_labels=True)}
    assert {name: row.role for name, row in rows.items()} == {
        "a": Role.TRAINING, "b": Role.UNUSABLE, "c": Role.TRAINING, "d": Role.UNUSABLE,
    }  # fmt: skip
    assert "FLIAR" in rows["b"].oddities[0]
    assert "lable" in rows["d"].oddities[0]
    assert not rows["b"].harmless
    assert not rows["d"].harmless


@pytest.mark.parametrize(
    ("folder", "modality", "learned", "expected"),
    [
        ("data/a", "FLAIR", "FLAIR", True),
        ("elsewhere", "FLAIR", "FLAIR", False),
        ("data/a", "T1", "FLAIR", False),
        ("", "FLAIR", "FLAIR", False),
    ],
)
def test_a_new_model_is_shown_at_once_only_on_studies_of_its_database(
    tmp_path: Path, folder: str, modality: str, learned: str, expected: bool
) -> None:
    (tmp_path / "data").mkdir()
    mapping = {"modalities": {"x": learned, "y": ""}}
    plan = FinetunePlan("multiunet", (str(tmp_path / "data"),), "run", mapping=mapping)
    path = tmp_path / folder / "x.nii" if folder else None
    image = Image(np.ones((4, 8, 8), np.float32), Geometry.axial((4, 8, 8), (1.0, 1.0, 1.0)), modality, path)
    assert is_familiar(plan, finish(load_scan(Study("s", {modality: image})))) is expected
    assert not is_familiar(plan, None)
