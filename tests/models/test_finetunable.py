"""Every trained method goes on learning: from its weights, as a whole or in each of its parts."""

from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mrviewer.geometry import Geometry
from mrviewer.methods.installed import installed_names
from mrviewer.methods.registry import get_method
from mrviewer.methods.weights import Weights, load_weights, save_weights
from mrviewer.study import Image, Study
from mrviewer.training.data.batches import BatchMaker
from mrviewer.training.data.slice_stacks import SliceStack
from mrviewer.training.options import TrainingOptions, describe_options
from mrviewer.training.parts import parts_of, start_learning, trainable_parameters
from mrviewer.training.recipe import Moment, Recipe, Trainable, Tunable
from mrviewer.training.starting import finetune_defaults
from mrviewer_models.brain_mask.batches import BrainBatch
from mrviewer_models.mtinet.batches import LiverBatch
from mrviewer_models.multiunet.adapting import COLUMN
from mrviewer_models.multiunet.batches import VolumeBatch
from mrviewer_models.network_method import NetworkMethod

TRAINED = tuple(name for name in installed_names() if get_method(name).card.weights is not None)
GRID = (32, 27)


def trained(name: str) -> NetworkMethod:
    method = get_method(name)
    assert isinstance(method, NetworkMethod)
    assert isinstance(method, Trainable)
    return method


@cache
def tiny_recipe(name: str) -> Recipe:
    """The tiny preset, on a small grid where one is learned."""
    grid = {"coarsen": "7", "samplers": "lines@2,points@2", "always_lines": "2"}
    return trained(name).recipe({"preset": "tiny", **(grid if name == "semunet" else {})})


@pytest.fixture(scope="module")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Weights of the tiny preset, as training leaves them."""
    folder = tmp_path_factory.mktemp("weights")

    def make(name: str) -> Path:
        path = folder / f"{name}.safetensors"
        if not path.is_file():
            torch.manual_seed(0)
            recipe = tiny_recipe(name)
            about = {"method": name, "recipe": {**asdict(recipe.training), **asdict(recipe.options)}}
            save_weights(path, Weights(recipe.network().state_dict(), about))
        return path

    return make


@pytest.mark.parametrize("name", TRAINED)
def test_shipped_weights_fit_the_network_that_goes_on_from_them(name: str) -> None:
    method = trained(name)
    defaults = finetune_defaults(method)
    recipe = method.recipe(defaults)
    network = recipe.network()
    network.load_state_dict(load_weights(method.weights_file).tensors)
    assert defaults["start_from"] == str(method.weights_file)
    saved = load_weights(method.weights_file).about["recipe"]
    assert isinstance(saved, dict)
    assert recipe.training.batch_size == saved["batch_size"]
    if "loss_seg" in saved:
        assert recipe.options.loss_seg == saved["loss_seg"]
    assert recipe.training.steps < saved["steps"] * 2
    assert recipe.training.hold_out == ""


@pytest.mark.parametrize("name", TRAINED)
def test_parts_are_parts_of_the_network(name: str) -> None:
    method = trained(name)
    recipe = method.recipe(finetune_defaults(method))
    assert isinstance(recipe, Tunable)
    names = [each for each, _ in recipe.network().named_parameters()]
    parts = parts_of(recipe)
    assert len(parts) > 2
    for part, prefixes in parts.items():
        if part == COLUMN:
            continue
        found = [sum(each.startswith(prefix) for each in names) for prefix in prefixes]
        assert min(found) > 0, (part, prefixes)
        assert sum(found) < len(names) or part == "all" or name in ("unet-full", "synnet", "brain-mask")


@pytest.mark.parametrize("name", TRAINED)
def test_the_form_asks_for_nothing_that_the_weights_decide(name: str) -> None:
    method = trained(name)
    defaults = finetune_defaults(method)
    recipe = method.recipe(defaults)
    fields = describe_options(recipe)
    shown = {each.name: each for each in fields}
    assert isinstance(recipe, Tunable)
    assert not set(shown) & {*recipe.structure, "hold_out", "start_from", "adapt_from", "shape"}
    assert [each.traits.common for each in fields] == sorted((each.traits.common for each in fields), reverse=True)
    assert shown["steps"].traits.common
    for each in fields:
        assert each.help, each.name
        # What is shown can be typed.
        method.recipe({**defaults, each.name: each.text})
        assert not each.traits.choices or each.text in each.traits.choices


def batch_for(name: str) -> Any:  # noqa: ANN401 - every recipe has batches of its own
    """Two examples with lesions."""
    rng = np.random.default_rng(0)
    if name == "multiunet":
        label = torch.zeros(2, 1, 32, 32, 32)
        label[..., 10:20, 10:20, 10:20] = 1
        volume = label.expand(-1, 6, -1, -1, -1) + 0.1 * torch.randn(2, 6, 32, 32, 32)
        return VolumeBatch(volume, label, torch.ones(2, 6, dtype=torch.bool))
    if name == "brain-mask":
        brain = torch.zeros(2, 32, 32)
        brain[..., 6:26, 8:24] = 1
        return BrainBatch(brain[:, None] + 0.1 * torch.randn(2, 3, 32, 32), brain)
    if name == "mtinet":
        label = torch.zeros(2, 1, 32, 32)
        label[..., 10:20, 10:20] = 1
        raw = 1 + label + 0.1 * torch.rand(2, 4, 32, 32)
        return LiverBatch((raw - 1) / 0.5, raw, label, 1 - label, torch.tensor([0, 3]))
    images = np.zeros((4, *GRID), np.float16)
    images[:, 3:-3, 3:-3] = rng.uniform(0.2, 0.5, (4, GRID[0] - 6, GRID[1] - 6))
    labels = np.zeros((4, *GRID), np.uint8)
    labels[:, 12:17, 9:14] = 1
    images[labels > 0] = 1
    known = np.ones(4, bool)
    stack = SliceStack(images, labels, (images > 0).astype(np.uint8), known, known, known)
    given = tiny_recipe(name).training
    options = TrainingOptions(batch_size=2, main_share=1, main_acceleration=1 if name == "semunet" else 4, coil_share=0)
    assert given.coarsen == (7 if name == "semunet" else 1)
    return BatchMaker(stack, options, needs_kspace=name != "unet-full").batch(0)


PARTS = [(name, part) for name in TRAINED for part in parts_of(trained(name).recipe(finetune_defaults(trained(name))))]


def state_of(network: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


@pytest.mark.parametrize(("name", "part"), PARTS)
def test_a_step_changes_the_chosen_part_and_nothing_else(
    name: str, part: str, tiny_weights: Callable[[str], Path]
) -> None:
    method = trained(name).with_weights(tiny_weights(name))
    assert isinstance(method, Trainable)
    defaults = {**finetune_defaults(method, tiny_weights(name), parts=[part]), "precision": "fp32"}
    recipe = method.recipe(defaults)
    torch.manual_seed(0)
    network = recipe.network()
    if recipe.training.start_from:
        network.load_state_dict(load_weights(tiny_weights(name)).tensors)
    parameters = trainable_parameters(network, recipe, [part])
    optimiser = torch.optim.Adam(parameters, lr=0.01, weight_decay=recipe.training.weight_decay)
    start_learning(network)
    before = state_of(network)
    batch = batch_for(name)
    for number in range(2):
        optimiser.zero_grad()
        recipe.losses(network, batch, Moment(number, number / 4, 10)).total.backward()
        optimiser.step()
    moved = {each for each, tensor in network.state_dict().items() if not torch.equal(tensor, before[each])}
    prefixes = parts_of(recipe)[part]
    assert moved
    assert all(each.startswith(prefixes) for each in moved)
    assert all(any(each.startswith(prefix) for each in moved) for prefix in prefixes)


def hippocampus(modality: str = "T1") -> Study:
    geometry = Geometry.axial((35, 51, 36), (1.0, 1.0, 1.0))
    return Study("crop", {modality: Image(np.zeros(geometry.shape, np.uint8), geometry, modality)})


def test_a_small_structure_is_seen_on_its_own_voxels() -> None:
    method = trained("multiunet")
    shape = method.recipe(finetune_defaults(method, None, hippocampus())).options.shape
    assert (shape.voxel_mm, shape.window) == (1.0, 32)
    geometry = Geometry.axial((30, 200, 160), (5.0, 1.0, 1.0))
    brain = Study("brain", {"T1": Image(np.zeros(geometry.shape, np.uint8), geometry, "T1")})
    shape = method.recipe(finetune_defaults(method, None, brain)).options.shape
    assert (shape.voxel_mm, shape.window) == (2.0, 64)


def test_a_new_modality_takes_a_free_channel_and_the_weights_still_fit() -> None:
    method = trained("multiunet")
    recipe = method.recipe(finetune_defaults(method, None, hippocampus("DWI")))
    assert recipe.options.shape.channels == ("FLAIR", "T1", "T1Gd", "T2", "DWI", "")
    before = load_weights(method.weights_file).tensors
    after = recipe.network().state_dict()
    assert all(torch.equal(after[name], tensor.float()) for name, tensor in before.items())


def test_a_column_is_made_for_whoever_chooses_it() -> None:
    method = trained("multiunet")
    assert not method.recipe(finetune_defaults(method)).options.shape.progressive
    recipe = method.recipe(finetune_defaults(method, parts=[COLUMN]))
    assert recipe.options.shape.progressive


def test_a_mask_learns_by_itself_while_masks_are_drawn() -> None:
    method = trained("semunet")
    assert method.recipe(finetune_defaults(method, parts=["mask"])).options.stages == (0, 1, 0)
