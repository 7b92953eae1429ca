"""The contract check must catch what it is there to catch."""

from collections.abc import Generator
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from mrviewer.method import Card, Fit, Measurement, Needs, Result, Task, check_needs
from mrviewer.methods.registry import get_method
from mrviewer.progress import Progress, finish
from mrviewer.study import Study
from mrviewer.testing import check_method, sample_measurement

CARD = Card("good", "Good", (Task.RECONSTRUCT,), Needs(), "doi:10.1002/mrm.1910160203")


@dataclass
class Faulty:
    """Zero-filled, with a fault to choose."""

    fault: str = ""
    card: Card = CARD
    runs: list[int] = field(default_factory=list)

    def fits(self, study: Study, modality: str) -> Fit:
        if self.fault == "reads pixels":
            return Fit(bool(np.asarray(study.images[modality].data).any()))
        return Fit(False) if self.fault == "no reason" else check_needs(self.card, study, modality)

    def run(self, measurement: Measurement, device: str = "cpu") -> Generator[Progress, None, Result]:
        self.runs.append(1)
        image = finish(get_method("zero-filled").run(measurement)).image
        if self.fault == "changes input":
            measurement.kspace[:] *= 2
        if self.fault == "overshoots":
            yield Progress(3, 2)
        if self.fault != "silent":
            yield Progress(1, 1)
        if self.fault == "divides by zero" and not image.any():
            image = image + np.nan
        if self.fault == "no tiny slices" and image.shape[-1] < 16:
            image = image[:, :8]
        if self.fault == "scales by the batch":
            image = image / np.abs(image).max(initial=1)
        if self.fault == "random":
            image = image + np.complex64(len(self.runs))
        if self.fault == "double precision":
            image = image.astype(complex)
        if self.fault == "unnamed class":
            return Result(image=image, segmentation=np.full(image.shape, 2, np.uint8))
        if self.fault == "logits":
            probabilities = np.full((1, *image.shape), 1.5, np.float32)
            return Result(image=image, segmentation=np.zeros(image.shape, np.uint8), probabilities=probabilities)
        return Result() if self.fault == "nothing" else Result(image=image)


def test_a_good_method_passes() -> None:
    check_method(Faulty())


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("reads pixels", "read the pixels"),
        ("no reason", "without a reason"),
        ("changes input", "changed the kspace"),
        ("silent", "must yield at least once"),
        ("overshoots", "counts past the end"),
        ("divides by zero", "not finite"),
        ("no tiny slices", r"image is \(1, 8, 10\) but must be \(1, 12, 10\)"),
        ("random", "another image for the same input"),
        ("scales by the batch", "another image for a slice alone"),
        ("double precision", "image is complex128 but must be complex64"),
        ("nothing", "task reconstruct and output image go together"),
    ],
)
def test_each_fault_is_found(fault: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_method(Faulty(fault))


@pytest.mark.parametrize(
    ("fault", "message"), [("unnamed class", "class 2 has no name"), ("logits", "probabilities lie outside 0 to 1")]
)
def test_each_fault_of_a_segmentation_is_found(fault: str, message: str) -> None:
    card = replace(CARD, tasks=(Task.RECONSTRUCT, Task.SEGMENT), classes=("lesion",))
    with pytest.raises(AssertionError, match=message):
        check_method(Faulty(fault, card))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "Not A Name"}, "lower-case words"),
        ({"title": ""}, "must state title"),
        ({"citation": "Somebody, somewhere"}, "must cite with a DOI"),
        ({"weights": "a.safetensors"}, "weights and trained_on go together"),
        ({"tasks": (Task.SEGMENT,)}, "must name its classes"),
        ({"tasks": (Task.REGRESS,), "regresses": ("area",)}, "declare needs.whole_volume"),
        ({"tasks": (Task.CLASSIFY,), "classifies": ("cyst", "none")}, "declare needs.whole_volume"),
    ],
)
def test_each_gap_of_a_card_is_found(change: dict[str, object], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_method(Faulty(card=replace(CARD, **change)))


def test_measurement_suits_the_method() -> None:
    card = replace(CARD, needs=Needs(modalities=("T2", "T1"), max_coils=1))
    measurement = sample_measurement(Faulty(card=card))
    assert measurement.modality == "T2"
    assert set(measurement.images) == {"T2", "T1"}
    assert measurement.kspace.shape[1] == 1
    assert not measurement.kspace[..., ~measurement.mask.pattern[0]].any()
