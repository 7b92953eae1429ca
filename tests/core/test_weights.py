"""Weights are safetensors with a card, whole or not at all."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from mrviewer.errors import InputError, WeightsError
from mrviewer.methods.weights import Weights, load_weights, save_weights

TENSORS = {"a": torch.arange(6.0).reshape(2, 3), "b/c": torch.tensor([1, 2]), "half": torch.ones(2).half()}
ABOUT = {"method": "d5c5", "recipe": {"steps": 3, "shape": {"features": 8}}, "trained_on": ["one", "two"]}


def test_round_trip_keeps_tensors_types_and_card(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_weights(path, Weights(TENSORS, ABOUT))
    loaded = load_weights(path)
    assert loaded.about == ABOUT
    assert set(loaded.tensors) == set(TENSORS)
    for name, tensor in TENSORS.items():
        assert loaded.tensors[name].dtype == tensor.dtype
        assert torch.equal(loaded.tensors[name], tensor)
    assert [path.name for path in tmp_path.iterdir()] == ["weights.safetensors"]


def test_parameters_in_another_memory_order_are_saved(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    tensor = torch.nn.Parameter(torch.rand(2, 3, 4, 5).to(memory_format=torch.channels_last))
    save_weights(path, Weights({"a": tensor, "turned": tensor[0, 0].T}, {}))
    loaded = load_weights(path).tensors
    assert torch.equal(loaded["a"], tensor.detach())
    assert torch.equal(loaded["turned"], tensor.detach()[0, 0].T)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"the weights lost\.safetensors are not there; train them with"):
        load_weights(tmp_path / "lost.safetensors")


def test_no_folder_no_weights(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="folder nowhere does not exist"):
        save_weights(tmp_path / "nowhere" / "weights.safetensors", Weights(TENSORS, ABOUT))


def test_damage_is_told(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_weights(path, Weights(TENSORS, ABOUT))
    whole = path.read_bytes()
    for damaged in (whole[:-7], whole[: len(whole) // 2], b"", b"\x80\x04K\x01."):
        path.write_bytes(damaged)
        with pytest.raises(WeightsError, match=r"weights\.safetensors is not a readable safetensors file \(.+\); give"):
            load_weights(path)


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    torch.save(TENSORS, path)
    with pytest.raises(WeightsError, match="is not a readable safetensors file"):
        load_weights(path)


def test_tensors_of_another_program_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    for metadata in (None, {"format": "pt"}):
        save_file({"a": torch.zeros(1)}, path, metadata=metadata)
        with pytest.raises(WeightsError, match=r"other\.safetensors holds no mrviewer card; give weights"):
            load_weights(path)
