"""One process in the folder of a run, whatever clocks say; and the processes of `mrviewer train` that are ended."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from finetuning_cases import write_database
from safetensors import safe_open

from mrviewer import cli
from mrviewer.errors import InputError
from mrviewer.files.lines import open_lines
from mrviewer.files.run_lock import HOLDER, hold_lock, read_holder, reserve_lock
from mrviewer.finetuning import FinetunePlan, RunState, read_run, write_plan
from mrviewer.finetuning.run_folder.file_names import OUTPUT
from mrviewer.finetuning.run_folder.record import StateFile
from mrviewer.system.interruption import caught_signals

PATIENCE = 240.0
OPTIONS = {"preset": "tiny", "batch_size": "2", "crop": "0", "precision": "fp32", "hold_out": "emil", "threads": "1"}

HOLDS = """
import pathlib, sys, time
from mrviewer.files.run_lock import hold_lock
with hold_lock(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    write_plan(FinetunePlan("d5c5", ("patients",), str(folder)))
    return folder


@pytest.fixture
def holder(run: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock of a run."""
    with subprocess.Popen([sys.executable, "-c", HOLDS, str(run)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_lock_leaves_nothing_behind(run: Path) -> None:
    before = sorted(run.iterdir())
    with hold_lock(run):
        pass
    assert sorted(run.iterdir()) == before


@pytest.mark.parametrize("seconds", [-86_400.0, -3.0, 3.0, 86_400.0])
def test_a_clock_that_is_set_kills_no_run(
    seconds: float, holder: subprocess.Popen[str], run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Linux computes when a process was started from the clock of now; others move the start of the machine instead.
    told = json.loads((run / HOLDER).read_text())
    for times in ({"started": seconds}, {"uptime": seconds}, {"started": seconds, "uptime": 2 * seconds}):
        (run / HOLDER).write_text(json.dumps({**told, **{name: told[name] + by for name, by in times.items()}}))
        alive = read_holder(run)
        assert alive is not None
        assert alive.pid == holder.pid
        with pytest.raises(InputError, match=f"is being written by process {holder.pid}"), hold_lock(run):
            pass
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert read_holder(run) is not None


def test_a_run_of_another_machine_is_held_against_the_clock_of_its_disk(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run / HOLDER).write_text(json.dumps({"pid": 1, "started": 1.0, "host": "elsewhere"}))
    StateFile(run).update(state="training")
    wrong = time.time() + 86_400
    monkeypatch.setattr(time, "time", lambda: wrong)
    assert read_holder(run) is not None


def test_a_killed_holder_holds_nothing(holder: subprocess.Popen[str], run: Path) -> None:
    assert read_holder(run) is not None
    holder.kill()
    holder.wait()
    assert read_holder(run) is None
    with hold_lock(run):
        pass


def test_a_process_that_is_being_started_has_the_lock_already(run: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        with reserve_lock(run) as make_lock_of:
            make_lock_of(child.pid)
        with pytest.raises(InputError, match=f"is being written by process {child.pid}"), hold_lock(run):
            pass
        child.communicate(b"\n")
    with hold_lock(run):
        pass


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"pid": "x"}', '{"pid": 1e999, "started": 1, "host": ""}', "[" * 9999]
)
def test_a_damaged_holder_holds_nothing(text: str, run: Path) -> None:
    (run / HOLDER).write_text(text)
    assert read_holder(run) is None
    with hold_lock(run):
        assert read_holder(run) is not None


def test_a_killed_run_says_what_to_do_and_not_what_a_library_said(run: Path) -> None:
    StateFile(run).update(state="training")
    for said in ("", "[W1] NNPACK.cpp: could not initialise\n", "Killed\n", "Traceback\nRuntimeError: x\n"):
        (run / OUTPUT).write_text(said)
        record = read_run(run)
        assert record.state is RunState.INTERRUPTED
        assert record.message.startswith("its process was ended")
        assert "resume" in record.message
    (run / OUTPUT).write_text("noise\nmrviewer: the database is gone; give another one\n")
    assert read_run(run).message == "the database is gone; give another one"


def test_a_line_that_was_cut_takes_no_other_with_it(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_bytes(b'{"step": 1}\n{"ste')
    for step in (2, 3):
        with open_lines(tmp_path / "events.jsonl") as file:
            file.write(json.dumps({"step": step}) + "\n")
    assert (tmp_path / "events.jsonl").read_text().splitlines() == [
        '{"step": 1}',
        '{"ste',
        '{"step": 2}',
        '{"step": 3}',
    ]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGXCPU"])
def test_a_signal_is_noted_and_what_was_ignored_stays_so(name: str) -> None:
    number = signal.Signals[name]
    before = signal.getsignal(number)
    with caught_signals() as came:
        for _ in range(3):
            os.kill(os.getpid(), number)
        assert came()
    assert signal.getsignal(number) is before
    signal.signal(number, signal.SIG_IGN)
    try:
        with caught_signals() as came:
            os.kill(os.getpid(), number)
            assert not came()
    finally:
        signal.signal(number, before)


def test_a_second_interrupt_ends_at_once() -> None:
    with pytest.raises(KeyboardInterrupt), caught_signals() as came:  # noqa: PT012 - the signals are the point
        os.kill(os.getpid(), signal.SIGINT)
        assert came()
        os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_database(tmp_path_factory.mktemp("data") / "patients", ("anna", "bert", "emil"))


def arguments(database: Path, run: Path, **options: str) -> list[str]:
    settings = [f"--set={name}={value}" for name, value in {**OPTIONS, "steps": "100000", **options}.items()]
    return ["train", "unet-full", "--database", str(database), "--output", str(run), "--device", "cpu", *settings]


def wait_for(is_so: Callable[[], object]) -> None:
    begun = time.monotonic()
    while not is_so():
        assert time.monotonic() - begun < PATIENCE
        time.sleep(0.05)


def n_lines(run: Path) -> int:
    path = run / "events.jsonl"
    return len(path.read_text().splitlines()) if path.exists() else 0


def step_of(run: Path) -> int:
    with safe_open(run / "checkpoint.safetensors", framework="pt") as file:
        return int(file.metadata()["step"])


def start(command: list[str]) -> "subprocess.Popen[str]":
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment)


@pytest.mark.slow
def test_two_trainings_do_not_share_a_folder_and_a_signal_leaves_a_checkpoint(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    for number in (signal.SIGTERM, signal.SIGHUP):
        resumed = ["--resume"] if n_lines(run) else []
        n_before = n_lines(run)
        with start([sys.executable, "-m", "mrviewer", *arguments(database, run), *resumed]) as process:
            wait_for(lambda: n_lines(run) > n_before + 2)  # noqa: B023 - called here
            assert cli.main([*arguments(database, run), "--resume"]) == 1
            assert f"is being written by process {process.pid}" in capsys.readouterr().err
            process.send_signal(number)
            said = process.communicate(timeout=PATIENCE)[1]
        assert process.returncode == 130
        assert "stopped; go on with --resume" in said
        assert "Traceback" not in said
        assert step_of(run) == n_lines(run)
        assert not (run / HOLDER).exists()


@pytest.mark.slow
def test_torchrun_that_is_ended_leaves_a_checkpoint(database: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    with start([*torchrun, "-m", "mrviewer", *arguments(database, run)]) as process:
        wait_for(lambda: n_lines(run) > 2)
        # As a cluster does: to torchrun and to those that it started.
        for each in (*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)):
            each.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=PATIENCE)[1]
    assert step_of(run) == n_lines(run), said


def test_a_step_that_was_broken_off_in_the_middle_is_not_kept(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    step = torch.optim.Adam.step
    calls: list[object] = []

    def broken(self: torch.optim.Adam, *values: object) -> object:
        calls.append(self)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return step(self, *values)

    monkeypatch.setattr(torch.optim.Adam, "step", broken)
    run = tmp_path / "run"
    assert cli.main(arguments(database, run, steps="5")) == 130
    assert not (run / "checkpoint.safetensors").exists()


def test_holders_are_of_this_machine(run: Path) -> None:
    with hold_lock(run):
        holder = read_holder(run)
    assert holder is not None
    assert (holder.pid, holder.host) == (os.getpid(), socket.gethostname())
