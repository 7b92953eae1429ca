"""A trained network as a method: its card, its weights, and the slices that it runs on."""

import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mrviewer.errors import WeightsError
from mrviewer.method import Measurement, Method, Task
from mrviewer.methods.weights import Weights, save_weights
from mrviewer.progress import finish
from mrviewer.testing import sample_measurement
from mrviewer.training.recipe import Trainable
from mrviewer_models import d5c5, itfs_drlc, linet, seranet, synnet, unet_full
from mrviewer_models.network_method import NetworkMethod, read_card

METHODS = [d5c5.METHOD, unet_full.METHOD, itfs_drlc.METHOD, synnet.METHOD, linet.METHOD, seranet.METHOD]
NAMES = [method.card.name for method in METHODS]


@pytest.fixture(scope="module")
def tiny_methods(tmp_path_factory: pytest.TempPathFactory) -> dict[str, NetworkMethod]:
    """Our networks in their tiny size, with fresh weights."""
    folder = tmp_path_factory.mktemp("weights")
    made: dict[str, NetworkMethod] = {}
    for method in METHODS:
        torch.manual_seed(0)
        recipe = method.recipe({"preset": "tiny"})
        about = {"recipe": {"shape": asdict(recipe.options.shape)}}
        path = folder / f"{method.card.name}.safetensors"
        save_weights(path, Weights(recipe.network().state_dict(), about))
        made[method.card.name] = replace(method, weights_path=path)
    return made


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.card.name)
def test_cards_are_complete(method: NetworkMethod) -> None:
    assert isinstance(method, Trainable)
    card = method.card
    assert read_card(method.folder) == card
    assert "doi:" in card.citation or "arXiv:" in card.citation
    assert card.weights == "weights.safetensors"
    assert (Task.SEGMENT in card.tasks) == bool(card.classes)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(2, 40, 36), (1, 12, 10)])
def test_promises_are_kept_at_any_size(
    name: str, shape: tuple[int, int, int], tiny_methods: dict[str, NetworkMethod]
) -> None:
    method = tiny_methods[name]
    measurement = sample_measurement(method, shape)
    result = finish(method.run(measurement))
    expected = (Task.RECONSTRUCT in method.card.tasks, Task.SEGMENT in method.card.tasks)
    assert (result.image is not None, result.segmentation is not None) == expected
    if result.image is not None:
        assert result.image.shape == shape
        assert result.steps is not None
        assert np.array_equal(result.steps[-1], result.image)
    if result.segmentation is not None:
        assert result.segmentation.shape == shape


@pytest.mark.parametrize("name", [name for name in NAMES if name != "unet-full"])  # it sees the slices beside each
def test_empty_slices_cost_nothing_and_change_nothing(name: str, tiny_methods: dict[str, NetworkMethod]) -> None:
    method = tiny_methods[name]
    whole = sample_measurement(method, (2, 24, 20))
    padded = _among_empty_slices(whole)
    full, sparse = finish(method.run(whole)), finish(method.run(padded))
    for field, axis in (("image", 0), ("segmentation", 0), ("probabilities", 1), ("steps", 1)):
        dense, spread = getattr(full, field), getattr(sparse, field)
        assert (dense is None) == (spread is None)
        if dense is not None:
            assert spread.shape[axis] == 4
            assert np.array_equal(spread.take([1, 3], axis), dense)
            assert not spread.take([0, 2], axis).any()


def _among_empty_slices(measurement: Measurement) -> Measurement:
    """Slices 1 and 3 of four; the others hold nothing."""

    def spread(stack: np.ndarray) -> np.ndarray:
        among = np.zeros((4, *stack.shape[1:]), stack.dtype)
        among[[1, 3]] = stack
        return among

    return replace(
        measurement,
        kspace=spread(measurement.kspace),
        coil_maps=np.repeat(measurement.coil_maps, 2, axis=0),
        images={name: spread(stack) for name, stack in measurement.images.items()},
    )


def test_weights_that_are_not_there_are_named(tmp_path: Path) -> None:
    method: Method = d5c5.METHOD.with_weights(tmp_path / "lost.safetensors")
    with pytest.raises(WeightsError, match=r"the weights lost\.safetensors are not there; train them with"):
        finish(method.run(sample_measurement(method)))


def test_weights_of_another_method_are_refused(tiny_methods: dict[str, NetworkMethod]) -> None:
    path = tiny_methods["unet-full"].weights_path
    assert path is not None
    method = d5c5.METHOD.with_weights(path)
    with pytest.raises(WeightsError, match=r"unet-full\.safetensors does not fit a D5C5 of this size"):
        finish(method.run(sample_measurement(method)))


def test_new_weights_under_an_old_name_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    recipe = d5c5.METHOD.recipe({"preset": "tiny"})
    method = d5c5.METHOD.with_weights(path)
    measurement = sample_measurement(method, (1, 12, 10))
    images = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        about = {"recipe": {"shape": asdict(recipe.options.shape)}}
        save_weights(path, Weights(recipe.network().state_dict(), about))
        os.utime(path, ns=(seed, seed))
        images.append(finish(method.run(measurement)).image)
    assert not np.array_equal(images[0], images[1])


def test_listing_methods_imports_no_torch() -> None:
    code = (
        "import sys\nfrom mrviewer.methods.registry import get_method\n"
        "print([get_method(name).card.title for name in ('d5c5', 'unet-full', 'itfs-drlc')])\n"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
