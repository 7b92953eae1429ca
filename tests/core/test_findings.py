"""Answers about whole studies beside the truth: what is compared, and what is left out."""

import numpy as np
import pytest

from mrviewer.evaluation.findings import Finding, describe_findings, finding_of, summarise
from mrviewer.geometry import Geometry
from mrviewer.images.dynamic import ENHANCED_PHASES, PHASES
from mrviewer.reconstruction.reconstruct import Reconstruction
from mrviewer.sampling import Mask
from mrviewer.study import Image, Origin, Study

GEOMETRY = Geometry.axial((2, 3, 4), (5.0, 1.0, 1.0))
KINDS = ("cyst", "haemangioma")


def study(diagnosis: str = "cyst") -> Study:
    volumes = {name: np.full((2, 3, 4), level, np.float32) for name, level in zip(PHASES, (1, 3, 2, 1.5), strict=True)}
    images = {name: Image(volume, GEOMETRY, name) for name, volume in volumes.items()}
    return Study("s", images, Image(np.ones((2, 3, 4), np.uint8), GEOMETRY, "labels"), diagnosis=diagnosis)


def run(regression: np.ndarray | None, classes: np.ndarray | None) -> Reconstruction:
    return Reconstruction(
        method="m", modality="arterial", device="cpu", mask=Mask(np.ones((1, 4), bool), "full"),
        origin=Origin.MAGNITUDE, seconds=1.0, image=None, reference=None, segmentation=None, probabilities=None,
        geometry=GEOMETRY, slice_axis=0, regression=regression, classes=classes, regression_names=ENHANCED_PHASES,
        classification_names=KINDS,
    )  # fmt: skip


def test_the_truth_is_measured_through_the_label() -> None:
    finding = finding_of(run(np.float32([1, 2, 3]), np.float32([0.9, 0.1])), study("haemangioma"))
    assert finding.true == pytest.approx([2, 1, 0.5], abs=1e-5)
    assert finding.diagnosis == 1
    assert finding_of(run(None, None), study("")).diagnosis is None
    assert finding_of(run(None, None), study("wart")).diagnosis is None


def test_figures_over_studies() -> None:
    truth = np.float32([2, 1, 0.5])
    answers = [
        Finding(truth + 0.5, truth, np.float32([0.9, 0.1]), 0),
        Finding(2 * truth + 0.5, 2 * truth, np.float32([0.2, 0.8]), 1),
        Finding(3 * truth - 0.5, 3 * truth, np.float32([0.6, 0.4]), 1),
        Finding(None, truth, None, 0),
    ]
    summary = summarise(answers, ENHANCED_PHASES, KINDS)
    assert summary["without_answer"] == 1
    arterial = summary["regression"]["arterial"]  # type: ignore[index]
    assert (arterial["mae"], arterial["n"]) == (pytest.approx(0.5, abs=1e-6), 3)
    classification = summary["classification"]
    assert classification["accuracy"] == pytest.approx(2 / 3)  # type: ignore[index]
    assert classification["classes"]["cyst"]["auc"] == 1  # type: ignore[index]


def test_without_answers_there_are_no_figures() -> None:
    nothing = Finding(None, None, None, None)
    assert summarise([nothing, nothing], ENHANCED_PHASES, KINDS) == {"without_answer": 2}
    # Weights of other classes than the card's are not held against its names.
    other = Finding(None, None, np.float32([0.2, 0.3, 0.5]), 0)
    assert summarise([other], ENHANCED_PHASES, KINDS) == {"without_answer": 1}


def test_what_is_written_of_a_run() -> None:
    told = describe_findings(run(np.float32([1, 2, 3]), np.float32([0.75, 0.25])))
    assert told["regression"]["delayed"] == {"predicted": 3.0, "measured": None}  # type: ignore[index]
    assert told["classes"] == {"cyst": 0.75, "haemangioma": 0.25}
    silent = describe_findings(run(None, None))
    assert silent["classes"] == {"cyst": None, "haemangioma": None}
    assert silent["regression"]["arterial"] == {"predicted": None, "measured": None}  # type: ignore[index]
    assert describe_findings(run(None, np.float32([0.2, 0.3, 0.5])))["classes"] == pytest.approx(
        {"1": 0.2, "2": 0.3, "3": 0.5}
    )
