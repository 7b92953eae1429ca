"""Coils and raw data in the viewer: what each coil sees, masks that were acquired, errors that cannot be known."""

from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import ismrmrd
import numpy as np
import pytest
from conftest import FakeMethod
from numpy.typing import NDArray
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, Qt

from mrviewer.coils import ring_coil_maps
from mrviewer.method import Task
from mrviewer.physics import fft2c
from mrviewer.progress import finish
from mrviewer.readers import open_study
from mrviewer_napari.facts.scan import Scan
from mrviewer_napari.facts.tile_texts import NO_ERROR_MAP
from mrviewer_napari.opening.load_scan import load_scan
from mrviewer_napari.panel import MrPanel
from mrviewer_napari.sections.coils.coil_pictures import CoilPictureKind, DrawingArea, coil_facts, look_at_coils

Wait = Callable[[Callable[[], bool]], None]
Click = Qt.MouseButton.LeftButton
N_SLICES, N_COILS, HEIGHT, WIDTH = 3, 4, 40, 32


def write_kspace(path: Path, pattern: NDArray[np.bool_] | None = None) -> Path:
    """An ellipse that grows from slice to slice, seen by four coils, as fastMRI stores it."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    radius = np.hypot((y - HEIGHT / 2) / (0.4 * HEIGHT), (x - WIDTH / 2) / (0.35 * WIDTH))
    maps = ring_coil_maps((HEIGHT, WIDTH), N_COILS)
    images = np.stack([(radius < 0.6 + 0.2 * number) * maps for number in range(N_SLICES)])
    kspace = fft2c(images).astype(np.complex64)
    with h5py.File(path, "w") as file:
        file["kspace"] = kspace if pattern is None else kspace * pattern
    return path


def write_ismrmrd(path: Path, kspace: NDArray[np.complex64]) -> Path:
    """K-space ``(slice, coil, y, x)`` as readouts of variable length."""
    sizes = f"<matrixSize><x>{WIDTH}</x><y>{HEIGHT}</y><z>1</z></matrixSize>"
    space = f"{sizes}<fieldOfView_mm><x>{WIDTH}</x><y>{HEIGHT}</y><z>5</z></fieldOfView_mm>"
    encoding = f"<encodedSpace>{space}</encodedSpace><reconSpace>{space}</reconSpace>"
    dataset = ismrmrd.Dataset(str(path), "dataset", create_if_needed=True)
    dataset.write_xml_header(f"<ismrmrdHeader><encoding>{encoding}</encoding></ismrmrdHeader>".encode())
    for number, plane in enumerate(kspace):
        for step in range(HEIGHT):
            readout = ismrmrd.Acquisition.from_array(np.ascontiguousarray(plane[:, step]))
            readout.idx.slice, readout.idx.kspace_encode_step_1 = number, step
            readout.center_sample = WIDTH // 2
            readout.slice_dir[:], readout.position[:] = (0, 0, 1), (0, 0, 5.0 * number)
            dataset.append_acquisition(readout)
    dataset.close()
    return path


def acquired_pattern() -> NDArray[np.bool_]:
    """A full centre, and a third of the other samples."""
    pattern = np.random.default_rng(0).random((HEIGHT, WIDTH)) < 0.33
    pattern[HEIGHT // 2 - 6 : HEIGHT // 2 + 6, WIDTH // 2 - 6 : WIDTH // 2 + 6] = True
    return pattern


def scan_of(path: Path) -> Scan:
    work: Generator[Any, None, Scan] = load_scan(open_study(str(path)))
    return finish(work)


def test_pictures_are_those_of_the_coils(tmp_path: Path) -> None:
    scan = scan_of(write_kspace(tmp_path / "FLAIR.h5"))
    pictures = finish(look_at_coils(scan.raw, 1))
    assert pictures.index == 1
    assert {stack.shape for stack in pictures.pixels.values()} == {(N_COILS, HEIGHT, WIDTH, 3)}
    maps = np.abs(ring_coil_maps((HEIGHT, WIDTH), N_COILS))
    inside = (slice(HEIGHT // 2 - 8, HEIGHT // 2 + 8), slice(WIDTH // 2 - 6, WIDTH // 2 + 6))
    for seen, known in zip(pictures.pixels[CoilPictureKind.IMAGE], maps, strict=True):
        correlation = np.corrcoef(seen[(*inside, 0)].ravel(), known[inside].ravel())[0, 1]
        assert correlation > 0.99
    assert not pictures.pixels[CoilPictureKind.MAP][:, 0, 0].any(), "air has no sensitivity"
    assert pictures.pixels[CoilPictureKind.IMAGE_PHASE].max() > 200


def test_phases_that_differ_by_a_turn_look_alike() -> None:
    from mrviewer_napari.sections.coils.coil_pictures import _hue

    angles = np.linspace(-np.pi, np.pi, 60)[None, None]
    colours = _hue(np.exp(1j * angles))[0, 0].astype(int)
    np.testing.assert_array_equal(colours[0], colours[-1])
    red = _hue(np.ones((1, 1, 1), np.complex64))[0, 0, 0]
    assert red[0] == 255
    assert red[0] > max(red[1:])


@pytest.mark.parametrize("count", [1, 4, 8, 16, 32])
@pytest.mark.parametrize("size", [(900, 200), (200, 900), (400, 400)])
def test_pictures_fit_and_no_other_columns_are_better(count: int, size: tuple[int, int]) -> None:
    room = DrawingArea(*size, aspect=0.8)
    columns = room.columns(count)
    edge, rows = room.edge(count, columns), -(-count // columns)
    assert edge * 0.8 * columns <= size[0] + 1e-9
    assert edge * rows <= size[1] + 1e-9
    assert edge == max(room.edge(count, other) for other in range(1, count + 1))


def test_facts_tell_of_coils_noise_and_compression(tmp_path: Path) -> None:
    facts = " ".join(coil_facts(scan_of(write_kspace(tmp_path / "FLAIR.h5"))))
    assert facts.startswith("4 coils, all of them used: none are compressed.")
    assert "Noise is not whitened" in facts


@pytest.mark.gl
class TestWindow:
    """The same in a window."""

    @pytest.fixture
    def fakes(self) -> list[FakeMethod]:
        return [FakeMethod("zero-filled"), FakeMethod("joint", (Task.RECONSTRUCT, Task.SEGMENT))]

    def open(self, docked: tuple[Any, MrPanel], path: Path, eventually: Wait) -> MrPanel:
        _, panel = docked
        panel.open([str(path)])
        eventually(lambda: panel.session.scan is not None and panel.session.is_settled)
        return panel

    def test_the_dock_follows_the_slice_and_costs_nothing_when_closed(
        self, docked: tuple[Any, MrPanel], tmp_path: Path, qtbot: QtBot, eventually: Wait
    ) -> None:
        panel = self.open(docked, write_kspace(tmp_path / "FLAIR.h5"), eventually)
        button = panel.view.coils
        assert button.isVisible()
        qtbot.mouseClick(button, Click)
        view = button.coils
        assert view is not None
        eventually(lambda: not view.busy and not view.canvas.is_empty)
        assert view.title.text() == "Slice 2 of 3"
        panel.grid.show_slice(0)
        eventually(lambda: not view.busy and view.title.text() == "Slice 1 of 3")
        box = view.boxes[CoilPictureKind.MAP_PHASE]
        qtbot.mouseClick(box, Click, pos=QPoint(8, box.height() // 2))
        assert view.canvas.kinds == (CoilPictureKind.IMAGE, CoilPictureKind.MAP, CoilPictureKind.MAP_PHASE)
        view.parentWidget().close()
        assert view.canvas.is_empty
        panel.grid.show_slice(2)
        qtbot.wait(50)
        assert not view.busy
        assert view.canvas.is_empty

    def test_coils_are_looked_at_while_methods_run_on_readouts(
        self, docked: tuple[Any, MrPanel], tmp_path: Path, qtbot: QtBot, eventually: Wait
    ) -> None:
        with h5py.File(write_kspace(tmp_path / "stack.h5")) as file:
            kspace = file["kspace"][:]
        panel = self.open(docked, write_ismrmrd(tmp_path / "FLAIR.h5", kspace), eventually)
        qtbot.mouseClick(panel.view.coils, Click)
        view = panel.view.coils.coils
        assert view is not None
        for turn in range(8):
            panel.state.mask = replace(panel.state.mask, seed=turn)
            panel.grid.show_slice(turn % N_SLICES)
            qtbot.wait(60)
        eventually(lambda: panel.session.is_settled and not view.busy and not view.canvas.is_empty)
        assert view.title.text() == f"Slice {7 % N_SLICES + 1} of {N_SLICES}"
        assert panel.session.outcomes[0].assessment.image is not None

    def test_a_scan_of_one_coil_has_no_such_button(self, opened: tuple[Any, MrPanel]) -> None:
        assert not opened[1].view.coils.isVisible()

    def test_what_was_acquired_is_the_mask_and_there_is_no_error(
        self, docked: tuple[Any, MrPanel], study_folder: Path, tmp_path: Path, eventually: Wait
    ) -> None:
        pattern = acquired_pattern()
        panel = self.open(docked, write_kspace(tmp_path / "FLAIR.h5", pattern), eventually)
        sampling, session = panel.sampling, panel.session
        np.testing.assert_array_equal(session.mask.pattern, pattern)
        assert not any(box.isEnabled() for box in (sampling.family, sampling.slider, sampling.acceleration))
        assert not sampling.seed.isVisible()
        assert "acquired undersampled" in sampling.description.text()
        assert sampling.family.currentText() == ""
        assert sampling.acceleration.value() == pytest.approx(pattern.size / pattern.sum(), abs=0.05)
        assert not sampling.pattern.pixmap().isNull()
        assert panel.grid.keys == ("zero-filled", "joint"), "no reference and no error map"
        assert NO_ERROR_MAP in panel.grid._canvas.texts["joint"]
        assert session.outcomes[0].assessment.image is None
        panel.open([str(study_folder)])
        eventually(lambda: session.scan.study.name == "subject" and session.is_settled)
        assert sampling.family.isEnabled()
        assert sampling.seed.isVisible()
        assert sampling.acceleration.value() == panel.state.mask.acceleration

    def test_full_raw_data_have_errors(self, docked: tuple[Any, MrPanel], tmp_path: Path, eventually: Wait) -> None:
        panel = self.open(docked, write_kspace(tmp_path / "FLAIR.h5"), eventually)
        assert panel.grid.keys == ("reference", "zero-filled", "joint", "zero-filled:error", "joint:error")
        assert panel.session.outcomes[0].assessment.image is not None
