"""Weights as data: safetensors files that say in their metadata what they are. Nothing else is loaded."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mrviewer.errors import WeightsError
from mrviewer.files.json_text import parse_json
from mrviewer.files.whole_file import whole_file

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Weights", "load_weights", "read_about", "read_sizes", "save_weights"]


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

    _require_there(path)
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError, ValueError, TypeError, RuntimeError) as error:
        raise _unreadable(path, error) from error
    return Weights(tensors, _about(path, metadata))


def read_about(path: Path) -> Mapping[str, object]:
    """What a safetensors file of this program says of itself, without its tensors and without torch.

    Raises
    ------
    WeightsError
        If the file is missing, damaged, or not of this program.
    """
    return _about(path, _header(path)[0])


def read_sizes(path: Path) -> Mapping[str, tuple[int, ...]]:
    """Sizes of the tensors in a safetensors file, without reading them.

    Raises
    ------
    WeightsError
        If the file is missing or damaged.
    """
    return _header(path)[1]


def _header(path: Path) -> tuple[Mapping[str, str], Mapping[str, tuple[int, ...]]]:
    """What a file says of itself, and the sizes of its tensors."""
    from safetensors import SafetensorError, safe_open

    _require_there(path)
    try:
        with safe_open(path, framework="numpy") as file:
            names = file.keys()
            return file.metadata() or {}, {name: tuple(file.get_slice(name).get_shape()) for name in names}
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise _unreadable(path, error) from error


def _about(path: Path, metadata: Mapping[str, str]) -> dict[str, object]:
    """The card in a file."""
    try:
        about = parse_json(metadata.get("mrviewer", "null"))
    except ValueError as error:
        raise WeightsError(f"{path.name} has a card that cannot be read; give weights that mrviewer saved") from error
    if not isinstance(about, dict):
        raise WeightsError(f"{path.name} holds no mrviewer card; give weights that mrviewer saved")
    return about


def _require_there(path: Path) -> None:
    if not path.is_file():
        raise WeightsError(
            f"the weights {path.name} are not there; train them with `mrviewer train` or install them again"
        )


def _unreadable(path: Path, error: Exception) -> WeightsError:
    reason = (
        error.strerror if isinstance(error, OSError) and error.strerror else str(error).replace(str(path), path.name)
    )
    return WeightsError(f"{path.name} is not a readable safetensors file ({reason}); give another one")
