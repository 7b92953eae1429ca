"""The viewer: a live update of four tiles against a bare repaint of them, our window against an empty one, and the
event loop while a run trains on the same processor against the same while the run waits."""

import itertools
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import harness, stalls
from benchmarks.harness import Row
from benchmarks.samples import Sample, sample

TILES = 4
CANVAS = (1200, 900)
REPAINT = "repaint unchanged"
EMPTY = "empty napari"
LIVE_TARGET = 1.3
WINDOW_TARGET = 1.3
WINDOW_ROUNDS = 3
IDLE = "the same, run paused"
STALL_TARGET = 2.0
STALL_ROUNDS = 5
STALL_SECONDS = 4.0

_EMPTY_WINDOW = """
import napari, numpy
viewer = napari.Viewer(show=True)
viewer.add_image(numpy.zeros((8, 8), "f4"), contrast_limits=(0, 1))
viewer.screenshot(flash=False)
"""
_OUR_WINDOW = """
from mrviewer_napari.app import build
viewer, panel = build()
viewer.add_image(__import__("numpy").zeros((8, 8), "f4"), contrast_limits=(0, 1))
viewer.screenshot(flash=False)
"""


def rows() -> Iterator[Row]:
    """Update four tiles while a slider moves; open the window."""
    live, window = f"live update of {TILES} tiles, drawn", "window up, first image drawn"
    stall = "longest stall of the event loop, a run training"
    has_screen = sys.platform != "linux" or os.environ.get("DISPLAY")
    reason = harness.missing("napari") or ("" if has_screen else "no screen; run under xvfb-run")
    if reason:
        yield harness.skipped(live, peer=REPAINT, target=LIVE_TARGET, reason=reason)
        yield harness.skipped(window, peer=EMPTY, target=WINDOW_TARGET, reason=reason)
        yield harness.skipped(stall, peer=IDLE, target=STALL_TARGET, reason=reason)
        return
    yield _live_row(live, sample())
    yield harness.pair(
        window,
        lambda: _run(_OUR_WINDOW),
        lambda: _run(_EMPTY_WINDOW),
        peer=EMPTY,
        target=WINDOW_TARGET,
        rounds=WINDOW_ROUNDS,
        note="two fresh processes in turns, from start to end",
    )
    yield _stall_row(stall, sample())


def _live_row(name: str, data: Sample) -> Row:
    """Write a new slice and a new title into every tile, then draw; against drawing the same tiles unchanged."""
    import napari

    from mrviewer_napari.facts.tile_key import TileKind, TileSpec
    from mrviewer_napari.tiles.tile_grid import TileGrid

    viewer = napari.Viewer(show=True)
    try:
        repaint = _painter(viewer)
        grid = TileGrid(viewer)
        keys = [f"method-{number}" for number in range(TILES)]
        grid.arrange(data.geometry, [TileSpec(key, key, TileKind.IMAGE) for key in keys], slice_axis=0)
        for key in keys:
            grid.set_volume(key, data.flair)
        index = grid.current_slice()
        planes = [data.flair[index] * np.float32(factor) for factor in (0.9, 1.0)]
        counter = itertools.count()

        def update() -> None:
            number = next(counter)
            for key in keys:
                grid.set_slice(key, index, planes[number % 2])
                grid.set_text(key, f"{key}\n{30 + number % 10} dB")
            repaint()

        note = f"{data.source}, canvas {CANVAS[0]} x {CANVAS[1]}; a new slice and new figures in every tile"
        return harness.pair(name, update, repaint, peer=REPAINT, target=LIVE_TARGET, rounds=25, note=note)
    finally:
        viewer.close()


def _stall_row(name: str, data: Sample) -> Row:
    """Scroll through tiles beside the curves of a run that trains, and beside the same run while it waits."""
    import napari

    from mrviewer_napari.facts.tile_key import TileKind, TileSpec
    from mrviewer_napari.sections.finetune.facts.run_manager import RunManager
    from mrviewer_napari.sections.finetune.run_view import RunView
    from mrviewer_napari.tiles.tile_grid import TileGrid

    viewer = napari.Viewer(show=True)
    with tempfile.TemporaryDirectory() as folder, stalls.endless_run(Path(folder)) as run:
        manager = RunManager(run.parent)
        try:
            viewer.window.add_dock_widget(RunView(manager), name="run")
            grid = TileGrid(viewer)
            keys = [f"method-{number}" for number in range(TILES)]
            grid.arrange(data.geometry, [TileSpec(key, key, TileKind.IMAGE) for key in keys], slice_axis=0)
            for key in keys:
                grid.set_volume(key, data.flair)
            places = itertools.cycle(range(len(data.flair)))
            times = []
            for _ in range(STALL_ROUNDS + 1):
                stalls.let_go(run)
                training = stalls.longest_stall(lambda: grid.show_slice(next(places)), STALL_SECONDS)
                stalls.hold(run)
                times.append((training, stalls.longest_stall(lambda: grid.show_slice(next(places)), STALL_SECONDS)))
            times = times[1:]  # in the first round everything is drawn for the first time
        finally:
            manager.close(10.0)
            viewer.close()
    note = f"{STALL_SECONDS:g} s of scrolling {TILES} tiles in each round; stalls, not times, in ms"
    ratio = statistics.median(ours / theirs for ours, theirs in times)
    ours, theirs = (statistics.median(column) for column in zip(*times, strict=True))
    return Row(name, IDLE, ours, theirs, ratio, STALL_TARGET, note)


def _painter(viewer: Any) -> Callable[[], object]:  # noqa: ANN401
    """Make a function that draws the canvas once, at a size of its own."""
    from qtpy.QtWidgets import QApplication

    native = viewer.window._qt_viewer.canvas.native
    native.setFixedSize(*CANVAS)
    application = QApplication.instance()

    def paint() -> None:
        native.update()  # joins with what the layers asked for: one draw
        application.processEvents()
        application.processEvents()  # what the first round put off belongs to this update, not to the next

    paint()
    return paint


def _run(program: str) -> None:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment, capture_output=True)
