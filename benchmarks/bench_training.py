"""Training: steps fed from disk against steps on batches that lie in memory, memory by the number of subjects, bf16
against single precision."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import harness
from benchmarks.harness import Row
from mrviewer.database import Subject
from mrviewer.device import is_quick_in_bfloat16
from mrviewer.geometry import Geometry
from mrviewer.methods.registry import get_method
from mrviewer.progress import finish
from mrviewer.study import Image, Study
from mrviewer.training.data.batches import slice_source
from mrviewer.training.data.prefetch import Prefetched
from mrviewer.training.options import TrainingOptions
from mrviewer.training.recipe import Moment, Recipe, Trainable
from mrviewer.training.starting import finetune_defaults

METHODS = ("unet-full", "d5c5", "multiunet")
IN_MEMORY = "batches in memory"
LOADING_TARGET = 1 / 0.9
BF16_TARGET = 1 / 1.6
N_SUBJECTS = (10, 100, 1000)
MEMORY_TARGET = 1.1
ROUNDS = 5
_STATUS = Path("/proc/self/status")
STEPS = 2


def rows() -> Iterator[Row]:
    """What a step waits for its data, what subjects cost in memory, and what bfloat16 gains."""
    with _cache_folder():
        for name in METHODS:
            yield _loading_row(name)
        for name in METHODS[:2]:
            yield _precision_row(name)
    yield from _memory_rows()


def _loading_row(name: str) -> Row:
    recipe = _recipe(name)
    source = finish(recipe.source([_subject(number, (24, 224, 192)) for number in range(6)]))
    ready = [source.batch(step) for step in range(4)]
    with contextlib.closing(Prefetched(source)) as streamed:
        return harness.pair(
            f"step of {name}, data from disk",
            _steps(recipe, streamed.batch),
            _steps(recipe, lambda step: ready[step % len(ready)]),
            peer=IN_MEMORY,
            target=LOADING_TARGET,
            rounds=ROUNDS,
            note=f"{STEPS} steps of {recipe.training.batch_size} examples, shipped size; drawn, augmented and sampled",
        )


def _precision_row(name: str) -> Row:
    title = f"step of {name}, bf16"
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if not is_quick_in_bfloat16(device):
        reason = "this processor has no instructions for bfloat16"
        return harness.skipped(title, peer="fp32", target=BF16_TARGET, reason=reason)
    recipe = _recipe(name)
    source = finish(recipe.source([_subject(number, (24, 224, 192)) for number in range(6)]))
    ready = [source.batch(step).to(device) for step in range(4)]
    ours, theirs = (
        _steps(recipe, lambda step: ready[step % len(ready)], device=device, in_bf16=in_bf16)
        for in_bf16 in (True, False)
    )
    return harness.pair(title, ours, theirs, peer="fp32", target=BF16_TARGET, rounds=ROUNDS, note=f"on {device}")


def _memory_rows() -> Iterator[Row]:
    """Peak memory of a process that prepares so many subjects and draws from all of them."""
    if not _STATUS.is_file():
        reason = "this system does not tell the peak memory of a process"
        yield harness.skipped("peak memory", peer=f"{N_SUBJECTS[0]} subjects", target=MEMORY_TARGET, reason=reason)
        return
    peaks = {number: _peak_of_child(number) for number in N_SUBJECTS}
    base = peaks[N_SUBJECTS[0]]
    for number in N_SUBJECTS[1:]:
        yield Row(
            f"peak memory in MiB, {number:,} subjects",
            f"{N_SUBJECTS[0]} subjects",
            peaks[number],
            base,
            peaks[number] / base,
            MEMORY_TARGET,
            "prepared, then 60 batches of 4 slices, in a fresh process; a subject is 144 KiB on disk",
        )


def measure_memory(number: int) -> None:
    """Print the peak memory of this process in MiB after it has used so many subjects; run by itself."""
    with _cache_folder():
        options = TrainingOptions(batch_size=4)
        source = finish(slice_source(options, [_subject(each, (12, 64, 64)) for each in range(number)]))
        for step in range(60):
            source.batch(step)
    # Not by getrusage, whose peak a process inherits from the one that started it.
    status = dict(line.split(":", 1) for line in _STATUS.read_text(encoding="utf-8").splitlines())
    print(json.dumps(int(status["VmHWM"].split()[0]) / 1024))


def _peak_of_child(number: int) -> float:
    code = f"from benchmarks.bench_training import measure_memory; measure_memory({number})"
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True, cwd=root)
    return float(json.loads(done.stdout))


def _recipe(name: str) -> Recipe:
    method = get_method(name)
    assert isinstance(method, Trainable)
    return method.recipe({**finetune_defaults(method), "batch_size": "2"})


def _steps(
    recipe: Recipe, batch: Callable[[int], Any], *, device: str = "cpu", in_bf16: bool = False
) -> Callable[[], None]:
    """Some steps of training, each on the next batch."""
    network = recipe.network().to(device).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-6)
    numbers = count()

    def run() -> None:
        for _ in range(STEPS):
            step = next(numbers)
            with torch.autocast(device, torch.bfloat16, enabled=in_bf16):
                losses = recipe.losses(network, batch(step), Moment(step, 0.0, 1.0))
            optimiser.zero_grad(set_to_none=True)
            losses.total.backward()
            optimiser.step()
        if device == "cuda":
            torch.cuda.synchronize()

    return run


def _subject(number: int, shape: tuple[int, int, int]) -> Subject:
    return Subject(f"subject-{number}", partial(_study, number, shape), database="benchmark")


def _study(number: int, shape: tuple[int, int, int]) -> Study:
    """A noisy cylinder with a bright spot."""
    rng = np.random.default_rng(number)
    y, x = np.linspace(-1, 1, shape[1])[:, None], np.linspace(-1, 1, shape[2])
    spot = np.hypot(y - 0.2, x + 0.1) < 0.15
    plane = ((np.hypot(y, x) < 0.85) * (0.5 + spot)).astype(np.float32)
    volume = plane * rng.uniform(0.9, 1.1, shape).astype(np.float32)
    geometry = Geometry.axial(shape, (4.0, 1.0, 1.0))
    labels = Image(np.broadcast_to(spot, shape).astype(np.uint8), geometry, "labels")
    return Study(f"subject-{number}", {"FLAIR": Image(volume, geometry, "FLAIR")}, labels)


@contextlib.contextmanager
def _cache_folder() -> Iterator[None]:
    """Keep prepared data in a folder that is removed afterwards."""
    before = os.environ.get("XDG_CACHE_HOME")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ["XDG_CACHE_HOME"]
            else:
                os.environ["XDG_CACHE_HOME"] = before
