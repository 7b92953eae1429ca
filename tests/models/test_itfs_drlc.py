"""ITFS and DRLC: who is fed what, who learns from what, and how much each loss weighs."""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_runs import disc_with_spot, scanned, some_lines

from mrviewer.errors import InputError, UnknownNameError, WeightsError
from mrviewer.methods.weights import Weights, save_weights
from mrviewer.training.data.batches import Batch
from mrviewer.training.losses import segmentation_loss
from mrviewer.training.recipe import Moment
from mrviewer_models.d5c5.network import D5C5
from mrviewer_models.itfs_drlc.alternation import Alternation, segmenter_inputs
from mrviewer_models.itfs_drlc.inference import load
from mrviewer_models.itfs_drlc.network import PRESETS, JointNetwork
from mrviewer_models.itfs_drlc.recipe import JointRecipe, recipe
from mrviewer_models.itfs_drlc.weighting import reconstruction_weight, uncertainty_weighted
from mrviewer_models.unet_full.network import ImageUNet

TEACHER, FREE = (True,), (False,)


def made(alternation: Alternation = "iteration", **overrides: str) -> JointRecipe:
    plan = recipe({"preset": "tiny", **overrides})
    return replace(plan, options=replace(plan.options, alternation=alternation))


@pytest.fixture(scope="module")
def batch() -> Batch:
    """One disc with a bright spot, a third of its lines measured."""
    shape = (24, 20)
    image, spot = disc_with_spot(shape, (0.2, -0.1, 0.3))
    return scanned(image, spot, some_lines(shape[1], 0.3, slice(9, 12)), np.ones((1, *shape), np.complex64))


def at(step: int, epoch: float | None = None, n_epochs: float = 50) -> Moment:
    return Moment(step, step if epoch is None else epoch, n_epochs)


def test_inputs_alternate_by_step() -> None:
    assert [segmenter_inputs("iteration", at(step, 0)) for step in range(4)] == [TEACHER, FREE, TEACHER, FREE]


def test_inputs_alternate_by_epoch() -> None:
    epochs = (0.0, 0.5, 0.99, 1.0, 1.9, 2.0)
    inputs = [segmenter_inputs("epoch", at(7, epoch)) for epoch in epochs]
    assert inputs == [TEACHER, TEACHER, TEACHER, FREE, FREE, TEACHER]


def test_inputs_drawn_by_chance_keep_to_it_and_to_the_seed() -> None:
    drawn = [segmenter_inputs("random", at(step), probability=0.25, seed=3) for step in range(400)]
    assert drawn == [segmenter_inputs("random", at(step), probability=0.25, seed=3) for step in range(400)]
    assert drawn != [segmenter_inputs("random", at(step), probability=0.25, seed=4) for step in range(400)]
    # Four standard deviations of 400 draws.
    assert sum(teacher for (teacher,) in drawn) / 400 == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / 400))
    assert segmenter_inputs("random", at(0), probability=0.0) == FREE
    assert segmenter_inputs("random", at(0), probability=1.0) == TEACHER


def test_inputs_of_the_baselines_never_change() -> None:
    for step in range(3):
        assert segmenter_inputs("both", at(step)) == (True, False)
        assert segmenter_inputs("teacher_only", at(step)) == TEACHER
        assert segmenter_inputs("free_only", at(step)) == FREE


@pytest.mark.parametrize("alternation", ["iteration", "epoch", "random", "both", "teacher_only", "free_only"])
def test_only_free_steps_teach_the_reconstruction_to_segment(alternation: Alternation, batch: Batch) -> None:
    plan = made(alternation=alternation, weighting="fixed", alpha="0", batch_size="1")
    torch.manual_seed(0)
    network = plan.network()
    assert isinstance(network, JointNetwork)
    free = {True: 0, False: 0}
    for step in range(4):
        moment = at(step)
        network.zero_grad(set_to_none=True)
        # With alpha = 0 whatever reaches D5C5 comes from the segmentation loss.
        plan.losses(network, batch, moment).total.backward()
        reached = any(p.grad is not None and bool(p.grad.any()) for p in network.reconstruction.parameters())
        is_free = False in segmenter_inputs(alternation, moment, seed=plan.training.seed)
        assert reached == is_free
        assert any(p.grad is not None and bool(p.grad.any()) for p in network.segmentation.parameters())
        free[is_free] += 1
    assert free[True] == {"both": 4, "teacher_only": 0, "free_only": 4}.get(alternation, free[True])


def test_reconstruction_learns_in_teacher_steps_too(batch: Batch) -> None:
    plan = made(alternation="teacher_only")
    network = plan.network()
    plan.losses(network, batch, at(0)).total.backward()
    assert isinstance(network, JointNetwork)
    assert all(p.grad is not None and bool(p.grad.any()) for p in network.reconstruction.cascades[-1].parameters())


def test_weights_as_printed() -> None:
    weights = [reconstruction_weight("exp", at(0, epoch)) for epoch in (0, 0.9, 1, 2, 49)]
    assert weights == pytest.approx([0.8, 0.8, np.exp(-1) - 0.2, 0.05, 0.05])
    assert weights[2] == pytest.approx(0.168, abs=5e-4)


def test_weights_stretched_over_the_run() -> None:
    epochs = (0, 10, 20, 30, 40, 49)
    weights = [reconstruction_weight("exp_scaled", at(0, epoch), time_scale=50) for epoch in epochs]
    assert weights == pytest.approx([0.8, 0.6187, 0.4703, 0.3488, 0.2493, 0.1753], abs=5e-5)
    # Counted so that the last of 50 epochs reaches exp(-1).
    weights = [reconstruction_weight("exp_scaled", at(0, epoch), time_scale=49) for epoch in epochs]
    assert weights == pytest.approx([0.80, 0.61, 0.46, 0.34, 0.24, 0.17], abs=0.006)
    assert reconstruction_weight("exp_scaled", at(0, 90), time_scale=50) == 0.05


def test_weights_on_a_line() -> None:
    weights = [reconstruction_weight("linear", at(0, epoch)) for epoch in range(50)]
    assert (weights[0], weights[-1]) == pytest.approx((0.8, 0.05))
    assert np.diff(weights) == pytest.approx([-0.75 / 49] * 49)
    assert reconstruction_weight("linear", at(0, 60)) == pytest.approx(0.05)
    assert reconstruction_weight("linear", at(0, 0, 0.4)) == pytest.approx(0.8)


def test_fixed_weights_stay_and_learned_ones_are_not_known() -> None:
    assert reconstruction_weight("fixed", at(9), fixed=0.3) == 0.3
    with pytest.raises(ValueError, match="'learned' has no weight that is known beforehand"):
        reconstruction_weight("learned", at(0))


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_the_total_is_the_weighted_sum(alpha: float, batch: Batch) -> None:
    plan = made(weighting="fixed", alpha=str(alpha))
    losses = plan.losses(plan.network(), batch, at(0))
    expected = alpha * losses.parts["reconstruction"] + (1 - alpha) * losses.parts["segmentation"]
    assert float(losses.total.detach()) == pytest.approx(expected, rel=1e-6)
    assert losses.parts["alpha"] == alpha


def test_both_inputs_in_one_step_add_up(batch: Batch) -> None:
    network = made().network()
    alternations: tuple[Alternation, ...] = ("both", "teacher_only", "free_only")
    both, teacher, free = (made(name).losses(network, batch, at(0)).parts["segmentation"] for name in alternations)
    assert both == pytest.approx(teacher + free, rel=1e-6)


def test_learned_weights_settle_at_the_logarithm_of_the_loss() -> None:
    log_variance = torch.zeros(2, requires_grad=True)
    optimiser = torch.optim.SGD([log_variance], 0.2)
    for _ in range(200):
        optimiser.zero_grad()
        uncertainty_weighted(torch.tensor(0.5), torch.tensor(2.0), log_variance).backward()
        optimiser.step()
    # d/ds (exp(-s) L + s) = 0 at s = log L.
    assert log_variance.detach().numpy() == pytest.approx(np.log([0.5, 2.0]), abs=1e-3)


def test_learned_weights_are_trained_with_the_network(batch: Batch, tmp_path: Path) -> None:
    plan = made(weighting="learned")
    network = plan.network()
    losses = plan.losses(network, batch, at(0))
    losses.total.backward()
    gradient = network.get_parameter("task_log_variance").grad
    assert gradient is not None
    expected = [1 - losses.parts["reconstruction"], 1 - losses.parts["segmentation"]]
    assert gradient.numpy() == pytest.approx(expected, rel=1e-5)
    assert "alpha" not in losses.parts
    # The variances belong to training; what runs is loaded without them.
    path = tmp_path / "weights.safetensors"
    save_weights(path, Weights(network.state_dict(), {"recipe": {"shape": asdict(PRESETS["tiny"])}}))
    assert "task_log_variance" not in load(path).state_dict()


def test_it_learns_one_slice_by_heart(batch: Batch) -> None:
    plan = made(weighting="fixed")
    torch.manual_seed(0)
    network = plan.network()
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    history = []
    for step in range(60):
        losses = plan.losses(network, batch, at(step))
        optimiser.zero_grad()
        losses.total.backward()
        optimiser.step()
        history.append(losses.parts)
    # The first teacher step and the first free step, against the last two.
    for part in ("reconstruction", "segmentation"):
        assert sum(parts[part] for parts in history[-2:]) < sum(parts[part] for parts in history[:2]) / 2


@pytest.mark.parametrize("seg_input", ["magnitude", "complex"])
def test_the_segmenter_does_not_look_at_units(seg_input: str, batch: Batch) -> None:
    torch.manual_seed(0)
    network = made(seg_input=seg_input).network().eval()
    assert isinstance(network, JointNetwork)
    with torch.no_grad():
        assert torch.allclose(network.segment(batch.image), network.segment(300 * batch.image), atol=1e-4)


def test_segmenting_an_empty_image_has_a_gradient(batch: Batch) -> None:
    network = made().network()
    assert isinstance(network, JointNetwork)
    image = torch.zeros_like(batch.image, requires_grad=True)
    network.segment(image).sum().backward()
    assert image.grad is not None
    assert bool(torch.isfinite(torch.view_as_real(image.grad)).all())


def test_norm_and_input_are_switches_of_the_shape() -> None:
    shape = made(norm="batch_separate", seg_input="complex").options.shape
    assert (shape.segmentation.norm, shape.segmentation.inputs, shape.seg_input) == ("batch_separate", 2, "complex")
    assert made().options.shape == PRESETS["tiny"]


def test_both_parts_can_begin_with_weights_of_their_own(tmp_path: Path) -> None:
    shape = PRESETS["tiny"]
    torch.manual_seed(7)
    cascade, segmenter = D5C5(shape.reconstruction), ImageUNet(shape.segmentation)
    paths = [tmp_path / "d5c5.safetensors", tmp_path / "unet.safetensors"]
    for path, part in zip(paths, (cascade, segmenter), strict=True):
        save_weights(path, Weights(part.state_dict(), {}))
    network = made(reconstruction_from=str(paths[0]), segmentation_from=str(paths[1])).network()
    assert isinstance(network, JointNetwork)
    pairs = ((network.reconstruction, cascade), (network.segmentation, segmenter.segmentation))
    for part, source in pairs:
        for name, tensor in source.state_dict().items():
            assert torch.equal(part.state_dict()[name], tensor)
    with pytest.raises(WeightsError, match=r"unet\.safetensors does not fit a D5C5 of this size"):
        made(reconstruction_from=str(paths[1])).network()


def test_strangers_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="the recipe of itfs-drlc has no option 'beta'"):
        made(beta="0.5")
    with pytest.raises(InputError, match="option weighting is 'sometimes'; choose one of fixed, linear, exp"):
        made(weighting="sometimes")
    with pytest.raises(InputError, match="option alpha is 'half', which cannot be read as float"):
        made(alpha="half")


def test_a_batch_without_labels_still_reconstructs(batch: Batch) -> None:
    plan = made(alternation="free_only", weighting="fixed")
    unlabelled = Batch(batch.image, batch.kspace, batch.pattern, batch.maps, batch.label, torch.tensor([False]))
    losses = plan.losses(plan.network(), unlabelled, at(1))
    assert losses.parts["segmentation"] == 0
    losses.total.backward()
    logits = torch.zeros(1, 2, 24, 20)
    assert float(segmentation_loss(logits, batch.label, torch.tensor([False]), "ce")) == 0
