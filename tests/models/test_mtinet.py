"""MTI-Net: sizes, where gradients go, what each module does, and that it learns."""

from dataclasses import replace

import pytest
import torch
from small_runs import fresh_network, learn
from torch import Tensor, nn

from mrviewer.training.recipe import Moment
from mrviewer_models.mtinet.batches import LiverBatch
from mrviewer_models.mtinet.losses import (
    consistency_loss,
    discriminator_loss,
    fooling_loss,
    mask_loss,
    task_losses,
    true_tasks,
    true_values,
)
from mrviewer_models.mtinet.mdief import MdIEF, MeanFusion, channel_entropy, high_frequencies
from mrviewer_models.mtinet.network import MTINet, Prediction
from mrviewer_models.mtinet.phase_transformer import PhaseTransformer
from mrviewer_models.mtinet.recipe import MTINetRecipe, recipe
from mrviewer_models.mtinet.shape import PRESETS, MTIShape
from mrviewer_models.mtinet.targets import masked_means, measured_values, relative, size_values
from mrviewer_models.mtinet.tim import region_mean, region_weights

MODULES = ("with_mdief", "with_phase_transformer", "with_tim", "with_tdd")
LEVELS = {0: (0.8, 2.0, 1.0, 0.9), 1: (0.7, 0.9, 1.2, 1.6)}
LATE = Moment(9, 9, 10)


def count(module: nn.Module | None) -> int:
    return 0 if module is None else sum(parameter.numel() for parameter in module.parameters())


def slices(n: int = 3, size: int = 32, seed: int = 0) -> LiverBatch:
    """Bodies with one round tumour each, of two kinds by turns; the last slice has none."""
    generator = torch.Generator().manual_seed(seed)
    y, x = torch.meshgrid(torch.linspace(-1, 1, size), torch.linspace(-1, 1, size), indexing="ij")
    body = (torch.hypot(y, x) < 0.9).float()
    liver = (torch.hypot(y, x + 0.2) < 0.6).float()
    raw, labels = [], []
    for number in range(n):
        centre = torch.rand(2, generator=generator) * 0.4 - 0.3
        label = (torch.hypot(y - centre[0], x - centre[1]) < 0.25).float() * (number < n - 1 or n == 1)
        background = torch.stack([body * level for level in (1.0, 1.3, 1.9, 1.6)])
        tumour = torch.tensor(LEVELS[number % 2])[:, None, None]
        raw.append(background * (1 - label) + tumour * label)
        labels.append(label)
    label = torch.stack(labels)[:, None]
    signal = torch.stack(raw) + 0.01 * torch.rand((n, 4, size, size), generator=generator)
    return LiverBatch((signal - 1) / 0.4, signal, label, liver.expand(n, 1, -1, -1) * (1 - label), torch.arange(n) % 2)


def tiny(**switches: object) -> MTINet:
    torch.manual_seed(0)
    return MTINet(replace(PRESETS["tiny"], **switches))  # type: ignore[arg-type]


def predicted(logits: Tensor, regression: Tensor, n_classes: int = 2) -> Prediction:
    return Prediction(logits, logits, regression, torch.zeros(len(logits), n_classes))


def gradients(loss: Tensor, module: nn.Module) -> dict[str, Tensor]:
    module.zero_grad(set_to_none=True)
    loss.backward()
    return {name: parameter.grad for name, parameter in module.named_parameters() if parameter.grad is not None}


def test_the_paper_sizes() -> None:
    with torch.device("meta"):
        network = MTINet(PRESETS["paper"])
    assert count(network.generator) == 5_528_939
    assert count(network.discriminator) == 430_593


@pytest.mark.parametrize("switch", MODULES)
def test_a_module_left_out_takes_its_parameters_along(switch: str) -> None:
    whole, part = tiny(), tiny(**{switch: False})
    assert count(part) < count(whole)
    assert (part.discriminator is None) == (switch == "with_tdd")
    assert part(slices().phases).logits.shape == (3, 1, 32, 32)


def test_without_mdief_phases_are_averaged() -> None:
    fusion = tiny(with_mdief=False).generator.fusion
    assert all(isinstance(module, MeanFusion) for module in fusion)
    features = torch.rand(2, 4, 3, 5, 6)
    assert torch.equal(fusion[0](features), features.mean(dim=1))


@pytest.mark.parametrize("spectrum", ["fourier", "haar"])
@pytest.mark.parametrize("norm", ["instance", "study"])
def test_every_parameter_learns(spectrum: str, norm: str) -> None:
    made = recipe({"preset": "tiny", "spectrum": spectrum, "norm": norm})
    torch.manual_seed(0)
    network = made.network()
    found = gradients(made.losses(network, slices(), LATE).total, network)
    silent = [name for name, _ in network.named_parameters() if name not in found or not found[name].any()]
    assert silent == []


def test_the_generator_fools_without_teaching_the_discriminator() -> None:
    network, batch = tiny(), slices()
    assert network.discriminator is not None
    answers = network(batch.phases).tasks()
    loss = fooling_loss(network.discriminator, batch.phases, answers)
    assert gradients(loss, network.discriminator) == {}
    assert any(parameter.grad is not None for parameter in network.generator.parameters())


@pytest.mark.parametrize("answer", ["mask", "regression", "classes"])
def test_the_discriminator_is_fooled_through_every_task(answer: str) -> None:
    network, batch = tiny(), slices()
    assert network.discriminator is not None
    tasks = network(batch.phases).tasks()
    given = getattr(tasks, answer)
    given.retain_grad()
    fooling_loss(network.discriminator, batch.phases, tasks).backward()
    assert given.grad.any()


def test_the_discriminator_learns_without_teaching_the_generator() -> None:
    network, batch = tiny(), slices()
    assert network.discriminator is not None
    real = true_tasks(batch, network.shape, 0.9)
    loss = discriminator_loss(network.discriminator, batch.phases, real, network(batch.phases).tasks())
    assert gradients(loss, network.generator) == {}
    assert all(parameter.grad is not None for parameter in network.discriminator.parameters())


def test_one_step_is_the_simultaneous_update() -> None:
    made, batch = recipe({"preset": "tiny"}), slices()
    network = made.network().eval()
    assert isinstance(network, MTINet)
    together = gradients(made.losses(network, batch, LATE).total, network)
    plain = recipe({"preset": "tiny", "adversarial_weight": "0"})
    alone = gradients(plain.losses(network, batch, LATE).total, network)
    for name, gradient in together.items():
        same = torch.allclose(gradient, alone[name], atol=1e-7)
        assert same == name.startswith("discriminator"), name


def test_the_true_answers_score_one_at_best() -> None:
    network, batch = tiny(), slices()
    real = true_tasks(batch, network.shape, 0.9)
    assert real.classes.sum(dim=1).allclose(torch.ones(3))
    assert real.classes.max(dim=1).values.allclose(torch.full((3,), 0.9))
    assert real.classes.argmax(dim=1).tolist() == batch.diagnosis.tolist()


def test_joining_terms_wait_for_their_share_of_the_run() -> None:
    made = recipe({"preset": "tiny", "late_share": "0.5"})
    network, late = made.network(), {"consistency", "adversarial", "discriminator"}
    assert not late & set(made.losses(network, slices(), Moment(4, 4, 10)).parts)
    assert late <= set(made.losses(network, slices(), Moment(5, 5, 10)).parts)


def test_enhancement_of_a_constructed_case() -> None:
    raw = torch.full((1, 4, 6, 6), 7.0)
    label = torch.zeros(1, 1, 6, 6)
    label[..., 2:4, 1:5] = 1
    for phase, level in enumerate((100.0, 160.0, 140.0, 110.0)):
        raw[:, phase, 2:4, 1:5] = level
    assert masked_means(raw, label)[0].tolist() == [100, 160, 140, 110]
    assert relative(masked_means(raw, label))[0].tolist() == pytest.approx([0.6, 0.4, 0.1])
    assert measured_values(raw, label, "mean")[0].tolist() == [100, 160, 140, 110]
    liver = torch.zeros_like(label)
    liver[..., 0, :] = 1
    assert measured_values(raw, label, "liver_relative", liver)[0].tolist() == pytest.approx([0.6, 0.4, 0.1])
    assert measured_values(raw, label, "liver_relative", label.roll(1, 2))[0].abs().sum() > 0
    with pytest.raises(ValueError, match="needs the liver"):
        measured_values(raw, label, "liver_relative")


def test_a_gain_of_all_phases_changes_no_enhancement() -> None:
    batch = slices()
    assert measured_values(3 * batch.raw, batch.label, "relative").allclose(
        measured_values(batch.raw, batch.label, "relative"), atol=1e-4
    )


def test_consistency_is_zero_where_both_tasks_say_the_same() -> None:
    batch, shape = slices(), PRESETS["tiny"]
    logits = 200 * batch.label - 100
    truth = true_values(batch, shape)
    assert float(consistency_loss(predicted(logits, truth), batch, shape)) < 1e-10
    assert float(consistency_loss(predicted(logits, truth + 1), batch, shape)) == pytest.approx(0.5, abs=1e-3)
    shifted = predicted(logits.roll(8, -1), truth)
    assert float(consistency_loss(shifted, batch, shape)) > 1e-3


def test_consistency_reaches_mask_and_regression() -> None:
    batch, shape = slices(), PRESETS["tiny"]
    logits, values = (3 * batch.label - 1.5).requires_grad_(), torch.ones(3, 3, requires_grad=True)
    consistency_loss(predicted(logits, values), batch, shape).backward()
    assert logits.grad is not None
    assert values.grad is not None
    assert logits.grad[0].any()
    assert values.grad[0].any()
    # The slice without tumour has nothing to tell.
    assert not logits.grad[2].any()
    assert not values.grad[2].any()


def test_slices_without_tumour_teach_the_mask_alone() -> None:
    batch, shape = slices(), MTIShape(base=4)
    prediction = predicted(torch.zeros(3, 1, 32, 32), torch.zeros(3, 3))
    healthy = batch.chosen(torch.tensor([2]))
    alone = task_losses(predicted(torch.zeros(1, 1, 32, 32), torch.zeros(1, 3)), healthy, shape)
    assert float(alone["regression"]) == float(alone["classification"]) == 0
    assert float(alone["segmentation"]) > 0
    unknown = replace(batch, diagnosis=torch.full((3,), -1))
    assert float(task_losses(prediction, unknown, shape)["classification"]) == 0
    assert float(task_losses(prediction, unknown, shape)["regression"]) > 0


def test_the_mask_loss_is_half_dice_and_half_entropy() -> None:
    label = slices().label
    assert float(mask_loss(200 * label - 100, label)) == pytest.approx(0, abs=1e-3)
    logits = torch.zeros_like(label)
    dice = 1 - label.sum() / (0.5 * label.numel() + label.sum() + 0.1)
    assert float(mask_loss(logits, label)) == pytest.approx(float(0.5 * dice + 0.5 * torch.log(torch.tensor(2.0))))


@pytest.mark.parametrize("size", [(16, 16), (13, 12), (9, 14)])
def test_high_frequencies_are_those_outside_the_box(size: tuple[int, int]) -> None:
    features = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
    spectrum = torch.fft.fftshift(torch.fft.fft2(features), dim=(-2, -1))
    for row in range(size[0]):
        for column in range(size[1]):
            offsets = abs(row - size[0] // 2) / (size[0] / 2), abs(column - size[1] // 2) / (size[1] / 2)
            if max(offsets) <= 0.25:
                spectrum[..., row, column] = 0
    expected = torch.fft.ifft2(torch.fft.ifftshift(spectrum, dim=(-2, -1))).real
    assert torch.allclose(high_frequencies(features), expected, atol=1e-5)


@pytest.mark.parametrize("spectrum", ["fourier", "haar"])
def test_what_is_smooth_has_no_high_frequencies(spectrum: str) -> None:
    features = torch.ones(1, 2, 7, 9) * torch.tensor([3.0, -2.0])[:, None, None]
    assert float(high_frequencies(features, spectrum).abs().max()) < 1e-5  # type: ignore[arg-type]
    checks = (torch.arange(8)[:, None] + torch.arange(8)) % 2 * 2.0 - 1
    assert torch.allclose(high_frequencies(checks[None], spectrum), checks, atol=1e-5)  # type: ignore[arg-type]


def test_entropy_is_one_for_alike_channels_and_zero_for_one_that_stands_out() -> None:
    features = torch.zeros(1, 5, 2, 2)
    assert channel_entropy(features, 1).allclose(torch.ones(1, 2, 2))
    features[:, 3] = 50
    assert float(channel_entropy(features, 1).abs().max()) < 1e-6


def test_the_fusion_shares_add_up_and_know_no_order() -> None:
    torch.manual_seed(0)
    fusion, features = MdIEF(6, "fourier"), torch.rand(2, 4, 6, 8, 8)
    assert fusion.phase_weights(features).sum(dim=1).allclose(torch.ones(2, 1, 8, 8))
    assert torch.allclose(fusion(features), fusion(features[:, [2, 0, 3, 1]]), atol=1e-5)
    assert fusion(features).shape == (2, 6, 8, 8)


def test_the_sign_of_gamma_decides_which_phase_wins() -> None:
    fusion, fine = MdIEF(6, "fourier"), torch.zeros(1, 4, 6, 2, 2)
    fine[:, 1, 0] = 20
    with torch.no_grad():
        assert (fusion.phase_weights(fine)[:, 1] < 0.2).all()
        fusion.gamma.neg_()
        assert (fusion.phase_weights(fine)[:, 1] > 0.3).all()


def test_the_phase_transformer_knows_the_order_and_keeps_places_apart() -> None:
    torch.manual_seed(0)
    phases, features = PhaseTransformer(8).eval(), torch.rand(1, 4, 8, 3, 3)
    with torch.no_grad():
        whole = phases(features)
        swapped = phases(features[:, [1, 0, 2, 3]])[:, [1, 0, 2, 3]]
        changed = features.clone()
        changed[..., 0, 0] += 1
        other = phases(changed)
    assert not torch.allclose(whole, swapped, atol=1e-4)
    assert torch.allclose(other[..., 1:, :], whole[..., 1:, :], atol=1e-6)
    assert not torch.allclose(other[:, 2, :, 0, 0], whole[:, 2, :, 0, 0], atol=1e-4)


def test_only_normalisation_by_study_leaves_phases_different() -> None:
    batch = slices(1)
    brighter = batch.phases.clone()
    brighter[:, 2] *= 3
    for norm, keeps in (("instance", False), ("study", True)):
        stage = tiny(norm=norm).eval().generator.encoder
        with torch.no_grad():
            first, second = stage(batch.phases)[0], stage(brighter)[0]
        assert torch.allclose(first, second, atol=1e-2) != keeps


def test_a_region_is_pooled_without_a_gradient_for_the_mask() -> None:
    batch = slices()
    for pooling in ("mean", "region"):
        generator = tiny(pooling=pooling, with_tim=False).generator.eval()
        found = gradients(generator(batch.phases).regression.sum(), generator)
        assert "coarse.weight" not in found
        assert "encoder.stages.3.0.0.weight" in found
    deepest = torch.rand(1, 32, 4, 4)
    coarse = torch.full((1, 1, 32, 32), -100.0)
    coarse[..., 8:16, 16:24] = 100
    assert torch.allclose(generator._pooled(deepest, region_weights(coarse)), deepest[..., 1, 2], atol=1e-5)
    # A mask that says nothing leaves the mean.
    nothing = region_weights(coarse * 0 - 9)
    assert torch.allclose(generator._pooled(deepest, nothing), deepest.mean(dim=(2, 3)), atol=1e-6)


@pytest.mark.parametrize("level", [-60.0, 0.0, 5.0])
def test_the_weights_of_a_region_add_up_to_one(level: float) -> None:
    logits = level + torch.randn(2, 1, 6, 7, generator=torch.Generator().manual_seed(0))
    probability = torch.sigmoid(logits.double())
    for sharpness in (1.0, 3.0):
        weights = region_weights(logits, sharpness)
        expected = probability**sharpness / (probability**sharpness).sum(dim=(2, 3), keepdim=True)
        assert torch.allclose(weights.double(), expected, atol=1e-6)
    features = torch.rand(2, 3, 6, 7)
    assert torch.allclose(region_mean(features, torch.full((2, 1, 6, 7), 1 / 42)), features.mean(dim=(2, 3)), atol=1e-6)


def test_the_region_may_read_phases_that_are_not_fused() -> None:
    fused, apart = tiny(region="decoder"), tiny(region="phases")
    assert count(apart) - count(fused) == 4 * 4 * 32
    batch = slices()
    found = gradients(apart(batch.phases).regression.sum(), apart.generator)
    assert found["interaction.region.weight"][:, 4:].any()


def test_a_label_guides_the_region_where_there_is_one() -> None:
    network, batch = tiny().eval(), slices()
    with torch.no_grad():
        free, guided = network(batch.phases), network(batch.phases, batch.label)
        elsewhere = network(batch.phases, batch.label.roll(8, -1))
    assert torch.equal(free.coarse, guided.coarse)
    for one, two in ((free, guided), (guided, elsewhere)):
        differs = (one.regression - two.regression).abs().amax(dim=1) > 1e-5
        assert differs.tolist() == [True, True, False]


def test_guidance_ends_after_its_share_of_the_run() -> None:
    batch = slices()
    for share, same in (("0", True), ("0.5", True), ("1", False)):
        made = recipe({"preset": "tiny", "guided_share": share, "late_share": "1"})
        torch.manual_seed(0)
        network = made.network().eval()
        free = recipe({"preset": "tiny", "guided_share": "0", "late_share": "1"})
        losses = [float(one.losses(network, batch, Moment(5, 5, 10)).total.detach()) for one in (made, free)]
        assert (losses[0] == losses[1]) == same


def test_tasks_read_each_other_through_tim_alone() -> None:
    for with_tim in (True, False):
        network, batch = tiny(with_tim=with_tim).eval(), slices()
        found = gradients(network(batch.phases).regression.sum(), network.generator)
        assert ("coarse.weight" in found) == with_tim
        prediction = network(batch.phases)
        assert (prediction.coarse is prediction.logits or torch.equal(prediction.coarse, prediction.logits)) != with_tim


@pytest.mark.parametrize("size", [(12, 10), (37, 50), (4, 4), (8, 64)])
def test_any_size_and_an_empty_image_give_finite_answers(size: tuple[int, int]) -> None:
    network = tiny().eval()
    assert network.discriminator is not None
    for phases in (torch.rand(2, 4, *size), torch.zeros(2, 4, *size)):
        prediction = network(phases)
        assert prediction.logits.shape == prediction.coarse.shape == (2, 1, *size)
        answers = prediction.tasks()
        score = network.discriminator(phases, answers.mask, answers.regression, answers.classes)
        assert score.shape == (2,)
        for answer in (prediction.logits, prediction.regression, prediction.class_logits, score):
            assert answer.isfinite().all()


def test_the_size_of_a_region() -> None:
    mask = torch.zeros(20, 30, dtype=torch.bool)
    mask[4:8, 10:16] = True
    x, y, diameter, area = size_values(mask.numpy(), 2.0)
    assert (x, y) == (pytest.approx((12.5 - 14.5) * 0.02), pytest.approx((5.5 - 9.5) * 0.02))
    assert diameter == pytest.approx(((3**2 + 5**2) ** 0.5 + 1) * 0.02)
    assert area == pytest.approx(24 * 0.0004)
    assert not size_values(mask.numpy() & False, 2.0).any()


@pytest.mark.parametrize(
    ("options", "n_values"),
    [({}, 3), ({"target": "mean"}, 4), ({"target": "liver_relative"}, 3), ({"quant": "true"}, 7)],
)
def test_every_target_has_its_values_and_trains(options: dict[str, str], n_values: int) -> None:
    made = recipe({"preset": "tiny", **options})
    network = made.network()
    assert network(slices().phases).regression.shape == (3, n_values)
    assert true_values(slices(), made.options.shape).shape == (3, n_values)
    assert made.losses(network, slices(), LATE).total.isfinite()


@pytest.mark.parametrize("task", ["segmentation", "regression", "classification"])
def test_a_task_may_be_left_out(task: str) -> None:
    made = recipe({"preset": "tiny", "with_tdd": "false", "with_tim": "false", f"{task}_weight": "0"})
    network = made.network()
    found = gradients(made.losses(network, slices(), LATE).total, network)
    heads = {
        "segmentation": "generator.coarse.weight",
        "regression": "generator.regression.0.weight",
        "classification": "generator.classifier.0.weight",
    }
    assert {name for name, head in heads.items() if head in found} == set(heads) - {task}


def test_it_learns_two_slices_by_heart() -> None:
    made, batch = recipe({"preset": "tiny", "late_share": "0.5"}), slices(3)
    network = learned(made, batch, steps=70)
    with torch.no_grad():
        prediction = network.eval()(batch.phases)
    found = prediction.logits > 0
    dice = 2 * (found * batch.label).sum() / (found.sum() + batch.label.sum())
    assert dice > 0.9
    sick = batch.has_tumour
    assert prediction.class_logits.argmax(dim=1)[sick].tolist() == batch.diagnosis[sick].tolist()
    error = (prediction.regression[sick] - true_values(batch, made.options.shape)[sick]).abs().mean()
    assert error < 0.15


def learned(made: MTINetRecipe, batch: LiverBatch, steps: int) -> MTINet:
    network = fresh_network(made, MTINet)
    for _ in learn(made, network, batch, steps, 5e-3):
        pass
    return network
