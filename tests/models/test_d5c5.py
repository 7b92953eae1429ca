"""D5C5: parameters, data consistency, scale, sizes, weights, and that it learns."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from ring_scans import assert_slices_do_not_meet, assert_units_do_not_matter, measured, ring
from small_runs import fresh_network, learn
from torch import Tensor

from mrviewer.errors import InputError, UnknownNameError, WeightsError
from mrviewer.methods.weights import Weights, save_weights
from mrviewer.phantom.scan import smooth_phase
from mrviewer.physics import forward
from mrviewer.training.data.batches import Batch
from mrviewer.training.losses import complex_l2
from mrviewer_models.blocks.inference import fast_inference
from mrviewer_models.d5c5.inference import load
from mrviewer_models.d5c5.network import D5C5, PRESETS, D5C5Shape
from mrviewer_models.d5c5.recipe import recipe


@pytest.fixture
def tiny() -> D5C5:
    torch.manual_seed(0)
    return D5C5(PRESETS["tiny"])


def head(shape: tuple[int, int]) -> np.ndarray:
    """The ring with a smooth phase."""
    return (ring(shape) * np.exp(1j * smooth_phase(shape, np.random.default_rng(0)))).astype(np.complex64)


def scan(shape: tuple[int, int] = (24, 20), *, points: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    return measured(head(shape), points=points)


def batch_of_one() -> Batch:
    image = torch.from_numpy(head((24, 20)))[None]
    return Batch(image, *scan(), torch.zeros(1, 24, 20, dtype=torch.long), torch.tensor([False]))


def test_the_paper_has_565770_parameters() -> None:
    with torch.device("meta"):
        network = D5C5(PRESETS["paper"])
    assert sum(parameter.numel() for parameter in network.parameters()) == 565_770


def test_every_cascade_has_weights_of_its_own(tiny: D5C5) -> None:
    assert len({parameter.data_ptr() for parameter in tiny.parameters()}) == 2 * 3 * 2


@pytest.mark.parametrize("points", [False, True])
@pytest.mark.parametrize("shape", [(24, 20), (17, 13)])
def test_every_estimate_agrees_with_the_measurement(tiny: D5C5, shape: tuple[int, int], points: bool) -> None:
    kspace, pattern, maps = scan(shape, points=points)
    with torch.no_grad():
        steps = tiny(kspace, pattern, maps)
    assert len(steps) == 2
    for step in steps:
        assert step.shape == (1, *shape)
        again = forward(step[0].numpy(), maps[0].numpy(), pattern[0, 0].numpy())
        assert np.linalg.norm(again - kspace[0].numpy()) < 4e-7 * np.linalg.norm(kspace.numpy())


@pytest.mark.parametrize("factor", [1e-6, 1000.0])
def test_units_do_not_matter(tiny: D5C5, factor: float) -> None:
    assert_units_do_not_matter(tiny, scan(), factor, atol=1e-6)


def test_the_way_of_the_transform_does_not_matter(tiny: D5C5) -> None:
    kspace, pattern, maps = scan()
    with torch.no_grad():
        short = tiny(kspace, pattern, maps)[-1]
        long = tiny(kspace, pattern.expand(1, 1, *kspace.shape[-2:]).contiguous(), maps)[-1]
    assert torch.allclose(short, long, atol=1e-6)


def test_full_sampling_leaves_the_network_nothing_to_say(tiny: D5C5) -> None:
    _, pattern, maps = scan()
    kspace = torch.from_numpy(forward(head((24, 20)), maps[0].numpy()).astype(np.complex64))[None]
    with torch.no_grad():
        image = tiny(kspace, torch.ones_like(pattern), maps)[-1]
    assert np.allclose(image[0].numpy(), head((24, 20)), atol=1e-6)


def test_an_empty_scan_gives_an_empty_image(tiny: D5C5) -> None:
    kspace, pattern, maps = scan()
    with torch.no_grad():
        assert not tiny(torch.zeros_like(kspace), pattern, maps)[-1].isnan().any()


def test_slices_do_not_see_each_other(tiny: D5C5) -> None:
    assert_slices_do_not_meet(tiny, scan(), atol=1e-6)


def test_the_quick_path_gives_the_same_image(tiny: D5C5) -> None:
    kspace, pattern, maps = scan((40, 36))
    plain = tiny(kspace, pattern, maps)[-1].detach()
    tiny.to(memory_format=torch.channels_last)
    with fast_inference("cpu", allow_bf16=True):
        quick = tiny(kspace, pattern, maps)[-1]
    assert float((quick - plain).abs().max() / plain.abs().max()) < 1e-3


def test_saved_weights_give_the_network_back(tiny: D5C5, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    halves = {name: tensor.half() if tensor.ndim > 1 else tensor for name, tensor in tiny.state_dict().items()}
    save_weights(path, Weights(halves, {"recipe": {"shape": asdict(tiny.shape)}}))
    again = load(path)
    assert isinstance(again, D5C5)
    assert again.shape == tiny.shape
    with torch.no_grad():
        first, second = tiny(*scan())[-1], again(*scan())[-1]
    assert torch.allclose(first, second, atol=2e-3)


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({}, "does not say the size of its network; give weights that mrviewer trained"),
        ({"recipe": {"shape": asdict(D5C5Shape(2, 3, 9))}}, "does not fit a D5C5 of this size; give weights"),
        ({"recipe": {"shape": {"inputs": 1, "base": 16}}}, "does not fit a D5C5 of this size; give weights"),
    ],
)
def test_weights_of_something_else_are_refused(
    tiny: D5C5, tmp_path: Path, about: dict[str, object], message: str
) -> None:
    path = tmp_path / "weights.safetensors"
    save_weights(path, Weights(tiny.state_dict(), about))
    with pytest.raises(WeightsError, match=message):
        load(path)


def test_options_are_read_and_strangers_refused() -> None:
    made = recipe({"preset": "tiny", "steps": "12", "accelerations": "2,6"})
    assert made.options.shape == PRESETS["tiny"]
    assert (made.training.steps, made.training.accelerations, made.training.crop_rows) == (12, (2.0, 6.0), 128)
    with pytest.raises(UnknownNameError, match=r"the recipe of d5c5 has no option 'sharpness'; its options are in"):
        recipe({"sharpness": "3"})
    with pytest.raises(InputError, match="option preset is 'huge'; choose one of paper, small, tiny"):
        recipe({"preset": "huge"})


def test_it_learns_one_slice_by_heart() -> None:
    made = recipe({"preset": "tiny"})
    steps = learn(made, fresh_network(made, D5C5), batch_of_one(), 60, 5e-3)
    losses = [float(each.total.detach()) for each in steps]
    assert losses[-1] < losses[0] / 4


def test_the_loss_is_relative_to_the_image() -> None:
    batch = batch_of_one()
    wrong = batch.image * 0.9
    difference = (wrong - batch.image) / batch.image.abs().max()
    assert float(complex_l2(wrong, batch.image)) == pytest.approx(float(difference.abs().square().mean()))
    assert float(complex_l2(9 * wrong, 9 * batch.image)) == pytest.approx(float(complex_l2(wrong, batch.image)))
    assert float(complex_l2(batch.image, batch.image)) == 0
