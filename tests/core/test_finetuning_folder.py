"""The folder of a run: its plan, lock, state, wishes, event log and verdict, without any training."""

import csv
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrviewer.errors import InputError
from mrviewer.files.run_lock import HOLDER, hold_lock, read_holder
from mrviewer.finetuning import (
    EventReader,
    FinetunePlan,
    RunState,
    list_runs,
    read_events,
    read_plan,
    read_run,
    request_pause,
    request_stop,
    write_curves,
    write_plan,
)
from mrviewer.finetuning.phases.improvement import compare, judge
from mrviewer.finetuning.run_folder.events import EventLog
from mrviewer.finetuning.run_folder.file_names import CONTROL, EVENTS, OUTPUT, STATE
from mrviewer.finetuning.run_folder.record import StateFile
from mrviewer.finetuning.run_folder.requests import RunRequest, read_request
from mrviewer.finetuning.run_folder.resuming import require_right_folder, resumed_plan


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    write_plan(FinetunePlan("d5c5", ("patients",), str(folder), options={"steps": "3"}, validation=("anna",)))
    return folder


def test_a_plan_is_read_as_it_was_written(run: Path) -> None:
    plan = FinetunePlan(
        "d5c5", ("a", "b"), str(run), mapping={"label": "x"}, parts=("head",), epochs=2.5, options={"crop": "8"}
    )
    write_plan(plan)
    assert read_plan(run) == plan
    assert FinetunePlan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


def test_a_moved_run_is_where_its_folder_is(run: Path) -> None:
    moved = run.rename(run.with_name("moved"))
    assert read_plan(moved).folder == moved


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"database": ()}, "no database was given"),
        ({"parts": ()}, "nothing is to be trained"),
        ({"validation_share": 1.0}, "the validation share is 1"),
        ({"validation_share": 0.0}, "the validation share is 0"),
        ({"epochs": 0.0}, "epochs is 0; give a number above 0"),
        ({"epochs": float("nan")}, "epochs is nan; give a number above 0"),
        ({"epochs": float("inf")}, "epochs is inf; give a number above 0"),
        ({"acceleration": 0.5}, "acceleration is 0.5; give a number of 1 or more"),
        ({"acceleration": float("nan")}, "acceleration is nan; give a number of 1 or more"),
        ({"validate_every": -1}, "a validation every -1 steps was asked for; give 0 or more"),
    ],
)
def test_a_plan_that_cannot_be_meant_is_refused(change: dict[str, object], message: str, tmp_path: Path) -> None:
    values = {"method": "d5c5", "database": ("patients",), "output": str(tmp_path / "run"), **change}
    with pytest.raises(InputError, match=message):
        write_plan(FinetunePlan.from_json(values))
    assert not (tmp_path / "run").exists()


def test_a_damaged_plan_is_told(run: Path) -> None:
    (run / "plan.json").write_text("{")
    with pytest.raises(InputError, match=r"plan\.json cannot be read .*; write the plan anew"):
        read_plan(run)
    (run / "plan.json").write_text("{}")
    with pytest.raises(InputError, match=r"the plan \(plan\.json\) lacks method"):
        read_plan(run)
    with pytest.raises(InputError, match="holds no plan"):
        read_plan(run.parent)


def test_only_one_process_writes_a_run(run: Path) -> None:
    code = (
        "import sys, pathlib\nfrom mrviewer.files.run_lock import hold_lock\n"
        "with hold_lock(pathlib.Path(sys.argv[1])): pass"
    )
    with hold_lock(run):
        assert read_holder(run) is not None
        other = subprocess.run([sys.executable, "-c", code, str(run)], capture_output=True, text=True, check=False)
        assert other.returncode != 0
        assert f"run run is being written by process {os.getpid()}" in other.stderr
    assert read_holder(run) is None
    assert subprocess.run([sys.executable, "-c", code, str(run)], check=False).returncode == 0


@pytest.mark.parametrize("change", [{"pid": 2**22 + 1}, {"started": 1.0}, {"host": "elsewhere"}])
def test_the_lock_of_a_process_that_is_gone_is_taken_over(change: dict[str, object], run: Path) -> None:
    mine = {"pid": os.getppid(), "started": psutil.Process(os.getppid()).create_time(), "host": socket.gethostname()}
    (run / HOLDER).write_text(json.dumps(mine))
    with pytest.raises(InputError, match="is being written by process"), hold_lock(run):
        pass
    (run / HOLDER).write_text(json.dumps(mine | change))
    assert read_holder(run) is None
    with hold_lock(run):
        holder = read_holder(run)
        assert holder is not None
        assert holder.pid == os.getpid()


def test_the_lock_of_another_machine_holds_while_its_run_moves(run: Path) -> None:
    (run / HOLDER).write_text(json.dumps({"pid": 1, "started": 1.0, "host": "elsewhere"}))
    StateFile(run).update(state="training")
    with pytest.raises(InputError, match="is being written by process 1 on elsewhere"), hold_lock(run):
        pass
    os.utime(run / STATE, (1.0, 1.0))
    with hold_lock(run):
        pass


def test_a_run_without_a_process_was_interrupted(run: Path) -> None:
    StateFile(run).update(state="training", step=4, total_steps=9)
    record = read_run(run)
    assert (record.state, record.step, record.total_steps, record.pid) == (RunState.INTERRUPTED, 4, 9, None)
    assert "resume" in record.message
    (run / OUTPUT).write_text("something\nmrviewer: its last words\n\n")
    assert read_run(run).message == "its last words"
    with hold_lock(run):
        assert (read_run(run).state, read_run(run).pid) == (RunState.TRAINING, os.getpid())
    StateFile(run).update(state="finished")
    assert read_run(run).state is RunState.FINISHED


def test_states_are_written_over_longer_ones(run: Path) -> None:
    state = StateFile(run)
    state.update(state="failed", message="x" * 9000)
    assert len(read_run(run).message) == 500
    state.update(message="short")
    assert read_run(run).message == "short"


def test_a_state_can_be_written_on_a_full_disk(run: Path) -> None:
    state = StateFile(run)
    state.update(state="training")
    size = (run / STATE).stat().st_size
    state.update(state="failed", message="the disk is full")
    # It takes no more room than before.
    assert (run / STATE).stat().st_size == size


def test_runs_are_listed_the_latest_first(tmp_path: Path) -> None:
    for number, name in enumerate(("a", "b", "c")):
        write_plan(FinetunePlan("d5c5", ("patients",), str(tmp_path / name)))
        StateFile(tmp_path / name).update(started=float(number), state="stopped")
    (tmp_path / "c" / "plan.json").write_text("[]")
    (tmp_path / "empty").mkdir()
    assert [record.path.name for record in list_runs(tmp_path)] == ["b", "a"]
    assert list_runs(tmp_path / "nowhere") == []


def test_wishes_are_read(run: Path) -> None:
    assert read_request(run) is RunRequest.RUN
    request_pause(run)
    assert read_request(run) is RunRequest.PAUSE
    (run / CONTROL).write_text('{"wish": "st')
    assert read_request(run) is RunRequest.RUN
    with pytest.raises(InputError, match="holds no fine-tuning run"):
        request_stop(run.parent)


def test_a_log_is_read_while_it_grows(run: Path) -> None:
    reader = EventReader(run)
    assert reader.new() == []
    with EventLog(run) as log:
        log.write("start")
        assert [event["event"] for event in reader.new()] == ["start"]
        log.write("step", step=1, loss=0.5)
        with (run / EVENTS).open("a") as file:
            file.write('{"event": "st')
        assert [event["event"] for event in reader.new()] == ["step"]
        assert reader.new() == []
        with (run / EVENTS).open("a") as file:
            file.write('ep", "step": 2}\nno json\n')
        assert [event["step"] for event in reader.new()] == [2]
    assert [event["event"] for event in read_events(run)] == ["start", "step", "step"]


def test_nothing_that_is_no_number_stands_in_the_log(run: Path) -> None:
    with EventLog(run) as log, pytest.raises(ValueError, match="not JSON compliant"):
        log.write("step", loss=float("nan"))


def test_curves_become_a_table(run: Path) -> None:
    with EventLog(run) as log:
        log.write("validation", step=0, metrics={"dice": 0.1}, score=0.1)
        log.write("step", step=1, loss=9.0, losses={"dice": 0.9})
        log.write("step", step=1, loss=2.0, losses={"dice": 0.8})
        log.write("note", message="of no interest")
        log.write("validation", step=1, metrics={"dice": 0.7}, score=0.7)
    path = run / "curves.csv"
    write_curves(run, path)
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [(row["event"], row["step"]) for row in rows] == [("validation", "0"), ("step", "1"), ("validation", "1")]
    assert [row["metrics.dice"] for row in rows] == ["0.1", "", "0.7"]
    # A step that was done twice counts once, as it was done last.
    assert (rows[1]["loss"], rows[1]["losses.dice"]) == ("2.0", "0.8")


def test_a_run_is_neither_continued_nor_lost_by_accident(run: Path) -> None:
    with pytest.raises(InputError, match="holds no run that could go on"):
        require_right_folder(run.parent / "other", resume=True)
    require_right_folder(run, resume=False)
    (run / EVENTS).touch()
    with pytest.raises(InputError, match="holds a run already; add --resume"):
        require_right_folder(run, resume=False)
    require_right_folder(run, resume=True)
    with pytest.raises(InputError, match="is a file; give a folder"):
        require_right_folder(run / EVENTS, resume=False)


def test_a_run_goes_on_only_as_it_was_begun(run: Path) -> None:
    plan = read_plan(run)
    assert resumed_plan(plan) == plan
    other = FinetunePlan.from_json({**plan.to_json(), "options": {"steps": "4"}})
    with pytest.raises(InputError, match="was started with another options"):
        resumed_plan(other)
    with pytest.raises(InputError, match="was started with other validation cases"):
        resumed_plan(FinetunePlan.from_json({**plan.to_json(), "validation": ["bert"]}))
    # Without a word about them, the cases are those of the run.
    assert resumed_plan(FinetunePlan.from_json({**plan.to_json(), "validation": []})).validation == ("anna",)


def test_a_paired_test_needs_six_subjects() -> None:
    few, many = [0.1] * 5, [0.1 + 0.01 * number for number in range(6)]
    assert compare("dice", few, [0.2] * 5).p is None
    better = compare("dice", many, [value + 0.1 + value**2 for value in many])
    # The smallest that six pairs can reach.
    assert better.p == pytest.approx(2 / 2**6)
    assert (better.verdict, better.n_better, better.n_worse) == ("better", 6, 0)


@pytest.mark.parametrize("change", [[0.1] * 3, [-0.1] * 3, [0.1, -0.2, 0.1], [0.0, 0.1, 0.1], [0.1], [-0.1] * 5])
def test_few_subjects_decide_nothing(change: list[float]) -> None:
    before = [0.3 + 0.1 * number for number in range(len(change))]
    told = compare("dice", before, [a + b for a, b in zip(before, change, strict=True)])
    assert (told.verdict, told.p) == ("undecided", None)


@settings(deadline=None)
@given(st.integers(1, 12), st.integers(0, 12), st.floats(-0.3, 0.3))
def test_a_verdict_and_too_few_cases_are_never_said_together(n_dice: int, n_ssim: int, change: float) -> None:
    names = [f"case {number}" for number in range(max(n_dice, n_ssim))]
    before = {
        name: _figures(0.5 if at < n_dice else None, 0.5 if at < n_ssim else None) for at, name in enumerate(names)
    }
    after = {
        name: {group: {key: None if value is None else value + change for key, value in figures.items()}
               for group, figures in of.items()}
        for name, of in before.items()
    }  # fmt: skip
    told = judge(before, after)
    is_tested = any(one["p"] is not None for one in told["test"].values())
    assert is_tested or told["verdict"] == "undecided"
    if "too few" in told["sentence"]:
        assert "better" not in told["sentence"].lower()
        assert "worse" not in told["sentence"].lower()


def test_swapping_before_and_after_swaps_the_verdict() -> None:
    rng = np.random.default_rng(0)
    before, after = rng.uniform(0, 1, 12).tolist(), rng.uniform(0.5, 1.5, 12).tolist()
    there, back = compare("dice", before, after), compare("dice", after, before)
    assert (there.verdict, back.verdict) == ("better", "worse")
    assert there.p == back.p


def _figures(dice: float | None, ssim: float | None) -> dict[str, dict[str, float | None]]:
    return {"segmentation": {"dice": dice}, "image": {"ssim": ssim}}


def test_a_model_that_got_worse_is_said_to_be_worse() -> None:
    names = [f"case {number}" for number in range(8)]
    before = {name: _figures(0.5 + 0.01 * number, None) for number, name in enumerate(names)}
    after = {name: _figures(0.3 + 0.02 * number, None) for number, name in enumerate(names)}
    told = judge(before, after)
    assert told["verdict"] == "worse"
    assert told["sentence"].startswith("Worse than before on the validation cases. Dice 0.535 before, 0.370 after")
    assert told["test"]["dice"]["n_worse"] == 8


def test_figures_that_disagree_are_undecided() -> None:
    before = {name: _figures(0.5, 0.8) for name in "abc"}
    told = judge(before, {name: _figures(0.7, 0.6) for name in "abc"})
    assert told["verdict"] == "undecided"
    assert told["sentence"] == (
        "Undecided: 3 validation cases are too few for a test, which needs 6. Dice 0.500 before, 0.700 after; it rose "
        "in 3 and fell in 0 of 3 (not tested). SSIM 0.800 before, 0.600 after; it rose in 0 and fell in 3 of 3 "
        "(not tested)."
    )
    nothing = judge({"a": _figures(None, None)}, {"a": _figures(None, None)})
    assert (nothing["verdict"], nothing["test"]) == ("undecided", {})
