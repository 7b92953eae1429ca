"""How late the event loop of a window is while somebody scrolls, and a run that can be let go and held."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["endless_run", "hold", "let_go", "longest_stall"]

_TICK_MS = 10
_SCROLL_MS = 50
_PATIENTS = 4
_SHAPE = (12, 128, 128)
_PATIENCE_S = 600.0


def longest_stall(scroll: Callable[[], object], seconds: float) -> float:
    """Milliseconds by which the latest tick of a timer was late while `scroll` was called twenty times a second."""
    from qtpy.QtCore import QTimer
    from qtpy.QtWidgets import QApplication

    late, last = 0.0, time.perf_counter()

    def tick() -> None:
        nonlocal late, last
        now = time.perf_counter()
        late, last = max(late, 1000 * (now - last) - _TICK_MS), now

    clock, wheel = QTimer(), QTimer()
    clock.timeout.connect(tick)
    wheel.timeout.connect(scroll)
    clock.start(_TICK_MS)
    wheel.start(_SCROLL_MS)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        QApplication.processEvents()
        time.sleep(0.0005)
    clock.stop()
    wheel.stop()
    return late


@contextmanager
def endless_run(folder: Path) -> Iterator[Any]:
    """A run of `unet-full` that trains until it is stopped."""
    from mrviewer.finetuning import FinetunePlan, RunState, launch, read_run, request_stop

    plan = FinetunePlan(
        "unet-full",
        (str(_database(folder / "patients")),),
        str(folder / "runs" / "endless"),
        validation=("patient-0",),
        options={"steps": "1000000", "batch_size": "1"},
        validate_every=1000000,
        device="cpu",
        add=False,
    )
    run = launch(plan)
    try:
        _wait(lambda: read_run(run.path).state is RunState.TRAINING and read_run(run.path).step > 0, run.path)
        yield run.path
    finally:
        request_stop(run.path)
        _wait(lambda: not read_run(run.path).state.is_active, None)


def hold(run: Path) -> None:
    """Have a run wait, so that it takes no time from anybody."""
    from mrviewer.finetuning import RunState, read_run, request_pause

    request_pause(run)
    _wait(lambda: read_run(run).state is RunState.PAUSED, run)


def let_go(run: Path) -> None:
    """Have a run train."""
    from mrviewer.finetuning import RunState, read_run, request_resume

    request_resume(run)
    _wait(lambda: read_run(run).state is RunState.TRAINING, run)


def _wait(check: Callable[[], bool], run: Path | None) -> None:
    from mrviewer.finetuning import read_run

    end = time.monotonic() + _PATIENCE_S
    while not check():
        if time.monotonic() > end or (run is not None and not read_run(run).state.is_active):
            raise RuntimeError("the run did not get so far: " + ("" if run is None else read_run(run).message))
        time.sleep(0.05)


def _database(folder: Path) -> Path:
    """Discs with a bright square, a folder a patient."""
    from mrviewer.geometry import Geometry
    from mrviewer.writers.nifti import write_volume

    geometry = Geometry.axial(_SHAPE, (4.0, 1.0, 1.0))
    y, x = np.linspace(-1, 1, _SHAPE[1])[:, None], np.linspace(-1, 1, _SHAPE[2])
    for number in range(_PATIENTS):
        image = np.broadcast_to(50.0 * (np.hypot(y, x) < 0.9), _SHAPE).astype(np.float32)
        labels = np.zeros(_SHAPE, np.uint8)
        labels[2:-2, 40 + 4 * number : 60 + 4 * number, 50:70] = 1
        image[labels > 0] = 100
        place = folder / f"patient-{number}"
        place.mkdir(parents=True)
        write_volume(place / "FLAIR.nii.gz", image, geometry)
        write_volume(place / "label.nii.gz", labels, geometry)
    return folder
