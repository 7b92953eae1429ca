"""Runs of fine-tuning: what they leave, how they pause, stop and go on, and what they never see."""

import errno
import gc
import json
import shutil
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from finetuning_cases import NAMES, make_plan, write_database
from safetensors import SafetensorError
from safetensors.torch import load_file

import mrviewer.finetuning.resolved_plan
import mrviewer.training.checkpoint
import mrviewer.training.fitting
from mrviewer.database import open_database, split_by_patient
from mrviewer.errors import InputError, MrviewerError, WeightsError
from mrviewer.finetuning import (
    FinetunePlan,
    FinetuneSummary,
    RunState,
    finetune,
    launch,
    read_events,
    read_plan,
    read_run,
    request_finish,
    request_pause,
    request_resume,
    request_stop,
)
from mrviewer.finetuning.phases.preparing import DatabaseWatch, prepare
from mrviewer.methods.registry import get_method
from mrviewer.methods.weights import load_weights
from mrviewer.progress import Progress, finish
from mrviewer.readers import read_image
from mrviewer.training.recipe import Recipe
from mrviewer.writers.nifti import write_volume


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MRVIEWER_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("MRVIEWER_RUNS", str(tmp_path / "runs"))


@pytest.fixture
def plan(tmp_path: Path, database: Path, weights: Path) -> FinetunePlan:
    return make_plan(tmp_path / "run", database, weights)


def kinds(run: Path) -> list[str]:
    return [event["event"] for event in read_events(run)]


def do_until(job: Generator[Progress, None, FinetuneSummary], is_reached: Callable[[], bool]) -> None:
    """Take steps of a job until something has come about."""
    next(job)
    while not is_reached():
        next(job)


def last_step(run: Path) -> int:
    return max((event["step"] for event in read_events(run) if event["event"] == "step"), default=0)


def test_a_run_leaves_what_it_promises(plan: FinetunePlan) -> None:
    named = replace(plan, name="mine", add=True)
    summary = finish(finetune(named))
    run = plan.folder
    told = json.loads((run / "summary.json").read_text())
    assert summary.finished
    assert summary.model == "mine"
    assert {"method", "parent", "database", "subjects", "before", "after", "verdict", "test"} <= set(told)
    assert (told["method"], told["parent"], told["database"]) == ("mine", "unet-full", "patients")
    assert told["subjects"] == {"training": ["anna", "carl", "dora", "fred"], "validation": ["bert", "emil"]}
    assert set(told["before"]["segmentation"]) >= {"dice", "precision", "recall", "hd95_mm", "lesion_f1"}
    assert set(told["by_subject"]) == {"bert", "emil"}
    assert [(row["subject"], row["lesion"]) for row in told["by_lesion"]] == [("bert", 1), ("emil", 1)]
    assert told["after"]["segmentation"]["dice"] == pytest.approx(
        sum(told["by_subject"][name]["after"]["segmentation"]["dice"] for name in ("bert", "emil")) / 2
    )
    left = {path.name for path in run.iterdir()}
    assert left >= {"plan.json", "events.jsonl", "checkpoint.safetensors", "best.safetensors", "weights.safetensors"}
    assert {path.name for path in (run / "validation").iterdir()} == {
        f"step-{step}.{ending}" for step in (0, 4, 8) for ending in ("npz", "png")
    }
    assert not [name for name in left if name.startswith(".")]
    assert read_run(run).state is RunState.FINISHED
    assert get_method("mine").card.parent == "unet-full"


def test_the_log_tells_what_happened_in_its_order(plan: FinetunePlan) -> None:
    finish(finetune(plan))
    log = [event for event in read_events(plan.folder) if event["event"] != "note"]
    assert [event["event"] for event in log] == [
        *("start", "prepared", "zero_shot", "validation"),
        *["step"] * 4, "validation", *["step"] * 4, "validation", "result",
    ]  # fmt: skip
    steps = [event for event in log if event["event"] == "step"]
    assert [event["step"] for event in steps] == list(range(1, 9))
    assert {"loss", "losses", "learning_rate", "seconds", "seconds_left", "memory_bytes"} <= set(steps[0])
    prepared = log[1]
    assert (prepared["total_steps"], prepared["training"]) == (8, ["anna", "carl", "dora", "fred"])
    # The best weights are those with the best score.
    scores = {event["step"]: event["score"] for event in log if event["event"] == "validation"}
    summary = json.loads((plan.folder / "summary.json").read_text())
    assert scores[summary["best_step"]] == max(scores.values())
    # Nothing of this machine is in what may travel.
    assert str(plan.folder.parent) not in (plan.folder / "events.jsonl").read_text()
    assert str(plan.folder.parent) not in (plan.folder / "summary.json").read_text()
    assert str(plan.folder.parent) not in json.dumps(load_weights(plan.folder / "weights.safetensors").about)


def test_weights_tell_their_lineage(plan: FinetunePlan, weights: Path) -> None:
    finish(finetune(plan))
    about = load_weights(plan.folder / "weights.safetensors").about
    lineage: Any = about["lineage"]
    assert about["method"] == lineage["parent"] == "unet-full"
    assert len(lineage["parent_sha256"]) == 64
    assert lineage["subjects"]["validation"] == ["bert", "emil"]
    assert lineage["after"]["segmentation"]["dice"] is not None
    assert lineage["verdict"] in {"better", "worse", "undecided"}


def test_training_sees_no_validation_patient(plan: FinetunePlan, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    recipe_of = type(get_method("unet-full")).recipe

    def watched(method: Any, overrides: Any) -> Recipe:  # noqa: ANN401
        recipe = recipe_of(method, overrides)
        source = type(recipe).source

        def watch(self: Any, subjects: Sequence[Any]) -> Any:  # noqa: ANN401
            seen.extend(subject.name for subject in subjects)
            return source(self, subjects)

        monkeypatch.setattr(type(recipe), "source", watch)
        return recipe

    monkeypatch.setattr(type(get_method("unet-full")), "recipe", watched)
    finish(finetune(replace(plan, validation=(), validation_share=0.4)))
    validated = set(read_plan(plan.folder).validation)
    assert len(validated) == 2
    assert set(seen) == set(NAMES) - validated


def test_without_validation_cases_nothing_is_trained(plan: FinetunePlan, tmp_path: Path) -> None:
    alone = write_database(tmp_path / "alone", ("anna",))
    with pytest.raises(InputError, match=r"the database has 1 patient\(s\) and two are needed"):
        finish(finetune(replace(plan, database=(str(alone),), validation=())))
    assert read_run(plan.folder).state is RunState.FAILED
    assert "step" not in kinds(plan.folder)


def test_validation_cases_without_labels_are_refused(plan: FinetunePlan, tmp_path: Path) -> None:
    folder = write_database(tmp_path / "some")
    for name in ("bert", "emil"):
        (folder / name / "label.nii.gz").unlink()
    with pytest.raises(InputError, match="none of the validation cases has labels"):
        finish(finetune(replace(plan, database=(str(folder),))))


def same_tensors(first: Path, second: Path) -> bool:
    one, other = load_file(first), load_file(second)
    return set(one) == set(other) and all(torch.equal(tensor, other[name]) for name, tensor in one.items())


@pytest.mark.slow
@pytest.mark.parametrize("stops", [(0, 3), (4, 6), (8,)])
def test_a_resumed_run_comes_to_the_same_numbers(stops: tuple[int, ...], plan: FinetunePlan) -> None:
    broken = replace(plan, output=str(plan.folder.with_name("broken")))
    whole = finish(finetune(plan)).summary
    for number, stop in enumerate(stops):
        job = finetune(broken, resume=number > 0)
        do_until(job, lambda stop=stop: "zero_shot" in kinds(broken.folder) and last_step(broken.folder) >= stop)
        job.close()
        assert read_run(broken.folder).state is RunState.STOPPED
    again = finish(finetune(broken, resume=True)).summary
    for name in ("checkpoint.safetensors", "best.safetensors", "weights.safetensors"):
        assert same_tensors(plan.folder / name, broken.folder / name), name
    assert {name: again[name] for name in ("before", "after", "test", "best_step")} == {
        name: whole[name] for name in ("before", "after", "test", "best_step")
    }
    # What was measured before is not measured again.
    assert kinds(broken.folder).count("step") == 8


def test_a_stopped_run_keeps_its_best_weights(plan: FinetunePlan) -> None:
    job = finetune(plan)
    do_until(job, lambda: last_step(plan.folder) == 5)
    request_stop(plan.folder)
    summary = finish(job)
    assert not summary.finished
    assert summary.weights == plan.folder / "weights.safetensors"
    assert same_tensors(plan.folder / "best.safetensors", plan.folder / "weights.safetensors")
    assert kinds(plan.folder)[-1] == "stop"
    record = read_run(plan.folder)
    assert (record.state, record.pid) == (RunState.STOPPED, None)
    # The wish is fulfilled; who resumes means it.
    assert finish(finetune(plan, resume=True)).finished


@pytest.mark.parametrize("phase", ["preparing", "zero-shot"])
def test_a_run_stops_before_it_trains(phase: str, plan: FinetunePlan) -> None:
    job = finetune(plan)
    do_until(job, lambda: read_run(plan.folder).state == phase)
    request_stop(plan.folder)
    assert finish(job) == FinetuneSummary(False, None, {})
    assert read_run(plan.folder).state is RunState.STOPPED
    assert "step" not in kinds(plan.folder)


def test_a_paused_run_waits(plan: FinetunePlan) -> None:
    job = finetune(plan)
    do_until(job, lambda: last_step(plan.folder) == 2)
    request_pause(plan.folder)
    do_until(job, lambda: read_run(plan.folder).state is RunState.PAUSED)
    at = last_step(plan.folder)
    for _ in range(3):
        assert next(job).message == "paused"
    assert last_step(plan.folder) == at
    request_resume(plan.folder)
    assert finish(job).finished
    assert [kind for kind in kinds(plan.folder) if kind in {"pause", "resume"}] == ["pause", "resume"]


def test_a_run_can_be_finished_early(plan: FinetunePlan) -> None:
    job = finetune(plan)
    do_until(job, lambda: last_step(plan.folder) == 2)
    request_finish(plan.folder)
    summary = finish(job)
    assert summary.finished
    assert 2 <= summary.summary["steps"] < 8
    assert any("ended by hand" in note for note in summary.summary["notes"])


def test_a_finished_run_is_not_done_again(plan: FinetunePlan) -> None:
    first = finish(finetune(plan))
    log = (plan.folder / "events.jsonl").read_text()
    again = finish(finetune(plan, resume=True))
    assert again.summary["after"] == first.summary["after"]
    assert (plan.folder / "events.jsonl").read_text() == log
    with pytest.raises(InputError, match="holds a run already"):
        finish(finetune(plan))


def test_two_runs_do_not_write_to_one_place(plan: FinetunePlan) -> None:
    job = finetune(plan)
    do_until(job, lambda: last_step(plan.folder) == 1)
    with pytest.raises(InputError, match="is being written by"):
        finish(finetune(plan, resume=True))
    job.close()


def test_a_broken_subject_is_named_and_left_out(plan: FinetunePlan, tmp_path: Path) -> None:
    folder = write_database(tmp_path / "some")
    for name in ("anna", "emil"):
        path = folder / name / "FLAIR.nii.gz"
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    summary = finish(finetune(replace(plan, database=(str(folder),)))).summary
    assert set(summary["skipped"]) == {"anna", "emil"}
    assert summary["subjects"] == {"training": ["carl", "dora", "fred"], "validation": ["bert"]}
    notes = [event["message"] for event in read_events(plan.folder) if event["event"] == "note"]
    assert all(any(note.startswith(f"left out {name}: ") for note in notes) for name in ("anna", "emil"))


def test_notes_of_labels_are_told_by_the_run(plan: FinetunePlan, tmp_path: Path) -> None:
    folder = write_database(tmp_path / "some")
    path = folder / "carl" / "label.nii.gz"
    labels = read_image(path, "labels")
    write_volume(path, 255 * labels.volume().astype(np.uint8), labels.geometry)
    summary = finish(finetune(replace(plan, database=(str(folder),)))).summary
    assert "carl: the value 255 of label.nii.gz was taken as label 1" in summary["notes"]


def test_a_database_without_one_good_subject_is_refused(plan: FinetunePlan, tmp_path: Path) -> None:
    folder = write_database(tmp_path / "some")
    for path in folder.glob("*/FLAIR.nii.gz"):
        path.write_bytes(path.parent.name.encode())
    with pytest.raises(MrviewerError, match="FLAIR"):
        finish(finetune(replace(plan, database=(str(folder),))))


def test_a_database_that_vanishes_loses_nothing(plan: FinetunePlan, tmp_path: Path) -> None:
    folder = write_database(tmp_path / "some")
    moving = replace(plan, database=(str(folder),))
    job = finetune(moving)
    do_until(job, lambda: last_step(plan.folder) == 2)
    shutil.move(folder, tmp_path / "elsewhere")
    # What is prepared is trained to the end; only the last figures need the studies.
    with pytest.raises(InputError, match="the database 'some' is gone; bring it back and resume"):
        finish(job)
    assert last_step(plan.folder) == 8
    assert read_run(plan.folder).state is RunState.FAILED
    shutil.move(tmp_path / "elsewhere", folder)
    assert finish(finetune(moving, resume=True)).finished
    assert kinds(plan.folder).count("step") == 8


def test_a_missing_database_is_told_from_broken_subjects(plan: FinetunePlan, tmp_path: Path) -> None:
    folder = write_database(tmp_path / "some")
    subjects, _ = split_by_patient(open_database([str(folder)]), ["bert"], 1)
    watch = DatabaseWatch([str(folder)])
    shutil.rmtree(folder)
    with pytest.raises(InputError, match="the database 'some' is gone"):
        finish(prepare(get_method("unet-full").recipe({}), subjects, watch))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        SafetensorError("I/O error: No space left on device (os error 28)"),
    ],
    ids=["system", "library"],
)
def test_a_full_disk_leaves_the_last_checkpoint_whole(
    error: Exception, plan: FinetunePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = finetune(plan)
    do_until(job, lambda: last_step(plan.folder) == 3)
    job.close()
    before = (plan.folder / "checkpoint.safetensors").read_bytes()

    def full(tensors: Any, path: Path, metadata: Any) -> None:  # noqa: ANN401
        path.write_bytes(b"half of it")
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(mrviewer.training.checkpoint, "save_file", full)
        patch.setattr(mrviewer.training.fitting, "_CHECKPOINT_SECONDS", 0.0)
        with pytest.raises(InputError, match="the disk of run run is full; make room and resume"):
            finish(finetune(plan, resume=True))
    assert (plan.folder / "checkpoint.safetensors").read_bytes() == before
    assert read_run(plan.folder).state is RunState.FAILED
    assert "full" in read_run(plan.folder).message
    assert not list(plan.folder.glob(".*"))
    assert finish(finetune(plan, resume=True)).finished


def test_a_batch_that_does_not_fit_is_cut(plan: FinetunePlan, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = type(get_method("unet-full").recipe({}))  # type: ignore[attr-defined]
    losses, sizes = recipe.losses, set()

    def small_memory(self: Any, network: Any, batch: Any, moment: Any) -> Any:  # noqa: ANN401
        if len(batch.image) > 2:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory")
        sizes.add(len(batch.image))
        return losses(self, network, batch, moment)

    monkeypatch.setattr(recipe, "losses", small_memory)
    assert finish(finetune(plan)).finished
    assert sizes == {2}
    [event] = [event for event in read_events(plan.folder) if event["event"] == "memory"]
    assert event["pieces"] == 2
    assert last_step(plan.folder) == 8


def test_an_example_that_does_not_fit_is_told(plan: FinetunePlan, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(self: Any, network: Any, batch: Any, moment: Any) -> Any:  # noqa: ANN401
        raise MemoryError

    monkeypatch.setattr(type(get_method("unet-full").recipe({})), "losses", no_memory)  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="one example does not fit into the memory of cpu; choose smaller crops"):
        finish(finetune(plan))
    assert read_run(plan.folder).state is RunState.FAILED


def test_a_name_that_is_taken_is_refused_before_anything_is_done(plan: FinetunePlan) -> None:
    with pytest.raises(InputError, match="'unet-full' is the name of an installed method"):
        finish(finetune(replace(plan, name="unet-full", add=True)))
    assert not plan.folder.exists()


def test_weights_of_another_architecture_are_refused(plan: FinetunePlan, tmp_path: Path, database: Path) -> None:
    options = {"preset": "tiny", "steps": "1", "batch_size": "1", "crop": "0"}
    from mrviewer.training import cli_train

    other = finish(cli_train("d5c5", [str(database)], tmp_path / "other", "cpu", options))
    with pytest.raises(WeightsError, match=r"weights\.safetensors"):
        finish(finetune(replace(plan, weights=str(other))))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parts": ("tail",)}, "part 'tail' was asked for; this network has all"),
        ({"validation": ("zoe",)}, "'zoe' is to be validated but the database has no such subject"),
        ({"validation": NAMES}, "no patient is left to train on"),
    ],
)
def test_what_cannot_be_done_is_told(change: dict[str, Any], message: str, plan: FinetunePlan) -> None:
    with pytest.raises(MrviewerError, match=message):
        finish(finetune(replace(plan, **change)))
    assert read_run(plan.folder).state is RunState.FAILED


@pytest.mark.parametrize("begin", [lambda plan: finish(finetune(plan)), launch], ids=["here", "in a process"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "zero-filled", "weights": ""}, "method 'zero-filled' has nothing to train"),
        ({"method": "nobody"}, "there is no method 'nobody'"),
        ({"options": {"colour": "red"}}, "colour"),
        ({"options": {"steps": "-5"}}, "steps"),
        ({"options": {"batch_size": "none"}}, "batch_size"),
        ({"options": {"seed": "x"}}, "seed"),
    ],
)
def test_what_is_refused_leaves_no_folder(
    change: dict[str, Any], message: str, begin: Callable[[FinetunePlan], object], plan: FinetunePlan
) -> None:
    with pytest.raises(MrviewerError, match=message):
        begin(replace(plan, **change))
    assert not plan.folder.exists()


def test_parts_that_rest_stay_as_they_are(plan: FinetunePlan, weights: Path) -> None:
    from mrviewer.training.parts import parts_of

    recipe = get_method("unet-full").recipe({"start_from": str(weights)})  # type: ignore[attr-defined]
    part = next(name for name in parts_of(recipe) if name != "all")
    finish(finetune(replace(plan, parts=(part,), options={**plan.options, "learning_rate": "0.1"})))
    before, after = load_file(weights), load_file(plan.folder / "checkpoint.safetensors")
    prefixes = parts_of(recipe)[part]
    changed = {name for name, tensor in before.items() if not torch.equal(tensor.float(), after[f"network/{name}"])}
    assert changed
    assert all(name.startswith(prefixes) for name in changed)


def test_a_method_for_flair_becomes_one_for_another_image(plan: FinetunePlan, tmp_path: Path) -> None:
    folder = write_database(tmp_path / "others", modality="T1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MRVIEWER_MODELS", str(tmp_path / "models"))
        summary = finish(finetune(replace(plan, database=(str(folder),), name="for-t1", add=True))).summary
        assert get_method("for-t1").card.needs.modalities == ("T1",)
    assert summary["before"]["segmentation"]["dice"] is not None
    # It goes on from there.
    again = replace(plan, method="for-t1", weights="", output=str(tmp_path / "again"), database=(str(folder),))
    told = finish(finetune(again)).summary
    assert told["parent"] == "for-t1"
    assert told["before"] == summary["after"]


def test_a_reconstruction_is_judged_by_its_image(plan: FinetunePlan, tmp_path: Path, database: Path) -> None:
    from mrviewer.training import cli_train

    options = {"preset": "tiny", "steps": "1", "batch_size": "1", "precision": "fp32"}
    start = finish(cli_train("d5c5", [str(database)], tmp_path / "d5c5", "cpu", options))
    options = {"steps": "4", "batch_size": "2", "precision": "fp32", "learning_rate": "0.001"}
    told = finish(finetune(replace(plan, method="d5c5", weights=str(start), options=options, validate_every=2))).summary
    assert set(told["test"]) == {"ssim"}
    assert told["before"]["image"]["psnr"] > 10
    assert told["by_lesion"] == []
    metrics = [event["metrics"] for event in read_events(plan.folder) if event["event"] == "validation"]
    assert all(set(one) == {"psnr", "ssim"} for one in metrics)


@pytest.mark.slow
def test_nothing_of_a_run_stays_in_memory(plan: FinetunePlan) -> None:
    def networks() -> set[int]:
        gc.collect()
        return {id(one) for one in gc.get_objects() if type(one).__name__ == "ImageUNet"}

    # What failed in earlier tests may be held by their reports.
    before = networks()
    finish(finetune(plan))
    assert networks() <= before
    job = finetune(replace(plan, output=str(plan.folder.with_name("stopped"))))
    do_until(job, lambda: last_step(plan.folder.with_name("stopped")) == 3)
    job.close()
    del job
    assert networks() <= before


def test_a_folder_that_cannot_be_written_is_told(plan: FinetunePlan, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="folder run cannot be made"):
        finish(finetune(replace(plan, output=str(tmp_path / "file" / "run"))))


def test_a_run_that_was_refused_at_once_can_be_begun_anew(plan: FinetunePlan) -> None:
    with pytest.raises(InputError, match="nonsense"):
        finish(finetune(replace(plan, options={**plan.options, "nonsense": "1"})))
    assert finish(finetune(plan)).finished
    with pytest.raises(InputError, match="holds a run already"):
        finish(finetune(plan))


def test_validation_cases_that_a_parent_was_trained_on_are_told(plan: FinetunePlan, tmp_path: Path) -> None:
    finish(finetune(replace(plan, name="first", add=True)))
    again = {"method": "first", "weights": "", "add": False}
    honest = finish(finetune(replace(plan, output=str(tmp_path / "honest"), **again)))
    assert not [note for note in honest.summary["notes"] if "too good" in note]
    names = ("anna", "bert")
    told = finish(finetune(replace(plan, output=str(tmp_path / "told"), validation=names, **again)))
    [note] = [note for note in told.summary["notes"] if "too good" in note]
    assert note.startswith("1 of 2 validation cases were trained on by first")
    assert note.endswith(": anna")


def test_a_model_keeps_what_its_parent_needs(plan: FinetunePlan, tmp_path: Path) -> None:
    database = write_database(tmp_path / "others", modality="DWI")
    first = replace(plan, database=(str(database),), modality="DWI", name="first", add=True)
    finish(finetune(first))
    second = {"output": str(tmp_path / "second"), "method": "first", "weights": "", "name": "second"}
    finish(finetune(replace(first, **second)))
    assert get_method("first").card.needs.modalities == ("DWI",)
    assert get_method("second").card.needs == get_method("first").card.needs


def test_a_run_goes_on_with_what_it_began_with(
    plan: FinetunePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_database(tmp_path / "some")
    growing = replace(plan, database=(str(folder),))
    job = finetune(growing)
    do_until(job, lambda: last_step(plan.folder) == 3)
    job.close()
    # An update brings other defaults, and the database another patient.
    monkeypatch.setattr(mrviewer.finetuning.resolved_plan, "finetune_defaults", lambda *_: {"learning_rate": "9"})
    write_database(tmp_path / "more", (*NAMES, "gina"))
    (tmp_path / "more" / "gina").rename(folder / "gina")
    summary = finish(finetune(growing, resume=True)).summary
    assert summary["subjects"]["validation"] == ["bert", "emil"]
    assert any("the database is not what it was" in note for note in summary["notes"])
    lineage: Any = load_weights(plan.folder / "weights.safetensors").about["lineage"]
    assert lineage["options"]["learning_rate"] == "0.01"
