"""MTLRS: who steers whom, who learns in which arm, and what of a label counts."""

from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mrviewer.errors import InputError, UnknownNameError
from mrviewer.methods.weights import Weights, save_weights
from mrviewer.physics import forward, normalise_maps
from mrviewer.progress import finish
from mrviewer.testing import check_method, sample_measurement
from mrviewer.training.data.batches import Batch
from mrviewer.training.losses import soft_dice_loss
from mrviewer.training.recipe import Moment
from mrviewer_models import mtlrs
from mrviewer_models.cirim.network import CIRIM
from mrviewer_models.cirim.network import PRESETS as CIRIM_PRESETS
from mrviewer_models.mtlrs.arms import Arm, estimates_and_logits
from mrviewer_models.mtlrs.coupling import ConcatCoupling, Coupling, couple, seen_segmentation, tiled
from mrviewer_models.mtlrs.inference import infer, load
from mrviewer_models.mtlrs.losses import multi_label_loss, truth_of
from mrviewer_models.mtlrs.network import MTLRS, PRESETS, MTLRSShape
from mrviewer_models.mtlrs.recipe import MTLRSRecipe, recipe

COUPLINGS: tuple[Coupling, ...] = ("add", "replace", "concat_1x1")
ARMS: tuple[Arm, ...] = ("pretrained", "sequential", "end_to_end", "joint", "mtlrs")
NOW = Moment(0, 0.0, 10.0)
LATE = Moment(9, 9.0, 10.0)


def scan(shape: tuple[int, int] = (24, 20), n_coils: int = 1) -> Batch:
    """One disc of tissue with a bright lesion in a rim of fluid, a third of its lines measured."""
    y, x = np.linspace(-1, 1, shape[0])[:, None], np.linspace(-1, 1, shape[1])
    radius, lesion = np.hypot(y, x), np.hypot(y - 0.2, x + 0.1) < 0.3
    image = ((radius < 0.9) * (1.0 + lesion)).astype(np.complex64)
    pattern = np.random.default_rng(0).random((1, shape[1])) < 0.3
    pattern[:, shape[1] // 2 - 1 : shape[1] // 2 + 2] = True
    weights = [np.exp(1j * coil - (x - coil) ** 2 + 0 * y) for coil in range(n_coils)]
    maps = normalise_maps(np.asarray(weights, np.complex64))
    tissues = 1 * (radius < 0.9) + 1 * (radius < 0.8) + 1 * (radius < 0.5)
    return Batch(
        torch.from_numpy(image)[None],
        torch.from_numpy(forward(image, maps, pattern).astype(np.complex64))[None],
        torch.from_numpy(pattern.astype(np.float32))[None, None],
        torch.from_numpy(maps)[None],
        torch.from_numpy(lesion.astype(np.int64))[None],
        torch.tensor([True]),
        torch.from_numpy(tissues.astype(np.int64))[None],
        torch.tensor([True]),
    )


@pytest.fixture(scope="module")
def batch() -> Batch:
    return scan()


def made(**overrides: str) -> MTLRSRecipe:
    return recipe({"preset": "tiny", **overrides})


def fresh(plan: MTLRSRecipe) -> MTLRS:
    torch.manual_seed(0)
    network = plan.network()
    assert isinstance(network, MTLRS)
    # An estimate that changes by so much that a difference is no rounding.
    for rim in network.reconstruction.cascades:
        nn.init.normal_(rim.get_parameter("cell.leave.weight"), std=0.1)
    return network


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def run(network: MTLRS, batch: Batch) -> tuple[list[Tensor], Tensor]:
    steps, logits = network(batch.kspace, batch.pattern, batch.maps)
    return steps, logits


def learns(module: nn.Module) -> bool:
    return any(parameter.grad is not None and bool(parameter.grad.any()) for parameter in module.parameters())


@pytest.mark.parametrize(("coupling", "segmenters", "learned"), [("add", 5, 0), ("none", 1, 0), ("concat_1x1", 5, 4)])
def test_parameters_of_the_paper(coupling: Coupling, segmenters: int, learned: int) -> None:
    with torch.device("meta"):
        network = MTLRS(replace(PRESETS["paper"], coupling=coupling))
    mixing = 2 * ((64 + 2) * 64 + 64)
    assert count(network) == 5 * 52_992 + segmenters * 1_983_556 + learned * mixing


def test_parameters_of_the_shipped_size() -> None:
    assert count(MTLRS(PRESETS["small"])) == 386_940


def test_four_classes_fill_the_published_checkpoint() -> None:
    shape = PRESETS["paper"]
    with torch.device("meta"):
        network = MTLRS(replace(shape, segmentation=replace(shape.segmentation, outputs=4)))
    assert count(network) == 5 * (52_992 + 1_983_686)
    assert 4e-6 * count(network) == pytest.approx(40.7, abs=0.05)


def test_classes_are_repeated_and_filled_up_with_zeros() -> None:
    seen = torch.arange(1.0, 4.0)[None, :, None, None].expand(1, 3, 2, 2)
    assert tiled(seen, 8)[0, :, 0, 0].tolist() == [1, 2, 3, 1, 2, 3, 0, 0]
    assert tiled(seen, 3)[0, :, 1, 1].tolist() == [1, 2, 3]
    assert int((tiled(seen, 64)[0, :, 0, 0] == 0).sum()) == 1


def test_couplings_are_what_they_say() -> None:
    hidden = (torch.rand(1, 4, 3, 3), torch.rand(1, 4, 3, 3))
    seen = torch.rand(1, 2, 3, 3)
    added, replaced = couple(hidden, seen, "add"), couple(hidden, seen, "replace")
    for state, one, two in zip(hidden, added, replaced, strict=True):
        assert torch.equal(one, state + tiled(seen, 4))
        assert torch.equal(two, tiled(seen, 4))


@pytest.mark.parametrize(("features", "classes"), [(8, 2), (8, 3)])
def test_the_learned_coupling_begins_as_the_sum(features: int, classes: int) -> None:
    hidden = (torch.rand(1, features, 3, 3), torch.rand(1, features, 3, 3))
    seen = torch.rand(1, classes, 3, 3)
    mixed = ConcatCoupling(features, classes)(hidden, seen)
    for one, two in zip(mixed, couple(hidden, seen, "add"), strict=True):
        assert torch.allclose(one, two, atol=1e-6)


def test_what_is_seen_is_the_image_where_the_class_is() -> None:
    image = torch.tensor([[[3 + 4j, 2.0]]])
    logits = torch.tensor([[[[0.0, 100.0]], [[-100.0, 50.0]]]])
    assert torch.allclose(seen_segmentation(image, logits, "sigmoid"), torch.tensor([[[[2.5, 2.0]], [[0.0, 2.0]]]]))
    expected = torch.tensor([[[[2.5, 2.0]], [[0.0, 1.5]]]])
    assert torch.allclose(seen_segmentation(image, logits, "minmax"), expected)
    assert bool(seen_segmentation(image, torch.zeros(1, 2, 1, 2), "minmax").isfinite().all())


@pytest.mark.parametrize("coupling", COUPLINGS)
def test_segmentations_steer_the_next_machine_alone(coupling: Coupling, batch: Batch) -> None:
    network = fresh(made(coupling=coupling))
    with torch.no_grad():
        before, _ = run(network, batch)
        head = network.segmentation[0].get_parameter("decoder.head.bias")
        head.add_(3.0)
        after, _ = run(network, batch)
    same = [torch.equal(one, two) for one, two in zip(before, after, strict=True)]
    assert same == [True, True, False, False]


@pytest.mark.parametrize("coupling", COUPLINGS)
def test_a_coupling_changes_the_states_that_the_next_machine_begins_with(coupling: Coupling, batch: Batch) -> None:
    network = fresh(made(coupling=coupling))
    left: list[tuple[Tensor, ...]] = []
    given: list[tuple[Tensor, ...]] = []
    for rim in network.reconstruction.cascades:
        rim.register_forward_hook(lambda _, __, out: left.append(out[1]))
        rim.register_forward_pre_hook(lambda _, inputs: given.append(inputs[2]))
    with torch.no_grad():
        run(network, batch)
    assert given[0] is None
    assert all(not torch.allclose(one, two) for one, two in zip(left[0], given[1], strict=True))


def test_without_coupling_it_is_cirim_and_one_segmenter(batch: Batch) -> None:
    network = fresh(made(coupling="none"))
    assert len(network.segmentation) == 1
    with torch.no_grad():
        steps, logits = run(network, batch)
        alone = network.reconstruction(batch.kspace, batch.pattern, batch.maps)
        again = network.segment(alone[-1])
    assert all(torch.equal(one, two) for one, two in zip(steps, alone, strict=True))
    assert torch.allclose(logits, again, atol=1e-4)


@pytest.mark.parametrize("coupling", ["add", "none"])
@pytest.mark.parametrize("detached", [False, True])
def test_the_segmentation_loss_reaches_the_reconstruction_unless_detached(
    coupling: Coupling, detached: bool, batch: Batch
) -> None:
    network = fresh(made(coupling=coupling, detach_seg_input=str(detached)))
    run(network, batch)[1].square().sum().backward()
    assert learns(network.reconstruction.cascades[-1]) != detached
    # Earlier segmenters are told through the states that they steer, as long as the last image passes it on.
    assert [learns(part) for part in network.segmentation] == ([not detached, True] if coupling == "add" else [True])


def test_detached_segmenters_still_learn_from_the_reconstruction(batch: Batch) -> None:
    network = fresh(made(detach_seg_input="true"))
    run(network, batch)[0][-1].abs().sum().backward()
    assert [learns(part) for part in network.segmentation] == [True, False]


@pytest.mark.parametrize("n_coils", [1, 3])
@pytest.mark.parametrize("shape", [(24, 20), (17, 13)])
def test_any_size_and_any_number_of_coils(shape: tuple[int, int], n_coils: int) -> None:
    network = fresh(made())
    with torch.no_grad():
        steps, logits = run(network, scan(shape, n_coils))
    assert [tuple(step.shape) for step in steps] == [(1, *shape)] * 4
    assert logits.shape == (1, 2, *shape)
    assert bool(logits.isfinite().all())


@pytest.mark.parametrize("arm", ARMS)
def test_an_arm_trains_what_it_should_and_nothing_else(arm: Arm, batch: Batch) -> None:
    """Whether the reconstruction and the segmenter learn, and whether the reconstruction learns to segment."""
    reconstructs, segments, joined = {
        "pretrained": (True, True, False),
        "sequential": (True, True, False),
        "end_to_end": (False, True, True),
        "joint": (True, True, True),
        "mtlrs": (True, True, True),
    }[arm]
    # A loss without weight has gradients of zero.
    for alpha, expected in (("0", (reconstructs, False)), ("1", (joined, segments))):
        plan = made(arm=arm, alpha=alpha)
        network = fresh(plan)
        plan.losses(network, batch, NOW).total.backward()
        assert (learns(network.reconstruction), learns(network.segmentation[-1])) == expected
    assert len(network.segmentation) == (2 if arm == "mtlrs" else 1)


def test_the_second_stage_of_a_sequence_tunes_the_segmenter_on_what_was_reconstructed(batch: Batch) -> None:
    plan = made(arm="sequential", fine_tuning_share="0.25")
    network = fresh(plan)
    seen: list[Tensor] = []
    network.segmentation[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    for moment in (NOW, Moment(7, 7.4, 10.0), Moment(8, 7.6, 10.0), LATE):
        network.zero_grad(set_to_none=True)
        losses = plan.losses(network, batch, moment)
        losses.total.backward()
        late = moment.epoch > 7.5
        assert learns(network.reconstruction) != late
        assert learns(network.segmentation)
        assert ("reconstruction" in losses.parts) != late
    reference, tuned = seen[0], seen[-1]
    assert torch.equal(seen[1], reference)
    assert not torch.allclose(tuned, reference, atol=1e-3)
    # Another run with the same network may begin again.
    plan.losses(network, batch, NOW).total.backward()
    assert learns(network.reconstruction)


def test_what_is_pretrained_meets_at_test_time(batch: Batch) -> None:
    network = fresh(made(arm="pretrained"))
    steps, logits = estimates_and_logits("pretrained", network, batch, NOW, fine_tuning=0.3)
    assert torch.equal(logits, network.segment(batch.image))
    assert not torch.allclose(run(network, batch)[1], logits, atol=1e-3)
    assert torch.equal(run(network, batch)[0][-1], steps[-1])


def test_the_total_is_the_weighted_sum(batch: Batch) -> None:
    plan = made(alpha="0.3", reconstruction_scale="5")
    losses = plan.losses(fresh(plan), batch, NOW)
    expected = 0.7 * 5 * losses.parts["reconstruction"] + 0.3 * losses.parts["segmentation"]
    assert float(losses.total.detach()) == pytest.approx(expected, rel=1e-6)


def test_end_to_end_minimises_the_segmentation_alone(batch: Batch) -> None:
    plan = made(arm="end_to_end", alpha="1")
    losses = plan.losses(fresh(plan), batch, NOW)
    assert float(losses.total.detach()) == pytest.approx(losses.parts["segmentation"], rel=1e-6)
    assert losses.parts["reconstruction"] > 0


def test_lesions_count_as_brain_and_classes_are_known_by_slice() -> None:
    label = torch.tensor([[[0, 1, 1, 0, 0]], [[0, 0, 0, 0, 0]]])
    tissues = torch.tensor([[[0, 1, 2, 3, 1]], [[0, 0, 2, 3, 1]]])
    empty = torch.zeros(0)
    given = Batch(empty, empty, empty, empty, label, torch.tensor([True, False]), tissues, torch.tensor([False, True]))
    truth, known = truth_of(given, 4)
    lesion, brain, fluid, background = truth[0, :, 0]
    assert lesion.tolist() == [0, 1, 1, 0, 0]
    assert brain.tolist() == [0, 1, 1, 1, 0]
    assert fluid.tolist() == [0, 0, 0, 0, 1]
    assert background.tolist() == [1, 0, 0, 0, 0]
    assert known.tolist() == [[True, False, False, False], [False, True, True, True]]
    assert truth_of(given, 2)[0].shape == (2, 2, 1, 5)


def test_what_is_unknown_does_not_count() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 2, 6, 5, requires_grad=True)
    truth = (torch.rand(2, 2, 6, 5) < 0.3).float()
    known = torch.tensor([[True, False], [True, True]])
    loss = multi_label_loss(logits, truth, known, beta=0.5, squared=True)
    loss.backward()
    assert logits.grad is not None
    assert [[bool(plane.any()) for plane in item] for item in logits.grad] == known.tolist()
    changed = truth.clone()
    changed[0, 1] = 1 - changed[0, 1]
    assert torch.equal(multi_label_loss(logits, changed, known, beta=0.5, squared=True), loss)
    nothing = multi_label_loss(logits, truth, torch.zeros(2, 2, dtype=torch.bool), beta=0.5, squared=True)
    assert float(nothing.detach()) == 0


@pytest.mark.parametrize("squared", [True, False])
def test_dice_with_squares_as_printed(squared: bool) -> None:
    probability, label = torch.tensor([0.5, 1.0, 0.0]), torch.tensor([1.0, 1.0, 0.0])
    low = 1.25 + 2 if squared else 1.5 + 2
    assert float(soft_dice_loss(probability, label, smooth_denominator=0, squared=squared)) == pytest.approx(
        1 - 2 * 1.5 / low
    )
    both = soft_dice_loss(0 * label, 0 * label, smooth_numerator=1e-5, smooth_denominator=1e-5, squared=squared)
    assert float(both) == pytest.approx(0)


def test_beta_weighs_the_two_losses() -> None:
    torch.manual_seed(0)
    logits, truth, known = torch.randn(1, 1, 6, 5), torch.ones(1, 1, 6, 5), torch.tensor([[True]])
    dice, middle, entropy = (
        float(multi_label_loss(logits, truth, known, beta=beta, squared=True)) for beta in (0.0, 0.5, 1.0)
    )
    assert middle == pytest.approx((dice + entropy) / 2, rel=1e-6)
    assert entropy == pytest.approx(float(nn.functional.binary_cross_entropy_with_logits(logits, truth)))


@pytest.mark.parametrize("coupling", ["add", "concat_1x1"])
def test_it_learns_one_slice_by_heart(coupling: str, batch: Batch) -> None:
    plan = made(coupling=coupling, reconstruction_scale="50")
    torch.manual_seed(0)
    network = plan.network()
    optimiser = torch.optim.Adam(network.parameters(), 7e-3)
    history = []
    for _ in range(80):
        losses = plan.losses(network, batch, NOW)
        optimiser.zero_grad()
        losses.total.backward()
        optimiser.step()
        history.append(losses.parts)
    assert history[-1]["segmentation"] < 0.35 * history[0]["segmentation"]
    assert history[-1]["reconstruction"] < 0.7 * history[0]["reconstruction"]


def test_training_begins_without_lesions() -> None:
    for part in fresh(made(n_cls="3")).segmentation:
        assert part.get_parameter("decoder.head.bias")[0] == -4


def test_the_reconstruction_can_begin_with_that_of_cirim(tmp_path: Path) -> None:
    torch.manual_seed(7)
    source, path = CIRIM(CIRIM_PRESETS["tiny"]), tmp_path / "cirim.safetensors"
    save_weights(path, Weights(source.state_dict(), {}))
    network = made(reconstruction_from=str(path)).network()
    assert isinstance(network, MTLRS)
    for one, two in pairwise((source.state_dict(), network.reconstruction.state_dict())):
        assert all(torch.equal(one[name], two[name]) for name in one)


def test_one_network_segments_like_the_other_whatever_the_units(batch: Batch) -> None:
    network = fresh(made())
    with torch.no_grad():
        steps, logits = run(network, batch)
        larger = replace(batch, kspace=300 * batch.kspace)
        louder, same = run(network, larger)
    assert torch.allclose(louder[-1] / 300, steps[-1], atol=1e-5)
    assert torch.allclose(same, logits, atol=1e-3)


@pytest.mark.parametrize("options", [{}, {"n_cls": "1"}, {"n_cls": "4", "coupling": "concat_1x1"}, {"arm": "joint"}])
def test_weights_say_the_shape_and_keep_the_contract(options: dict[str, str], tmp_path: Path) -> None:
    plan = made(**options)
    torch.manual_seed(0)
    path = tmp_path / "weights.safetensors"
    about = {"recipe": {"shape": asdict(plan.options.shape)}}
    save_weights(path, Weights(plan.network().state_dict(), about))
    network = load(path)
    assert isinstance(network, MTLRS)
    assert network.shape == plan.options.shape
    method = replace(mtlrs.METHOD, weights_path=path)
    check_method(method)
    result = finish(method.run(sample_measurement(method)))
    assert result.steps is not None
    assert len(result.steps) == len(result.step_names) == 4
    assert result.step_names[2] == "cascade 2, step 1"
    assert np.array_equal(result.steps[-1], result.image)


def test_a_lesion_in_the_tissue_is_a_lesion() -> None:
    network = fresh(made())
    head = network.segmentation[-1].decoder.head
    shown = {}
    for lesion, tissue in ((9.0, 9.0), (-9.0, 9.0), (-9.0, -9.0), (9.0, -9.0)):
        with torch.no_grad():
            head.weight.zero_()
            head.bias.copy_(torch.tensor([lesion, tissue]))
        measurement = sample_measurement(mtlrs.METHOD, (1, 24, 20))
        result = infer(network.eval(), measurement, "cpu")
        assert result.segmentation is not None
        assert result.probabilities is not None
        shown[lesion > 0, tissue > 0] = np.unique(result.segmentation).tolist()
        assert result.probabilities.mean(axis=(1, 2, 3)) == pytest.approx(
            1 / (1 + np.exp([-lesion, -tissue])), abs=1e-5
        )
    assert shown == {(True, True): [1], (False, True): [2], (False, False): [0], (True, False): [1]}


def test_the_card_names_the_lesions() -> None:
    card = mtlrs.METHOD.card
    assert card.classes == ("lesion", "brain tissue")
    assert card.lesion_value == 1


def test_shapes_of_the_arms() -> None:
    assert made(arm="joint").options.shape == replace(PRESETS["tiny"], coupling="none")
    assert made().options.shape == PRESETS["tiny"]
    assert MTLRSShape() == PRESETS["paper"]


def test_the_paper_trains_on_its_own_masks() -> None:
    paper, usual = recipe({"preset": "paper"}).training, made().training
    assert (paper.main_family, paper.main_acceleration, paper.learning_rate) == ("poisson", 7.5, 1e-4)
    assert (usual.main_family, usual.main_acceleration) == ("random", 4.0)
    assert recipe({"preset": "paper", "main_acceleration": "5"}).training.main_acceleration == 5


def test_strangers_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="the recipe of mtlrs has no option 'gamma'"):
        made(gamma="0.5")
    with pytest.raises(InputError, match="option arm is 'both'; choose one of pretrained, sequential"):
        made(arm="both")
    with pytest.raises(InputError, match="option n_cls is 5; choose 1 to 4: lesion, brain tissue"):
        made(n_cls="5")


def test_a_batch_of_unknown_labels_still_reconstructs(batch: Batch) -> None:
    plan = made()
    network = fresh(plan)
    unknown = replace(batch, labelled=torch.tensor([False]), tissues_known=torch.tensor([False]))
    losses = plan.losses(network, unknown, NOW)
    assert losses.parts["segmentation"] == 0
    losses.total.backward()
    assert learns(network.reconstruction)
