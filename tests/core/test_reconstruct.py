"""What a run over a study keeps of its slices, and the methods that it refuses."""

from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np
import pytest

from mrviewer.errors import DoesNotFitError
from mrviewer.geometry import Geometry
from mrviewer.method import Card, Fit, Measurement, Needs, Result, Task
from mrviewer.progress import Progress, finish
from mrviewer.reconstruction.acquisition import MagnitudeRawData
from mrviewer.reconstruction.reconstruct import Reconstruction, reconstruct
from mrviewer.sampling import make_mask
from mrviewer.study import Image, Study

SHAPE = (4, 16, 16)


@dataclass
class Summing:
    """Tells the sum of what it is given, and of a bright slice that it also looked at T1."""

    needs: Needs
    tasks: tuple[Task, ...] = (Task.SEGMENT, Task.REGRESS)
    runs: list[int] = field(default_factory=list)

    @property
    def card(self) -> Card:
        regresses = ("sum",) if Task.REGRESS in self.tasks else ()
        classifies = ("a", "b") if Task.CLASSIFY in self.tasks else ()
        citation = "doi:10.1002/mrm.1910160203"
        return Card(
            "summing", "Summing", self.tasks, self.needs, citation,
            classes=("lesion",), regresses=regresses, classifies=classifies,
        )  # fmt: skip

    def fits(self, study: Study, modality: str) -> Fit:
        del study, modality
        return Fit(True)

    def run(self, measurement: Measurement, device: str = "cpu") -> Generator[Progress, None, Result]:
        del device
        image = measurement.images[measurement.modality]
        yield Progress(1, 1)
        self.runs.append(len(image))
        used = ("FLAIR", "T1") if image.max() > 2 else ("FLAIR",)
        total = np.asarray([image.sum()], np.float32) if Task.REGRESS in self.tasks else None
        return Result(segmentation=(image > 3).astype(np.uint8), regression=total, modalities_used=used)


def study() -> Study:
    """Slices of 1, 2, 3 and 4."""
    levels = np.arange(1, 5, dtype=np.float32)[:, None, None]
    geometry = Geometry.axial(SHAPE, (5.0, 1.0, 1.0))
    return Study("steps", {"FLAIR": Image(np.broadcast_to(levels, SHAPE).copy(), geometry, "FLAIR")})


def run(method: Summing, start: int) -> Reconstruction:
    mask = make_mask("full", SHAPE[1:])
    return finish(reconstruct(study(), method, mask, device="cpu", start=start))


@pytest.mark.parametrize("task", [Task.REGRESS, Task.CLASSIFY])
def test_an_answer_about_the_study_may_not_come_from_parts_of_it(task: Task) -> None:
    method = Summing(Needs(kspace=False), (Task.SEGMENT, task))
    with pytest.raises(DoesNotFitError, match=r"does not declare needs\.whole_volume.*report it to its author"):
        run(method, 0)
    assert not method.runs


@pytest.mark.parametrize("start", [0, 1, 3])
def test_an_answer_about_the_study_is_that_of_all_slices(start: int) -> None:
    made = run(Summing(Needs(kspace=False, whole_volume=True)), start)
    assert made.regression is not None
    assert made.regression[0] == 256 * (1 + 2 + 3 + 4)


@pytest.mark.parametrize("start", [0, 1, 3])
def test_images_that_any_slice_looked_at_are_told(start: int) -> None:
    made = run(Summing(Needs(kspace=False), (Task.SEGMENT,)), start)
    assert set(made.modalities_used) == {"FLAIR", "T1"}


def test_no_kspace_is_made_for_a_method_that_works_on_images(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: MagnitudeRawData, index: int) -> np.ndarray:
        raise AssertionError("k-space was computed for a method that does not look at it")

    monkeypatch.setattr(MagnitudeRawData, "kspace", refuse)
    monkeypatch.setattr(MagnitudeRawData, "coil_maps", refuse)
    made = run(Summing(Needs(kspace=False), (Task.SEGMENT,)), 0)
    assert made.segmentation is not None
    assert made.segmentation.sum() == 256
