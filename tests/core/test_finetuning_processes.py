"""Runs in processes of their own: started, stopped, killed, taken up again, and spread over several."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import torch
from finetuning_cases import make_plan
from safetensors.torch import load_file

from mrviewer.errors import InputError
from mrviewer.finetuning import (
    FinetunePlan,
    RunRecord,
    RunState,
    launch,
    read_events,
    read_run,
    request_stop,
    write_plan,
)

PATIENCE = 240.0

pytestmark = pytest.mark.slow


@pytest.fixture
def plan(tmp_path: Path, database: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> FinetunePlan:
    monkeypatch.setenv("MRVIEWER_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return make_plan(tmp_path / "run", database, weights)


@pytest.fixture
def endless(plan: FinetunePlan) -> Iterator[FinetunePlan]:
    """A run that does not come to its end by itself; its process does not outlive the test."""
    long = make_plan(plan.folder, Path(plan.database[0]), Path(plan.weights), options={"steps": "100000"})
    yield long
    record = read_run(plan.folder)
    if record.pid is not None:
        psutil.Process(record.pid).kill()


def wait_for(is_so: Callable[[], object], seconds: float = PATIENCE) -> float:
    """Wait until something is so; how long it took."""
    begun = time.monotonic()
    while not is_so():
        assert time.monotonic() - begun < seconds
        time.sleep(0.05)
    return time.monotonic() - begun


def steps_of(run: Path) -> list[int]:
    return [event["step"] for event in read_events(run) if event["event"] == "step"]


def launch_and_train(plan: FinetunePlan) -> RunRecord:
    """Start a run and wait until it has made some steps."""
    record = launch(plan)
    wait_for(lambda: len(steps_of(plan.folder)) > 2)
    return record


def test_a_launched_run_is_its_own_process_and_stops_when_asked(endless: FinetunePlan) -> None:
    record = launch(endless)
    run = endless.folder
    assert record.state is RunState.PREPARING
    assert record.pid not in (None, os.getpid())
    process = psutil.Process(record.pid)
    # It belongs to no terminal and no viewer.
    assert os.getsid(process.pid) != os.getsid(0)
    with pytest.raises(InputError, match=r"is being written by process|holds a run already"):
        launch(endless)
    wait_for(lambda: len(steps_of(run)) > 2)
    assert read_run(run).state is RunState.TRAINING
    with pytest.raises(InputError, match=f"is being written by process {process.pid}"):
        launch(endless, resume=True)
    request_stop(run)
    wait_for(lambda: read_run(run).state is RunState.STOPPED)
    wait_for(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)
    assert (run / "weights.safetensors").is_file()
    # Within a second of the wish, also in the middle of a step; a crowded machine is granted some of its time.
    assert read_events(run)[-1]["time"] - (run / "control.json").stat().st_mtime < 3.0


def test_a_killed_run_is_seen_and_taken_up_again(endless: FinetunePlan) -> None:
    run = endless.folder
    record = launch_and_train(endless)
    os.kill(record.pid or 0, signal.SIGKILL)
    wait_for(lambda: read_run(run).state is RunState.INTERRUPTED)
    assert "resume" in read_run(run).message
    again = launch(endless, resume=True)
    assert again.pid != record.pid
    n_steps = len(steps_of(run))
    wait_for(lambda: len(steps_of(run)) > n_steps)
    assert read_run(run).state is RunState.TRAINING


def test_a_run_that_is_told_to_end_leaves_a_checkpoint(endless: FinetunePlan) -> None:
    run = endless.folder
    record = launch_and_train(endless)
    os.kill(record.pid or 0, signal.SIGTERM)
    wait_for(lambda: read_run(run).state is RunState.STOPPED)
    assert (run / "checkpoint.safetensors").is_file()
    assert read_events(run)[-1]["event"] == "stop"


def test_what_a_child_refuses_stands_in_its_state(plan: FinetunePlan) -> None:
    launch(make_plan(plan.folder, Path("nowhere"), Path(plan.weights)))
    wait_for(lambda: not read_run(plan.folder).state.is_active)
    record = read_run(plan.folder)
    assert record.state is RunState.FAILED
    assert "nowhere" in record.message
    assert "Traceback" not in (plan.folder / "output.log").read_text()


def spread(plan: FinetunePlan, *, processes: int, before: str = "") -> subprocess.CompletedProcess[str]:
    """Carry out a plan under torchrun."""
    write_plan(plan)
    program = plan.folder.with_name("program.py")
    program.write_text(f"{before}\nimport sys\nfrom mrviewer.__main__ import main\nsys.exit(main())\n")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    return subprocess.run(
        [*command, str(program), "finetune", "--plan", str(plan.folder / "plan.json")],
        capture_output=True, text=True, check=False, timeout=2 * PATIENCE,
    )  # fmt: skip


def test_two_processes_come_to_the_result_of_one(plan: FinetunePlan) -> None:
    alone = make_plan(plan.folder.with_name("alone"), Path(plan.database[0]), Path(plan.weights), **MEANS)
    both = make_plan(plan.folder.with_name("both"), Path(plan.database[0]), Path(plan.weights), **MEANS)
    for each, processes in ((alone, 1), (both, 2)):
        done = spread(each, processes=processes)
        assert done.returncode == 0, done.stderr
    one, other = (load_file(each.folder / "checkpoint.safetensors") for each in (alone, both))
    start = load_file(Path(plan.weights))
    moved = max(float((one[f"network/{name}"] - tensor.float()).abs().max()) for name, tensor in start.items())
    assert moved > 1e-3
    for name, tensor in one.items():
        if name.startswith("network/"):
            # Sums of single precision in another order; Adam divides them by their own size.
            assert torch.allclose(tensor, other[name], rtol=1e-3, atol=moved * 1e-3), name
    assert len(steps_of(both.folder)) == len(steps_of(alone.folder)) == 8
    first, second = (json.loads((each.folder / "summary.json").read_text()) for each in (alone, both))
    assert first["subjects"] == second["subjects"]
    assert first["before"] == second["before"]
    assert set(first["by_subject"]) == set(second["by_subject"]) == {"bert", "emil"}


# Means over examples: a Dice of the whole batch is not the mean of those of its halves.
MEANS = {"options": {"loss_seg": "ce"}}


def test_a_process_that_fails_ends_the_others(plan: FinetunePlan) -> None:
    breaks = (
        "import os\nimport mrviewer.training.fitting as fitting\n"
        "take_step = fitting.Fitting.take_step\n"
        "def broken(self):\n"
        "    if os.environ['RANK'] == '1' and self.step == 2:\n"
        "        raise OSError('the disk of this machine is gone')\n"
        "    return take_step(self)\n"
        "fitting.Fitting.take_step = broken"
    )
    done = spread(plan, processes=2, before=breaks)
    assert done.returncode != 0
    assert "mrviewer met an error that it does not know (OSError)" in done.stderr
    assert len(steps_of(plan.folder)) == 2
    record = read_run(plan.folder)
    assert (record.state.is_active, record.pid) == (False, None)
