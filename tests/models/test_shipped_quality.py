"""Shipped weights do on a simulated patient what their cards say, so that untrained weights of the right shape fail."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from mrviewer.cards.held_out import HeldOut
from mrviewer.evaluation.conditions import SamplingCondition
from mrviewer.evaluation.measuring import Figures, measure_study, measured_modality
from mrviewer.geometry import Geometry
from mrviewer.method import Method, Task
from mrviewer.methods.registry import get_method, method_names
from mrviewer.methods.weights import Weights, load_weights, save_weights
from mrviewer.phantom import sample_liver_study, sample_study
from mrviewer.phantom.scan import ScannedImage, SimulatedScan
from mrviewer.progress import finish
from mrviewer.study import Image, Study
from mrviewer_models.network_method import NetworkMethod

PART = 0.6
"""Of the card's Dice, and of its gain over zero filling in decibels, that some slices of that patient must reach."""
HEAD, LIVER = "simulated-glioma-5000", "simulated-liver-7000"
SLICES = {False: 3, True: 48}
"""Around the middle of the largest lesion for methods that look at slices, and all for those that look at volumes."""


def trained() -> Iterator[NetworkMethod]:
    """Methods whose weights are shipped and measured on a simulated patient; see ``test_brain_mask`` for that one."""
    for name in method_names():
        method = get_method(name)
        if isinstance(method, NetworkMethod) and method.package.startswith("mrviewer_models.") and name != "brain-mask":
            yield method


METHODS = tuple(trained())
every_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.card.name)


@cache
def patient(count: int) -> Study:
    """A head with a glioma, no more of it than some slices."""
    study = sample_study(5000, disease="glioma")
    assert study.labels is not None
    labels = study.labels.volume()
    if count == len(labels):
        return study
    first = int(np.argmax(np.count_nonzero(labels, axis=(1, 2)))) - count // 2
    kept = slice(first, first + count)
    grid = study.geometry("FLAIR")
    smaller = Geometry.axial((count, *grid.shape[1:]), grid.voxel_size_mm)
    scans: dict[str, SimulatedScan] = {}
    for name, scan in study.raw.items():
        assert isinstance(scan, SimulatedScan)
        scans[name] = replace(scan, magnitude=np.ascontiguousarray(scan.magnitude[kept]))
    images = {name: Image(ScannedImage(scan), smaller, name) for name, scan in scans.items()}
    return replace(study, images=images, labels=Image(labels[kept], smaller, "labels"), raw=scans)


def figures_of(method: Method) -> Figures:
    """What a method gives on its patient, and what zero filling does."""
    is_liver = method.card.answers_for_study
    study = sample_liver_study(7000) if is_liver else patient(SLICES[method.card.needs.whole_volume])
    modality = measured_modality(method, study)
    found = finish(measure_study(method, study, SamplingCondition(), modality=modality, device="cpu")).figures
    if Task.RECONSTRUCT in method.card.tasks:
        plain = finish(measure_study(get_method("zero-filled"), study, SamplingCondition(), modality=modality))
        found["zero_filled_psnr"] = plain.figures["psnr"]
    return found


def told_by(method: Method) -> HeldOut:
    """What the card says of the patient."""
    subject = LIVER if method.card.answers_for_study else HEAD
    told = [case for case in method.card.held_out if case.subject == subject]
    assert told, f"the card of {method.card.name} says nothing of {subject}; run models/measure.py {method.card.name}"
    return told[0]


def shortfalls(found: Figures, told: HeldOut) -> list[str]:
    """In what a method stays below its card."""
    short = []
    if told.figures.get("dice"):
        wanted = PART * told.figures["dice"]
        if (found["dice"] or 0) < wanted:
            short.append(f"Dice {found['dice']}, at least {wanted:.3f} was expected")
    if "zero_filled_psnr" in told.figures:
        wanted = PART * (told.figures["psnr"] - told.figures["zero_filled_psnr"])
        gain = (found["psnr"] or 0) - (found["zero_filled_psnr"] or 0)
        if gain < wanted:
            short.append(f"gains {gain:.2f} dB over zero filling, at least {wanted:.2f} was expected")
    return short


def redrawn(path: Path, folder: Path) -> Path:
    """Weights of the same shapes that learned nothing."""
    weights = load_weights(path)
    generator = torch.Generator().manual_seed(0)
    fresh = {
        name: torch.nn.init.kaiming_normal_(torch.empty(tensor.shape), generator=generator).to(tensor.dtype)
        if tensor.is_floating_point() and tensor.ndim > 1
        else tensor
        for name, tensor in weights.tensors.items()
    }
    save_weights(folder / "weights.safetensors", Weights(fresh, weights.about))
    return folder / "weights.safetensors"


@every_method
def test_shipped_weights_do_what_their_card_says(method: NetworkMethod) -> None:
    assert shortfalls(figures_of(method), told_by(method)) == []


@every_method
def test_untrained_weights_do_not(method: NetworkMethod, tmp_path: Path) -> None:
    untrained = method.with_weights(redrawn(method.weights_file, tmp_path))
    assert shortfalls(figures_of(untrained), told_by(method)) != []


@every_method
def test_figures_are_of_the_weights_that_are_shipped(method: NetworkMethod) -> None:
    shipped = hashlib.sha256(method.weights_file.read_bytes()).hexdigest()
    for case in method.card.held_out:
        assert shipped.startswith(case.weights), f"{case.subject}: run models/measure.py {method.card.name} again"


@every_method
def test_a_card_can_be_held_to_something(method: NetworkMethod) -> None:
    told = told_by(method).figures
    gain = told.get("psnr", 0) - told.get("zero_filled_psnr", 0)
    assert told.get("dice", 0) > 0.1 or gain > 1
