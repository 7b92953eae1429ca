"""Checkpoints without pickles: network, optimiser and step in one safetensors file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from mrviewer.errors import WeightsError
from mrviewer.files.json_text import parse_json
from mrviewer.files.whole_file import whole_file

__all__ = ["load_checkpoint", "read_notes", "save_checkpoint"]


def save_checkpoint(
    path: Path,
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    step: int,
    settings: str,
    notes: Mapping[str, Any] | None = None,
) -> None:
    """Write everything that a run needs to go on as if it had not stopped.

    Parameters
    ----------
    path
        Replaced by a file that is whole.
    network, optimiser
        What is kept.
    step
        Steps done.
    settings
        What a run must agree in to go on from here.
    notes
        Whatever else a run wants to know when it goes on, as JSON knows it.
    """
    tensors = {f"network/{name}": tensor.detach().contiguous() for name, tensor in network.state_dict().items()}
    for index, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser/{index}/{name}": value.detach().contiguous() for name, value in state.items()}
    metadata = {"step": str(step), "settings": json.dumps(settings), "notes": json.dumps(dict(notes or {}))}
    with whole_file(path) as temporary:
        save_file(tensors, temporary, metadata=metadata)


def read_notes(path: Path) -> dict[str, Any]:
    """Notes of a checkpoint that `load_checkpoint` took."""
    with safe_open(path, framework="pt") as file:
        notes: dict[str, Any] = parse_json((file.metadata() or {}).get("notes", "{}"))
    return notes


def load_checkpoint(path: Path, network: nn.Module, optimiser: torch.optim.Optimizer, settings: str) -> int:
    """Restore network and optimiser in place, and return the step to go on with.

    Raises
    ------
    WeightsError
        If the checkpoint belongs to a run with other settings, or is damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError, ValueError, TypeError, RuntimeError) as error:
        raise WeightsError(f"{path.name} is damaged; remove it to begin again") from error
    try:
        if parse_json(metadata.get("settings", "null")) != settings:
            raise WeightsError(f"{path.name} belongs to a run with other options; give the same ones, or a new folder")
        step = int(metadata["step"])
        if step < 0 or not isinstance(parse_json(metadata.get("notes", "{}")), dict):
            raise ValueError("its step or its notes are none")
        _restore(tensors, network, optimiser)
    except (ValueError, KeyError, TypeError, IndexError, RuntimeError) as error:
        if isinstance(error, WeightsError):
            raise
        raise WeightsError(f"{path.name} is damaged; remove it to begin again") from error
    return step


def _restore(tensors: Mapping[str, torch.Tensor], network: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    """Give network and optimiser back what they were."""
    network.load_state_dict({name[8:]: value for name, value in tensors.items() if name.startswith("network/")})
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in tensors.items():
        kind, _, rest = name.partition("/")
        if kind == "optimiser":
            index, _, field = rest.partition("/")
            state.setdefault(int(index), {})[field] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
