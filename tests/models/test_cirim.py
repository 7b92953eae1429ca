"""The recurrent inference machine: parameters, memory, gradient of the data term, CIRIM and its weighted loss."""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from ring_scans import assert_slices_do_not_meet, assert_units_do_not_matter, measured, ring
from small_runs import learn
from torch import Tensor

from mrviewer.errors import InputError, UnknownNameError, WeightsError
from mrviewer.methods.weights import Weights, save_weights
from mrviewer.physics import adjoint, forward
from mrviewer.progress import finish
from mrviewer.testing import check_method, sample_measurement
from mrviewer.training.data.batches import Batch
from mrviewer.training.recipe import Moment
from mrviewer_models import cirim
from mrviewer_models.blocks.data_consistency import MeasuredData
from mrviewer_models.blocks.inference import fast_inference
from mrviewer_models.blocks.rim import RIM, RecurrentUnit, RIMCell, RIMShape
from mrviewer_models.cirim.inference import load
from mrviewer_models.cirim.losses import growing_weights, weighted_l1
from mrviewer_models.cirim.network import CIRIM, PRESETS, CIRIMShape, step_names
from mrviewer_models.cirim.recipe import recipe

UNITS: tuple[RecurrentUnit, ...] = ("indrnn", "gru", "mgu")
NOW = Moment(0, 0, 1)


def head(shape: tuple[int, int]) -> np.ndarray:
    return ring(shape).astype(np.complex64)


def scan(shape: tuple[int, int] = (24, 20), n_coils: int = 1, *, points: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    return measured(head(shape), n_coils, points=points)


def batch_of_one() -> Batch:
    image = torch.from_numpy(head((24, 20)))[None]
    return Batch(image, *scan(), torch.zeros(1, 24, 20, dtype=torch.long), torch.tensor([False]))


def count(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def with_kicks(network: CIRIM) -> CIRIM:
    """Changes large enough that a difference between two of them is no rounding."""
    torch.manual_seed(0)
    for name, parameter in network.named_parameters():
        if name.endswith("leave.weight"):
            torch.nn.init.normal_(parameter, std=0.1)
    return network


@pytest.fixture
def tiny() -> CIRIM:
    torch.manual_seed(0)
    return with_kicks(CIRIM(PRESETS["tiny"]))


def test_parameters_of_the_paper() -> None:
    with torch.device("meta"):
        assert count(RIMCell(RIMShape(64))) == 52_992
        assert count(CIRIM(PRESETS["paper"])) == 264_960
        assert count(CIRIM(PRESETS["small"])) == 14_400


@pytest.mark.parametrize(("unit", "each"), [("gru", 3 * (2 * 64 * 64 + 64)), ("mgu", 2 * (2 * 64 * 64 + 64))])
def test_gated_units_have_their_own_count(unit: RecurrentUnit, each: int) -> None:
    convolutions = 52_992 - 2 * (64 * 64 + 64 + 64)
    with torch.device("meta"):
        assert count(RIMCell(RIMShape(64, unit=unit))) == convolutions + 2 * each


@pytest.mark.parametrize("unit", UNITS)
def test_hidden_states_of_zeros_are_none(unit: RecurrentUnit) -> None:
    torch.manual_seed(0)
    cell = RIMCell(RIMShape(8, unit=unit))
    image = torch.randn(1, 12, 10, dtype=torch.complex64)
    zeros = (torch.zeros(1, 8, 12, 10), torch.zeros(1, 8, 12, 10))
    with torch.no_grad():
        change, hidden = cell(image, image.flip(-1), None)
        again, states = cell(image, image.flip(-1), zeros)
        other, _ = cell(image, image.flip(-1), hidden)
    assert torch.allclose(change, again, atol=1e-6)
    assert all(torch.allclose(one, two, atol=1e-6) for one, two in zip(hidden, states, strict=True))
    assert not torch.allclose(change, other, atol=1e-4)


def test_indrnn_is_what_its_formula_says() -> None:
    torch.manual_seed(0)
    unit = RIMCell(RIMShape(4)).units[0]
    features, hidden = torch.randn(2, 4, 6, 5), torch.rand(2, 4, 6, 5)
    weight, bias = unit.get_parameter("feed.weight")[:, :, 0, 0], unit.get_parameter("feed.bias")
    recur = unit.get_parameter("recur")
    expected = (torch.einsum("oi,biyx->boyx", weight, features) + bias[:, None, None] + recur * hidden).clamp(min=0)
    assert torch.allclose(unit(features, hidden), expected, atol=1e-6)


@pytest.mark.parametrize("points", [False, True])
@pytest.mark.parametrize("n_coils", [1, 3])
def test_the_cell_is_fed_with_the_gradient_of_the_data_term(n_coils: int, points: bool) -> None:
    kspace, pattern, maps = scan((17, 13), n_coils, points=points)
    seen: list[Tensor] = []
    rim = RIM(RIMShape(4, 2))
    rim.cell.register_forward_pre_hook(lambda _, inputs: seen.append(inputs))
    data, image = MeasuredData.from_kspace(kspace, pattern, maps)
    steps, _ = rim(data, image)
    for estimate, (given, gradient, _) in zip([image, *steps], seen, strict=False):
        missing = forward(estimate[0].detach().numpy(), maps[0].numpy(), pattern[0, 0].numpy()) - kspace[0].numpy()
        expected = adjoint(missing, maps[0].numpy(), pattern[0, 0].numpy())
        assert torch.equal(given, estimate)
        assert np.allclose(gradient[0].detach().numpy(), expected, atol=1e-5)


def test_every_machine_has_weights_of_its_own_and_is_given_the_memory_of_the_one_before(tiny: CIRIM) -> None:
    assert tiny.cascades[0].cell.enter.weight is not tiny.cascades[1].cell.enter.weight
    given: list[tuple[Tensor, ...] | None] = []
    left: list[tuple[Tensor, ...]] = []
    for rim in tiny.cascades:
        rim.register_forward_pre_hook(lambda _, inputs: given.append(inputs[2]))
        rim.register_forward_hook(lambda _, __, made: left.append(made[1]))
    tiny(*scan())
    assert given[0] is None
    assert given[1] is left[0]


@pytest.mark.parametrize("n_coils", [1, 3])
@pytest.mark.parametrize("shape", [(24, 20), (17, 13)])
def test_estimates_of_every_step_at_any_size(tiny: CIRIM, shape: tuple[int, int], n_coils: int) -> None:
    with torch.no_grad():
        steps = tiny(*scan(shape, n_coils))
    assert [tuple(step.shape) for step in steps] == [(1, *shape)] * 4
    assert all(bool(torch.isfinite(torch.view_as_real(step)).all()) for step in steps)
    assert not torch.equal(steps[0], steps[1])
    assert step_names(tiny.shape) == tuple(f"cascade {k}, step {t}" for k in (1, 2) for t in (1, 2))


@pytest.mark.parametrize("factor", [1e-6, 1000.0])
def test_units_do_not_matter(tiny: CIRIM, factor: float) -> None:
    assert_units_do_not_matter(tiny, scan(), factor, atol=1e-5)


def test_slices_do_not_see_each_other(tiny: CIRIM) -> None:
    assert_slices_do_not_meet(tiny, scan(), atol=1e-5)


def test_the_quick_path_gives_the_same_image(tiny: CIRIM) -> None:
    inputs = scan((40, 36))
    with torch.no_grad():
        expected = tiny(*inputs)[-1]
    tiny.to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    with fast_inference("cpu", allow_bf16=True):
        image = tiny(*inputs)[-1]
    # Eight bits of mantissa in the convolutions, where the processor has them.
    assert float((image - expected).abs().max()) < 2e-2 * float(expected.abs().max())


def test_a_fresh_network_of_the_paper_does_not_explode() -> None:
    torch.manual_seed(0)
    with torch.no_grad():
        steps = CIRIM(PRESETS["paper"])(*scan((16, 16)))
    assert float(steps[-1].abs().max()) < 100 * float(steps[0].abs().max())


@pytest.mark.parametrize("n_coils", [1, 3])
def test_a_fresh_cell_takes_a_step_of_gradient_descent(n_coils: int) -> None:
    torch.manual_seed(0)
    kspace, pattern, maps = scan(n_coils=n_coils)
    data, _ = MeasuredData.from_kspace(kspace, pattern, maps)
    image = torch.from_numpy(head((24, 20))).flip(0)[None] * 1j
    with torch.no_grad():
        change = RIM(RIMShape(16, 1))(data, image)[0][0] - image
    expected = data.residual(image)
    assert float((change - expected).abs().max()) < 0.1 * float(expected.abs().max())


def test_weights_of_the_steps_as_printed() -> None:
    expected = [0.1, 0.139, 0.193, 0.268, 0.373, 0.518, 0.720, 1]
    assert growing_weights(8, "exponential") == pytest.approx(expected, abs=5e-4)
    assert growing_weights(8, "uniform") == [1.0] * 8
    assert growing_weights(1, "exponential") == [1.0]


def test_the_loss_is_the_weighted_mean_of_magnitude_differences() -> None:
    target = torch.tensor([[[2.0, 1.0], [0.0, 0.0]]], dtype=torch.complex64)
    one, two = target * 1j, 0.5 * target
    # Phase does not count; half the target is off by 1/2 and 1/4 of the largest value in two of four pixels.
    error = (0.5 + 0.25) / 4
    given = {"target": target, "cascades": 1}
    assert float(weighted_l1([one, two], **given)) == pytest.approx(error / 2)
    assert float(weighted_l1([two, one], **given)) == pytest.approx(0.1 * error / 2)
    assert float(weighted_l1([two, one], target, cascades=2)) == pytest.approx(error / 2)
    grown = weighted_l1([two, one], target, cascades=2, cascade_weights="exponential")
    assert float(grown) == pytest.approx(0.1 * error / 2)
    assert float(weighted_l1([two, two], target, cascades=1, normalisation="each")) == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("unit", UNITS)
def test_it_learns_one_slice_by_heart(unit: RecurrentUnit) -> None:
    plan = recipe({"preset": "tiny", "unit": unit})
    assert plan.options.shape.rim.unit == unit
    torch.manual_seed(0)
    network, batch = plan.network(), batch_of_one()
    history = [each.parts["reconstruction"] for each in learn(plan, network, batch, 80, 5e-3)]
    zero_filled = MeasuredData.from_kspace(batch.kspace, batch.pattern, batch.maps)[1]
    beginning = float(weighted_l1([zero_filled] * 4, batch.image, cascades=2))
    assert history[-1] < 0.75 * beginning


def test_every_parameter_learns_but_the_last_memory() -> None:
    """The last step leaves hidden states that nobody reads; all weights are used before."""
    network = CIRIM(PRESETS["tiny"])
    weighted_l1(network(*scan()), torch.from_numpy(head((24, 20)))[None], cascades=2).backward()
    assert all(parameter.grad is not None and bool(parameter.grad.any()) for parameter in network.parameters())


def test_an_empty_target_has_a_gradient() -> None:
    network, (kspace, pattern, maps) = CIRIM(PRESETS["tiny"]), scan()
    loss = weighted_l1(network(0 * kspace, pattern, maps), torch.zeros(1, 24, 20, dtype=torch.complex64), cascades=2)
    loss.backward()
    assert all(
        bool(parameter.grad.isfinite().all()) for parameter in network.parameters() if parameter.grad is not None
    )


@pytest.mark.parametrize("unit", UNITS)
def test_weights_say_the_shape_and_keep_the_contract(unit: RecurrentUnit, tmp_path: Path) -> None:
    shape = replace(PRESETS["tiny"], rim=RIMShape(4, 2, unit))
    torch.manual_seed(0)
    network, path = CIRIM(shape), tmp_path / "weights.safetensors"
    save_weights(path, Weights(network.state_dict(), {"recipe": {"shape": asdict(shape)}}))
    assert load(path).shape == shape
    method = replace(cirim.METHOD, weights_path=path)
    check_method(method)
    result = finish(method.run(sample_measurement(method)))
    assert result.step_names[-1] == "cascade 2, step 2"
    assert result.steps is not None
    assert np.array_equal(result.steps[-1], result.image)


def test_weights_of_other_sizes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_weights(path, Weights(CIRIM(PRESETS["tiny"]).state_dict(), {"recipe": {"shape": asdict(CIRIMShape())}}))
    with pytest.raises(WeightsError, match=r"weights\.safetensors does not fit a CIRIM of this size"):
        load(path)


def test_strangers_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="the recipe of cirim has no option 'alpha'"):
        recipe({"alpha": "0.5"})
    with pytest.raises(InputError, match="option unit is 'lstm'; choose one of indrnn, gru, mgu"):
        recipe({"unit": "lstm"})
