"""The U-Net on fully sampled images: sizes, weights, and that it learns."""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_runs import fresh_network, full_measurement, learn

from mrviewer.errors import InputError, UnknownNameError, WeightsError
from mrviewer.methods.weights import Weights, save_weights
from mrviewer.progress import finish
from mrviewer.training.data.batches import Batch
from mrviewer.training.recipe import Moment
from mrviewer_models.blocks.unet import UNetShape
from mrviewer_models.d5c5.network import D5C5Shape
from mrviewer_models.unet_full.calibration import Calibration
from mrviewer_models.unet_full.inference import infer_volume, load
from mrviewer_models.unet_full.network import PRESETS, ImageUNet
from mrviewer_models.unet_full.recipe import recipe


def spotted(n_slices: int = 2, size: tuple[int, int] = (32, 24)) -> tuple[torch.Tensor, torch.Tensor]:
    """Grey discs with bright spots, and where the spots are."""
    y, x = np.linspace(-1, 1, size[0])[:, None], np.linspace(-1, 1, size[1])
    rng = np.random.default_rng(0)
    spots = np.stack([np.hypot(y - a, x - b) < 0.25 for a, b in rng.uniform(-0.4, 0.4, (n_slices, 2))])
    disc = (np.hypot(y, x) < 0.9) * 1.0
    images = (disc * (1 + spots) + 0.02 * rng.random((n_slices, *size))).astype(np.float32)
    return torch.from_numpy(images), torch.from_numpy(spots.astype(np.int64))


def batch_of(images: torch.Tensor, labels: torch.Tensor, labelled: torch.Tensor | None = None) -> Batch:
    empty = torch.zeros(0)
    known = torch.ones(len(images), dtype=torch.bool) if labelled is None else labelled
    return Batch(images, empty, empty, empty, labels, known)


def test_brightness_does_not_matter() -> None:
    torch.manual_seed(0)
    network = ImageUNet(PRESETS["tiny"]).eval()
    images, _ = spotted()
    with torch.no_grad():
        assert torch.allclose(network(images), network(50 * images), atol=1e-3)


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_presets_differ_in_size_alone(preset: str) -> None:
    made = recipe({"preset": preset})
    assert made.options.shape == PRESETS[preset]
    assert (made.options.shape.inputs, made.options.shape.outputs) == (1, 2)
    assert recipe({"preset": preset, "neighbours": "1"}).options.shape == replace(PRESETS[preset], inputs=3)
    assert made.needs_labels


def test_strangers_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="the recipe of unet-full has no option 'schedules'"):
        recipe({"schedules": "both"})
    with pytest.raises(InputError, match="option loss_seg is 'focal'; choose one of dice_c, ce, dice_ce"):
        recipe({"loss_seg": "focal"})


@pytest.mark.parametrize("loss", ["dice_c", "ce", "dice_ce"])
def test_it_learns_two_slices_by_heart(loss: str) -> None:
    made = recipe({"preset": "tiny", "loss_seg": loss, "neighbours": "0"})
    steps = learn(made, fresh_network(made, ImageUNet), batch_of(*spotted()), 50, 1e-2)
    losses = [float(each.total.detach()) for each in steps]
    assert losses[-1] < losses[0] / 3


def test_unknown_labels_teach_nothing() -> None:
    made = recipe({"preset": "tiny", "neighbours": "0"})
    network = made.network()
    made.losses(network, batch_of(*spotted(), torch.zeros(2, dtype=torch.bool)), Moment(0, 0, 1)).total.backward()
    assert not any(parameter.grad is not None and parameter.grad.any() for parameter in network.parameters())


def test_saved_weights_segment_the_measured_modality(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    torch.manual_seed(0)
    network = ImageUNet(PRESETS["tiny"])
    halves = {name: tensor.half() for name, tensor in network.state_dict().items()}
    every = asdict(Calibration(smallest_mm3=0.0))
    save_weights(path, Weights(halves, {"recipe": {"shape": asdict(network.shape), "calibration": every}}))
    images = spotted()[0].numpy() * (spotted()[0].numpy() > 0.5)
    measurement = full_measurement({"T1": np.zeros_like(images), "FLAIR": images}, "FLAIR")
    result = finish(infer_volume(load(path).eval(), measurement, "cpu"))
    assert result.image is None
    assert result.segmentation is not None
    assert result.probabilities is not None
    assert result.probabilities.shape == (1, 2, 32, 24)
    assert np.array_equal(result.segmentation, (result.probabilities[0] > 0.5) & (images > 0))


def test_weights_of_something_else_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    tensors = ImageUNet(PRESETS["tiny"]).state_dict()
    for shape in (asdict(UNetShape(base=5, levels=3, norm="instance")), asdict(D5C5Shape())):
        save_weights(path, Weights(tensors, {"recipe": {"shape": shape}}))
        with pytest.raises(WeightsError, match="does not fit a ImageUNet of this size; give weights"):
            load(path)
