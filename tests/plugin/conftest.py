"""A small study and methods that do what a test needs: instant, slow, failing, unfit."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from threading import enumerate as threads

import nibabel
import numpy as np
import pytest

from mrviewer.geometry import Geometry
from mrviewer.method import Card, Fit, Measurement, Needs, Result, Task
from mrviewer.physics import adjoint
from mrviewer.progress import Progress
from mrviewer.study import Image, Study

SHAPE = (6, 40, 32)


@dataclass
class FakeMethod:
    """A method whose steps a test can count, hold back and break."""

    name: str
    tasks: tuple[Task, ...] = (Task.RECONSTRUCT,)
    steps: int = 1
    wait_s: float = 0.0
    error: Exception | None = None
    fit: Fit = field(default_factory=lambda: Fit(True))
    runs: int = 0
    closed: Event = field(default_factory=Event)

    @property
    def card(self) -> Card:
        return Card(self.name, self.name.title(), self.tasks, Needs(), "Nobody (2026), doi:10.0000/none")

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
        image = adjoint(measurement.kspace, measurement.coil_maps)
        bright = np.abs(image) > 0.75
        return Result(
            image=image.astype(np.complex64) if Task.RECONSTRUCT in self.tasks else None,
            segmentation=bright.astype(np.uint8) if Task.SEGMENT in self.tasks else None,
        )


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
