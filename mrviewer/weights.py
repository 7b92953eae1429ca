"""Weights as data: safetensors files that say in their metadata what they are. Nothing else is loaded."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mrviewer.errors import WeightsError
from mrviewer.writers.whole import whole_file

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Weights", "load_weights", "read_about", "save_weights"]


@dataclass(frozen=True, eq=False)
class Weights:
    """Parameters by name, and what is known about them.

    Parameters
    ----------
    tensors
        Parameters and buffers.
    about
        ``method``, ``preset``, ``recipe`` (all its options), ``trained_on``, ``figures`` and whatever else a card says.
    """

    tensors: Mapping[str, "Tensor"]
    about: Mapping[str, object]


def save_weights(path: Path, weights: Weights) -> None:
    """Write a safetensors file, whole or not at all."""
    from safetensors.torch import save_file

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.tensors.items()}
    with whole_file(path) as temporary:
        save_file(tensors, temporary, metadata={"mrviewer": json.dumps(dict(weights.about))})
        temporary.chmod(0o644)  # the library makes files that only their owner can read


def load_weights(path: Path) -> Weights:
    """Read a safetensors file.

    Raises
    ------
    WeightsError
        If the file is missing, damaged, or not a safetensors file of this program.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise WeightsError(
            f"the weights {path.name} are not there; train them with `mrviewer train` or install them again"
        )
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path.name} is not a readable safetensors file ({error}); give another one") from error
    if "mrviewer" not in metadata:
        raise WeightsError(f"{path.name} holds tensors but no mrviewer card; give weights that mrviewer saved")
    return Weights(tensors, json.loads(metadata["mrviewer"]))


def read_about(path: Path) -> Mapping[str, object]:
    """What a safetensors file of this program says of itself, without its tensors and without torch.

    Raises
    ------
    WeightsError
        If the file is missing, damaged, or not of this program.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get("mrviewer")
        about = None if text is None else json.loads(text)
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"{path.name} is not a readable safetensors file ({error}); give another one") from error
    if not isinstance(about, dict):
        raise WeightsError(f"{path.name} holds no mrviewer card; give weights that mrviewer saved")
    return about
