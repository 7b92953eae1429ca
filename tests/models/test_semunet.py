"""SemuNet: three modules in one, who learns when, what is known of a slice, and the patterns that it offers."""

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_runs import learn
from torch import Tensor

from mrviewer.database import Subject
from mrviewer.errors import InputError, MaskError, UnknownNameError, WeightsError
from mrviewer.geometry import Geometry
from mrviewer.methods.weights import Weights, save_weights
from mrviewer.physics import forward
from mrviewer.progress import finish
from mrviewer.sampling import make_mask, mask_of_patterns
from mrviewer.sampling.learned import OffersPatterns
from mrviewer.sampling.request import MaskRequest
from mrviewer.study import Image, Study
from mrviewer.testing import check_method
from mrviewer.training.data.batches import Batch
from mrviewer.training.evaluate import evaluate_subjects
from mrviewer.training.recipe import Moment
from mrviewer_models.blocks.unet import UNet
from mrviewer_models.blocks.unet_presets import unet_bn_t
from mrviewer_models.semunet import METHOD
from mrviewer_models.semunet.arms import STAGES_OF_ARM, Arm
from mrviewer_models.semunet.inference import class_maps, load
from mrviewer_models.semunet.method import SamplingNetworkMethod
from mrviewer_models.semunet.network import PRESETS, SemuNet
from mrviewer_models.semunet.recipe import SemuNetRecipe, recipe
from mrviewer_models.semunet.truth import class_loss, known_classes, region_loss

SHAPE = (28, 24)
SMALL_GRID = {"preset": "tiny", "coarsen": "8", "always_lines": "2", "samplers": "lines@4,points@4"}
PARTS = ("samplers", "reconstruction", "segmentation")


def made(**overrides: str) -> SemuNetRecipe:
    return recipe({**SMALL_GRID, **overrides})


def network_of(plan: SemuNetRecipe, seed: int = 0) -> SemuNet:
    torch.manual_seed(seed)
    network = plan.network()
    assert isinstance(network, SemuNet)
    return network


@pytest.fixture(scope="module")
def batch() -> Batch:
    """Two heads of three tissues with a lesion, fully sampled; the tissues of one and the lesion of the other known."""
    y, x = np.linspace(-1, 1, SHAPE[0])[:, None], np.linspace(-1, 1, SHAPE[1])
    radius = np.hypot(y, x)
    tissues = (radius < 0.9).astype(int) + (radius < 0.75) + (radius < 0.5)
    lesion = np.hypot(y - 0.2, x + 0.1) < 0.2
    image = (0.3 * tissues + 0.5 * lesion).astype(np.complex64)
    maps = np.ones((1, *SHAPE), np.complex64)
    kspace = forward(image, maps, np.ones((1, SHAPE[1]), bool)).astype(np.complex64)
    pair = [torch.from_numpy(array)[None].expand(2, *array.shape) for array in (image, kspace, maps)]
    return Batch(
        image=pair[0],
        kspace=pair[1],
        pattern=torch.ones(1, 1, 1, SHAPE[1]),
        maps=pair[2],
        label=torch.from_numpy(lesion.astype(np.int64))[None].expand(2, -1, -1),
        labelled=torch.tensor([True, False]),
        tissues=torch.from_numpy(tissues.astype(np.int64))[None].expand(2, -1, -1),
        tissues_known=torch.tensor([False, True]),
    )


def at(step: int) -> Moment:
    """Of ten steps: 0 and 1 pre-train the segmenter, 2 to 7 train all, 8 and 9 refine on the final mask."""
    return Moment(step, step, 10)


def learned_by(network: SemuNet) -> set[str]:
    """Modules that a gradient reached."""
    reached = set()
    for name, parameter in network.named_parameters():
        if parameter.grad is not None and bool((parameter.grad != 0).any()):
            reached.add(name.partition(".")[0])
    return reached


def weights_of(plan: SemuNetRecipe, path: Path, seed: int = 0) -> SamplingNetworkMethod:
    about = {"recipe": {"shape": asdict(plan.options.shape)}}
    halves = {n: t.half() if t.ndim > 1 else t for n, t in network_of(plan, seed).state_dict().items()}
    save_weights(path, Weights(halves, about))
    return replace(METHOD, weights_path=path)


# Network -------------------------------------------------------------------------------------------------------------


def test_the_networks_have_the_published_size() -> None:
    with torch.device("meta"):
        network, eight = SemuNet(PRESETS["paper"]), UNet(unet_bn_t(1, 8))
    assert sum(parameter.numel() for parameter in network.reconstruction.parameters()) == 31_389_569
    assert sum(parameter.numel() for parameter in network.segmentation.parameters()) == 31_042_564
    assert round(sum(parameter.numel() for parameter in eight.parameters()) / 1e6, 2) == 31.04


@pytest.mark.parametrize("options", [{}, {"dc": "soft"}, {"recon": "mdrecon"}, {"recon": "d5c5"}, {"arm": "full"}])
def test_every_reconstruction_says_its_steps_and_does_not_mind_units(options: dict[str, str], batch: Batch) -> None:
    network = network_of(made(**options)).eval()
    pattern = network.sampler("lines@4").binary()
    with torch.no_grad():
        plain, logits = network(batch.kspace * pattern, pattern, batch.maps)
        scaled, same = network(1024 * batch.kspace * pattern, pattern, batch.maps)
    assert len(plain.steps) == len(plain.names) >= (1 if options == {"arm": "full"} else 2)
    assert plain.names[0] == "zero-filled"
    assert all(step.shape == (2, *SHAPE) and step.is_complex() for step in plain.steps)
    assert torch.allclose(scaled.magnitude / 1024, plain.magnitude, atol=1e-5)
    assert torch.allclose(same, logits, atol=1e-3)
    assert logits.shape == (2, 4, *SHAPE)
    assert torch.allclose(plain.steps[-1].abs(), plain.magnitude.clamp(min=0), atol=1e-5)


def test_soft_consistency_brings_the_image_nearer_to_the_measurement(batch: Batch) -> None:
    network = network_of(made(dc="soft")).eval()
    pattern = network.sampler("points@4").binary()
    with torch.no_grad():
        network.reconstruction.get_parameter("decoder.head.weight").fill_(0)
        network.reconstruction.get_parameter("decoder.head.bias").fill_(0.1)
        before, after = network.reconstruct(batch.kspace * pattern, pattern, batch.maps).steps[1:]
    misfits = [
        np.linalg.norm((forward(step[0].numpy(), batch.maps[0].numpy(), pattern[0, 0].numpy()) - kspace).ravel())
        for kspace in [(batch.kspace[0] * pattern[0]).numpy()]
        for step in (before, after)
    ]
    # At first the measurement and the network are trusted alike.
    assert misfits[1] == pytest.approx(misfits[0] / 2, rel=1e-3)


def test_an_empty_scan_is_nothing_strange(batch: Batch) -> None:
    network = network_of(made()).eval()
    with torch.no_grad():
        estimate, logits = network(torch.zeros_like(batch.kspace), batch.pattern, batch.maps)
    assert float(estimate.magnitude.abs().max()) < 1e-9
    assert bool(logits.isfinite().all())


# Training ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arm", STAGES_OF_ARM)
def test_in_every_stage_learns_what_the_arm_says(arm: Arm, batch: Batch) -> None:
    plan = made(arm=arm)
    network = network_of(plan)
    for step, stage in zip((0, 5, 9), STAGES_OF_ARM[arm], strict=True):
        network.zero_grad(set_to_none=True)
        losses = plan.losses(network, batch, at(step))
        losses.total.backward()
        assert learned_by(network) == set(stage.learns)
        assert "segmentation" in losses.parts
        assert ("reconstruction" in losses.parts) == stage.reconstructs


@pytest.mark.parametrize("arm", STAGES_OF_ARM)
def test_every_arm_spends_the_same_steps_on_each_of_its_parts(arm: Arm) -> None:
    for part in {part for stage in STAGES_OF_ARM[arm] for part in stage.learns}:
        learns = [part in stage.learns for stage in STAGES_OF_ARM[arm]]
        assert learns == [part in stage.learns for stage in STAGES_OF_ARM["semunet"]] or part == "samplers"


@pytest.mark.parametrize("arm", ["fixed_recon_then_seg", "learned_recon_then_seg"])
def test_apart_the_segmentation_does_not_teach_the_reconstruction(arm: Arm, batch: Batch) -> None:
    gradients = []
    for weight in ("0.1", "10"):
        plan = made(arm=arm, segmentation_weight=weight)
        network = network_of(plan)
        plan.losses(network, batch, at(9)).total.backward()
        gradient = network.get_parameter("reconstruction.decoder.head.weight").grad
        assert gradient is not None
        gradients.append(gradient)
    assert torch.equal(*gradients)


@pytest.mark.parametrize("gradient", ["relaxed", "straight_through", "topk_st"])
@pytest.mark.parametrize("recon", ["unet", "mdrecon", "d5c5"])
def test_the_segmentation_alone_teaches_all_three_modules(gradient: str, recon: str, batch: Batch) -> None:
    plan = made(gradient=gradient, recon=recon, reconstruction_weight="0")
    network = network_of(plan)
    plan.losses(network, batch, at(5)).total.backward()
    assert learned_by(network) == set(PARTS)


def test_samplers_take_turns(batch: Batch) -> None:
    plan = made()
    network = network_of(plan)
    for step, name in ((4, "lines@4"), (5, "points@4")):
        network.zero_grad(set_to_none=True)
        plan.losses(network, batch, at(step)).total.backward()
        assert {key for key in network.samplers if network.samplers[key].get_parameter("logits").grad is not None} == {
            name
        }


def test_a_step_draws_the_same_masks_again_and_another_step_others(batch: Batch) -> None:
    plan = made(samplers="lines@4")
    network = network_of(plan)
    values = [float(plan.losses(network, batch, at(step)).total.detach()) for step in (4, 4, 5)]
    assert values[0] == values[1] != values[2]


def test_the_mask_stays_to_the_bit_while_it_is_refined(batch: Batch) -> None:
    plan = made(samplers="lines@4", weight_decay="0.1")
    network = network_of(plan)
    optimiser = torch.optim.Adam(network.parameters(), 0.05, weight_decay=0.1)
    logits, masks = [], []
    for step in range(10):
        loss = plan.losses(network, batch, at(step)).total
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        logits.append(network.sampler("lines@4").get_parameter("logits").detach().clone())
        masks.append(network.sampler("lines@4").binary())
    assert torch.equal(logits[0], logits[1])
    assert not torch.equal(logits[1], logits[7])
    assert torch.equal(logits[7], logits[9])
    assert torch.equal(masks[7], masks[9])


def test_the_refined_network_sees_exactly_the_mask_for_deployment(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = made(samplers="points@4")
    network = network_of(plan)
    seen: list[Tensor] = []
    reconstruct = network.reconstruct
    monkeypatch.setattr(network, "reconstruct", lambda *given: (seen.append(given[1]), reconstruct(*given))[1])
    plan.losses(network, batch, at(9))
    assert torch.equal(seen[0], network.sampler("points@4").binary())
    assert int(seen[0].sum()) == 28 * 24 // 4


def test_fixed_arms_sample_by_the_family_that_was_asked_for() -> None:
    plan = made(arm="fixed_joint", fixed_lines="equispaced", fixed_points="poisson", seed="3")
    network = network_of(plan)
    for name, family in (("lines@4", "equispaced"), ("points@4", "poisson")):
        expected = make_mask(family, SHAPE, 4, 0.08, 3).pattern
        np.testing.assert_array_equal(network.sampler(name).binary()[0, 0].numpy() > 0, expected)


def test_one_case_is_learned_by_heart(batch: Batch) -> None:
    plan = made(samplers="lines@4", slope="50", loss_seg="bce_dice", reconstruction_weight="10", stages="0,0.7,0.3")
    network = network_of(plan)
    log = [losses.parts for losses in learn(plan, network, batch, 60, 5e-3)]
    assert log[-1]["reconstruction"] < log[0]["reconstruction"] / 4
    assert log[-1]["segmentation"] < log[0]["segmentation"] / 2


# Truth ---------------------------------------------------------------------------------------------------------------


def test_only_what_is_known_is_looked_at(batch: Batch) -> None:
    truth, known = known_classes(batch)
    assert known.tolist() == [[True, False, False, False], [False, True, True, True]]
    # A lesion lies in a tissue, and is of both classes.
    assert bool((truth[0, 0] * truth[0, 1:].sum(dim=0) == truth[0, 0]).all())
    logits = torch.randn(2, 4, *SHAPE, requires_grad=True)
    for kind in ("bce", "bce_dice"):
        loss = class_loss(logits, truth, known, kind)
        [gradient] = torch.autograd.grad(loss, logits)
        assert torch.equal((gradient != 0).any(dim=-1).any(dim=-1), known)
        changed = torch.where(known[..., None, None], logits, logits + 5).detach()
        assert float(class_loss(changed, truth, known, kind)) == pytest.approx(float(loss.detach()))


def test_the_class_loss_of_what_is_right_is_nothing() -> None:
    truth = (torch.rand(2, 4, 9, 9) > 0.5).float()
    known = torch.ones(2, 4, dtype=torch.bool)
    right, wrong = 30 * (2 * truth - 1), -30 * (2 * truth - 1)
    for kind in ("bce", "bce_dice"):
        assert float(class_loss(right, truth, known, kind)) == pytest.approx(0, abs=1e-3)
        assert float(class_loss(wrong, truth, known, kind)) > 10
        assert float(class_loss(right, truth, ~known, kind)) == 0


def test_the_region_loss_looks_inside_the_known_classes_alone() -> None:
    truth = torch.zeros(1, 2, 4, 4)
    truth[0, 0, :2], truth[0, 1, 2:] = 1, 1
    target = torch.rand(1, 4, 4)
    estimate = target.clone()
    estimate[0, 2:] += 0.5
    known = torch.tensor([[True, False]])
    assert float(region_loss(estimate, target, truth, known)) == 0
    # Half of the pixels of one class are wrong by 0.5: a squared error of 0.25, halved as it is below 1.
    assert float(region_loss(estimate, target, truth, ~known)) == pytest.approx(0.5 * 0.125)


def test_a_lesion_goes_before_the_tissue_around_it() -> None:
    logits = torch.tensor([[[5.0, -5, -5, 5]], [[-5, 5, -5, 5]], [[-5, 6, -5, -5]], [[-5, -5, -5, 9]]])[None]
    classes, probability = class_maps(logits, torch.tensor([[[True, True, True, True]]]))
    assert classes.tolist() == [[[1, 3, 0, 1]]]
    assert probability.shape == (4, 1, 1, 4)
    assert class_maps(logits, torch.zeros(1, 1, 4, dtype=torch.bool))[0].tolist() == [[[0, 0, 0, 0]]]


# Method --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"dc": "soft"}, {"recon": "mdrecon"}])
def test_the_contract_is_kept(options: dict[str, str], tmp_path: Path) -> None:
    check_method(weights_of(made(**options), tmp_path / "weights.safetensors"))


def test_the_patterns_in_the_weights_are_those_of_the_network(tmp_path: Path) -> None:
    plan = made(samplers="lines@4,points@2.5,lines@6")
    method = weights_of(plan, tmp_path / "weights.safetensors")
    assert isinstance(method, OffersPatterns)
    patterns = method.learned_patterns()
    assert [(one.method, one.dimensions, one.acceleration) for one in patterns] == [
        ("semunet", 1, 4.0),
        ("semunet", 2, 2.5),
        ("semunet", 1, 6.0),
    ]
    network = load(tmp_path / "weights.safetensors")
    assert isinstance(network, SemuNet)
    for pattern, name in zip(patterns, network.samplers, strict=True):
        expected = network.sampler(name).binary()[0, 0].numpy() > 0
        mask = mask_of_patterns([pattern], "learned", MaskRequest(*SHAPE, pattern.acceleration))
        np.testing.assert_array_equal(mask.pattern, expected)
        assert pattern.probability.mean() == pytest.approx(1 / pattern.acceleration, abs=1e-6)
    assert method.learned_patterns() is patterns


def test_new_weights_under_the_same_name_are_read_again(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    first = weights_of(made(), path, seed=0).learned_patterns()
    path.unlink()
    second = weights_of(made(), path, seed=1).learned_patterns()
    assert not np.array_equal(first[0].probability, second[0].probability)


def test_weights_without_samplers_offer_no_patterns(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    assert weights_of(made(arm="fixed_joint"), path).learned_patterns() == ()
    with pytest.raises(WeightsError, match=r"missing\.safetensors of semunet are not there; train them first"):
        replace(METHOD, weights_path=tmp_path / "missing.safetensors").learned_patterns()
    save_weights(path, Weights({"a": torch.zeros(1)}, {"recipe": {"shape": {"inputs": 1}}}))
    with pytest.raises(WeightsError, match=r"holds no samplers of semunet .*; give weights of this method"):
        replace(METHOD, weights_path=path).learned_patterns()
    path.write_bytes(b"nothing")
    with pytest.raises(WeightsError, match="holds no samplers of semunet"):
        replace(METHOD, weights_path=path).learned_patterns()


def test_reading_patterns_needs_no_torch(tmp_path: Path) -> None:
    weights_of(made(), tmp_path / "weights.safetensors")
    script = (
        "import json, sys\n"
        "from dataclasses import replace\n"
        "from pathlib import Path\n"
        "from mrviewer_models.semunet import METHOD\n"
        "patterns = replace(METHOD, weights_path=Path(sys.argv[1])).learned_patterns()\n"
        "print(json.dumps({'count': len(patterns), 'torch': 'torch' in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "weights.safetensors")],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == {"count": 2, "torch": False}


def test_who_is_held_out_is_measured_on_learned_lines_too(tmp_path: Path) -> None:
    magnitude = np.hypot(*np.mgrid[-1:1:28j, -1:1:24j])[None].repeat(2, axis=0).astype(np.float32)
    geometry = Geometry.axial(magnitude.shape, (4.0, 1.0, 1.0))
    subject = Subject("anna", lambda: Study("anna", {"FLAIR": Image(magnitude, geometry, "FLAIR")}))
    method = weights_of(made(), tmp_path / "weights.safetensors")
    figures = finish(evaluate_subjects(method, [subject], "cpu"))["anna"]
    assert list(figures) == ["zero-filled", "semunet", "semunet on its own mask"]
    only_points = weights_of(made(samplers="points@4"), tmp_path / "points.safetensors")
    assert list(finish(evaluate_subjects(only_points, [subject], "cpu"))["anna"]) == ["zero-filled", "semunet"]


def test_shipped_masks_are_made_at_any_size() -> None:
    try:
        METHOD.learned_patterns()
    except WeightsError:
        with pytest.raises(MaskError, match="is learned by semunet, whose weights are not there"):
            make_mask("learned:semunet", (218, 182), 4)
        pytest.skip("semunet has not been trained in this checkout")
    for name, count in (("learned:semunet", round(182 / 4)), ("learned-2d:semunet", round(218 * 182 / 4))):
        assert np.count_nonzero(make_mask(name, (218, 182), 4).pattern) == count


# Options -------------------------------------------------------------------------------------------------------------


def test_options_are_read_and_strangers_refused() -> None:
    plan = recipe({"preset": "tiny", "coarsen": "2", "samplers": "points@10", "norm": "batch", "stages": "0,1,0"})
    shape = plan.options.shape
    assert (shape.sampling.height, shape.sampling.width, shape.sampling.samplers) == (112, 96, "points@10")
    assert shape.reconstruction.norm == shape.segmentation.norm == "batch"
    assert (plan.training.weight_decay, plan.training.main_acceleration) == (0.0, 1.0)
    assert recipe({"arm": "full"}).options.shape.recon == "none"
    with pytest.raises(UnknownNameError, match="the recipe of semunet has no option 'sharpness'"):
        recipe({"sharpness": "3"})
    with pytest.raises(InputError, match="semunet samples its batches itself; leave main_share and main_acceleration"):
        recipe({"main_acceleration": "4"})
    with pytest.raises(InputError, match="dc=soft follows a U-Net and d5c5 is consistent by itself"):
        recipe({"dc": "soft", "recon": "d5c5"})
    with pytest.raises(InputError, match="'lines' is no sampler"):
        recipe({"samplers": "lines"})


def test_slices_of_another_grid_are_refused(batch: Batch) -> None:
    plan = recipe({"preset": "tiny", "coarsen": "4", "samplers": "lines@4"})
    with pytest.raises(InputError, match=r"the slices are 28 x 24 and the sampler was made for 1 x 48"):
        plan.losses(network_of(plan), batch, at(5))
