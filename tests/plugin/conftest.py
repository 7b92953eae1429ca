"""A small study and methods that do what a test needs: instant, slow, failing, unfit."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from threading import enumerate as threads
from typing import Any

import nibabel
import numpy as np
import pytest
from napari import Viewer
from numpy.typing import NDArray
from shared_window import SharedWindow

from mrviewer.cards.seen import Seen
from mrviewer.geometry import Geometry
from mrviewer.method import Card, Fit, Measurement, Needs, Result, Task
from mrviewer.physics import adjoint
from mrviewer.progress import Progress
from mrviewer.study import Image, Study
from mrviewer_napari.computing import method_choice
from mrviewer_napari.panel import MrPanel

SHAPE = (6, 40, 32)
Wait = Callable[[Callable[[], bool]], None]


@dataclass
class FakeMethod:
    """A method whose steps a test can count, hold back and break."""

    name: str
    tasks: tuple[Task, ...] = (Task.RECONSTRUCT,)
    steps: int = 1
    wait_s: float = 0.0
    error: Exception | None = None
    fit: Fit = field(default_factory=lambda: Fit(True))
    needs: Needs = field(default_factory=Needs)
    classes: tuple[str, ...] = ()
    estimates: int = 0
    used: tuple[str, ...] = ()
    regresses: tuple[str, ...] = ()
    classifies: tuple[str, ...] = ()
    seen: Seen | None = None
    runs: int = 0
    closed: Event = field(default_factory=Event)

    @property
    def card(self) -> Card:
        citation = "Nobody (2026), doi:10.0000/none"
        return Card(
            self.name,
            self.name.title(),
            self.tasks,
            self.needs,
            citation,
            classes=self.classes,
            regresses=self.regresses,
            classifies=self.classifies,
            seen=self.seen,
            is_adjoint=self.name == "zero-filled",
        )

    def fits(self, study: Study, modality: str) -> Fit:
        del study, modality
        return self.fit

    def run(self, measurement: Measurement, device: str = "cpu") -> Generator[Progress, None, Result]:
        del device
        self.runs += 1
        try:
            for step in range(self.steps):
                if self.wait_s:
                    Event().wait(self.wait_s)
                if self.error is not None:
                    raise self.error
                yield Progress(step + 1, self.steps, "step")
        except GeneratorExit:
            self.closed.set()
            raise
        return self._result(measurement)

    def _result(self, measurement: Measurement) -> Result:
        """Zero filling, what is bright in it, and dimmer and dimmer estimates on the way to it."""
        image = adjoint(measurement.kspace, measurement.coil_maps).astype(np.complex64)
        seen = np.abs(image) if self.needs.kspace else measurement.images[measurement.modality]
        bright = (seen > 0.75).astype(np.uint8)
        if len(self.classes) > 1:
            bright[(seen > 0.25) & (bright == 0)] = 2
        parts = [image * np.float32((number + 1) / self.estimates) for number in range(self.estimates)]
        return Result(
            image=image if Task.RECONSTRUCT in self.tasks else None,
            segmentation=bright if Task.SEGMENT in self.tasks else None,
            steps=np.stack(parts) if parts else None,
            step_names=tuple(f"cascade {number + 1}" for number in range(self.estimates)),
            modalities_used=self.used,
            regression=_tenths(len(self.regresses)),
            classes=_tenths(len(self.classifies)),
        )


def _tenths(count: int) -> NDArray[np.float32] | None:
    """0.1, 0.2, ...; nothing for nothing."""
    return np.arange(1, count + 1, dtype=np.float32) / 10 if count else None


def make_study(*, labels: bool = True, name: str = "tiny") -> Study:
    """Ellipse of 0.5 with two bright lesions of 1.0, and a T1 that is its negative; six slices of 3 mm."""
    _, y, x = np.indices(SHAPE)
    head = ((y - 20) / 16) ** 2 + ((x - 16) / 12) ** 2 < 1
    lesions = np.zeros(SHAPE, np.uint8)
    lesions[2:4, 14:19, 10:15] = 1
    lesions[4, 25:28, 18:21] = 1
    flair = np.where(head, 0.5, 0.0).astype(np.float32)
    flair[lesions > 0] = 1.0
    geometry = Geometry.axial(SHAPE, (3.0, 1.0, 1.0))
    images = {"FLAIR": Image(flair, geometry, "FLAIR"), "T1": Image(1 - flair, geometry, "T1")}
    return Study(name, images, Image(lesions, geometry, "labels") if labels else None, notes=("made for a test",))


@pytest.fixture
def study() -> Study:
    return make_study()


@pytest.fixture
def study_folder(tmp_path: Path, study: Study) -> Path:
    """The small study as NIfTI: FLAIR.nii.gz, T1.nii.gz and labels in a folder of their own."""
    folder = tmp_path / "subject"
    folder.mkdir()
    for name, image in study.images.items():
        _save(folder / f"{name}.nii.gz", image)
    (tmp_path / "labels").mkdir()
    assert study.labels is not None
    _save(tmp_path / "labels" / "lesion_mask.nii.gz", study.labels)
    return folder


def _save(path: Path, image: Image) -> None:
    stored = np.ascontiguousarray(image.geometry.to_stored_order(image.volume()))
    nibabel.save(nibabel.Nifti1Image(stored, image.geometry.stored_affine), path)


@pytest.fixture
def methods() -> list[FakeMethod]:
    """One that reconstructs as zero filling does, and one that segments too."""
    return [FakeMethod("zero-filled"), FakeMethod("joint", (Task.RECONSTRUCT, Task.SEGMENT))]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Fail a test that leaves a job running."""
    yield
    assert not [thread for thread in threads() if thread.name == "mrviewer job" and thread.is_alive()]


@pytest.fixture
def eventually(qtbot: object) -> Callable[[Callable[[], bool]], None]:
    """Wait for something, pumping events; long enough for a busy machine."""

    def wait(check: Callable[[], bool]) -> None:
        qtbot.waitUntil(check, timeout=120_000)  # type: ignore[attr-defined]

    return wait


@pytest.fixture(scope="session")
def shared_window(qapp: object) -> Iterator[SharedWindow]:
    """The window that tests take turns with."""
    del qapp
    window = SharedWindow()
    yield window
    window.close()


@pytest.fixture
def make_napari_viewer(shared_window: SharedWindow, make_napari_viewer: Callable[..., Any]) -> Callable[..., Any]:
    """napari's own fixture, for a test that needs a window of its own; never two at once.

    Of two windows in one process vispy deletes what the closed one drew with in the context of the other.
    """
    shared_window.close()
    return make_napari_viewer


@pytest.fixture
def bare_viewer(
    make_napari_viewer: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, fakes: list[FakeMethod]
) -> Viewer:
    """A window without the panel, which will have the methods that `fakes` gives."""
    monkeypatch.setattr(method_choice, "list_methods", lambda: fakes)
    return make_napari_viewer(show=True)


@pytest.fixture
def docked(
    shared_window: SharedWindow,
    monkeypatch: pytest.MonkeyPatch,
    fakes: list[FakeMethod],
    request: pytest.FixtureRequest,
) -> Iterator[tuple[Any, MrPanel]]:
    """A window with the panel and the methods that `fakes` gives; nothing is open, the first two are ticked."""
    monkeypatch.setattr(method_choice, "list_methods", lambda: fakes)
    with shared_window.lent() as (viewer, panel):
        panel.state.device = "cpu"
        panel.state.methods = tuple(fake.name for fake in fakes[:2])
        yield viewer, panel
    outcome = getattr(request.node, "rep_call", None)  # set by a hook of napari
    if outcome is None or outcome.failed:
        shared_window.close()


@pytest.fixture
def opened(docked: tuple[Any, MrPanel], study_folder: Path, eventually: Wait) -> tuple[Any, MrPanel]:
    """The same with the small study and its labels open, and all volumes full."""
    viewer, panel = docked
    panel.open([str(study_folder)])
    eventually(lambda: panel.session.scan is not None)
    panel.session.open_labels(str(study_folder.parent / "labels" / "lesion_mask.nii.gz"))
    eventually(lambda: panel.session.scan.labels is not None and panel.session.is_settled)
    return viewer, panel
