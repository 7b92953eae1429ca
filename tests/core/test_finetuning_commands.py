"""`mrviewer finetune` and `mrviewer runs`: what they parse, print and refuse. What a run does is tested elsewhere."""

import json
import os
import signal
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

import mrviewer.finetuning.engine
from mrviewer import cli
from mrviewer.files.run_lock import hold_lock
from mrviewer.finetuning import FinetunePlan, FinetuneSummary, read_run, write_plan
from mrviewer.finetuning.run_folder.events import EventLog
from mrviewer.finetuning.run_folder.record import StateFile
from mrviewer.finetuning.run_folder.requests import RunRequest, read_request
from mrviewer.progress import Progress

SIDES = {"image": {"psnr": None}, "segmentation": {"dice": 0.25}}
SUMMARY: dict[str, Any] = {
    "method": "mine",
    "before": SIDES,
    "after": {**SIDES, "segmentation": {"dice": 0.75}},
    "subjects": {"training": ["a"], "validation": ["b"]},
    "by_lesion": [{"before": {"status": "missed"}, "after": {"status": "found"}}],
    "sentence": "Better than before on the validation cases.",
    "verdict": "better",
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[FinetunePlan, dict[str, Any]]]:
    """Plans that would be carried out, and how."""
    seen: list[tuple[FinetunePlan, dict[str, Any]]] = []

    def fake(plan: FinetunePlan, **how: Any) -> Generator[Progress, None, FinetuneSummary]:  # noqa: ANN401
        seen.append((plan, how))
        yield Progress(1, 1)
        return FinetuneSummary(True, plan.folder / "weights.safetensors", SUMMARY, "mine")

    monkeypatch.setattr(mrviewer.finetuning.engine, "run_plan", fake)
    return seen


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    write_plan(FinetunePlan("d5c5", ("patients",), str(folder)))
    StateFile(folder).update(state="training", step=3, total_steps=9, best=0.5)
    return folder


def test_options_become_a_plan(
    asked: list[tuple[FinetunePlan, dict[str, Any]]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mapping = tmp_path / "mapping.json"
    mapping.write_text('{"modalities": {"0": "T1"}, "label": "labels", "label_values": {"1": 1, "2": 1}}')
    options = ["--method", "multiunet", "--database", "a", "--database", "b", "--output", str(tmp_path / "run")]
    options += ["--epochs", "3", "--mapping", str(mapping), "--validation", "anna", "--validation", "bert"]
    options += ["--parts", "head", "--set", "crop=8", "--name", "mine", "--no-add", "--device", "cpu", "--json"]
    assert cli.main(["finetune", *options]) == 0
    [(plan, how)] = asked
    assert plan == FinetunePlan(
        "multiunet", ("a", "b"), str(tmp_path / "run"), mapping=plan.mapping, validation=("anna", "bert"),
        parts=("head",), epochs=3.0, options={"crop": "8"}, name="mine", device="cpu", add=False,
    )  # fmt: skip
    assert plan.mapping is not None
    assert plan.mapping["label_values"] == {"1": 1, "2": 1}
    assert how["resume"] is False
    printed = capsys.readouterr()
    answer = json.loads(printed.out)
    assert (answer["finished"], answer["model"], answer["after"]["segmentation"]) == (True, "mine", {"dice": 0.75})
    assert "0.25" in printed.err
    assert "0 of 1 lesions found before, 1 after" in printed.err


def test_a_run_is_resumed_from_its_folder_alone(asked: list[tuple[FinetunePlan, dict[str, Any]]], run: Path) -> None:
    assert cli.main(["finetune", "--output", str(run), "--resume", "--device", "cpu"]) == 0
    [(plan, how)] = asked
    assert (plan.method, plan.folder, plan.device, how["resume"]) == ("d5c5", run, "cpu", True)


@pytest.mark.parametrize(
    "options", [[], ["--method", "d5c5"], ["--method", "d5c5", "--database", "a"], ["--database", "a", "--output", "b"]]
)
def test_what_is_missing_is_wrong_usage(options: list[str], asked: list[object]) -> None:
    assert cli.main(["finetune", *options]) == 2
    assert asked == []


def test_a_mapping_that_cannot_be_read_is_refused(
    asked: list[object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mapping.json").write_text("{")
    options = ["--method", "d5c5", "--database", "a", "--output", str(tmp_path / "run")]
    assert cli.main(["finetune", *options, "--mapping", str(tmp_path / "mapping.json")]) == 1
    assert "mapping.json cannot be read" in capsys.readouterr().err
    assert asked == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_run_at_its_next_step(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fake(
        plan: FinetunePlan, *, is_interrupted: Callable[[], bool], **how: object
    ) -> Generator[Progress, None, FinetuneSummary]:
        del plan, how
        while not is_interrupted():
            yield Progress(0, 1)
            os.kill(os.getpid(), number)
        return FinetuneSummary(False, None, {})

    monkeypatch.setattr(mrviewer.finetuning.engine, "run_plan", fake)
    before = signal.getsignal(number)
    assert cli.main(["finetune", "--method", "d5c5", "--database", "a", "--output", str(tmp_path / "run")]) == 130
    assert "stopped; go on with --resume" in capsys.readouterr().err
    assert signal.getsignal(number) is before


def test_runs_are_listed(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["runs", str(run.parent), "--json"]) == 0
    [told] = json.loads(capsys.readouterr().out)
    assert (told["run"], told["state"], told["step"], told["total_steps"]) == ("run", "interrupted", 3, 9)
    assert cli.main(["runs", str(run.parent)]) == 0
    assert "3 of 9" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("action", "wish"),
    [("pause", RunRequest.PAUSE), ("stop", RunRequest.STOP), ("finish", RunRequest.FINISH), ("resume", RunRequest.RUN)],
)
def test_a_run_that_works_is_steered(action: str, wish: RunRequest, run: Path) -> None:
    with hold_lock(run):
        assert cli.main(["runs", action, str(run)]) == 0
    assert read_request(run) is wish


def test_a_run_that_does_not_work_cannot_be_paused(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["runs", "pause", str(run)]) == 1
    assert "run run is interrupted, and nothing works on it" in capsys.readouterr().err
    assert read_run(run).state == "interrupted"
    assert cli.main(["runs", "pause", str(run.parent)]) == 1
    assert "holds no plan.json" in capsys.readouterr().err
    assert cli.main(["runs", "dance", str(run)]) == 1
    assert "runs cannot 'dance'; choose one of" in capsys.readouterr().err


def test_curves_are_written_as_a_table(run: Path, tmp_path: Path) -> None:
    with EventLog(run) as log:
        log.write("step", step=1, loss=0.5)
    assert cli.main(["runs", "csv", str(run)]) == 0
    assert (run / "curves.csv").read_text().splitlines()[0].startswith("event,time,step,loss")
    assert cli.main(["runs", "csv", str(run), "--output", str(tmp_path / "mine.csv")]) == 0
    assert (tmp_path / "mine.csv").is_file()
