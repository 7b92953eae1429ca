"""A trained network fitted to a new database: more channels, or a second column beside it.

References
----------
Xu W et al. (2024), arXiv:2405.18511, which extends the first layer by filters with random weights.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from mrviewer.errors import WeightsError
from mrviewer_models.multiunet.network import MultiUNet

__all__ = ["adapt_weights"]

_FROZEN = "body.pretrained."


def adapt_weights(network: MultiUNet, tensors: Mapping[str, Tensor]) -> None:
    """Fill a network with the weights of one that has as many channels or fewer, and perhaps no second column.

    What the weights do not have keeps its random values, but for the filters of new modalities in a frozen first
    column: they are 0, so that this column goes on as it was.

    Raises
    ------
    WeightsError
        If the weights belong to another architecture.
    """
    state = network.state_dict()
    has_column = any(name.startswith(_FROZEN) for name in tensors)
    add_column = network.shape.progressive and not has_column
    for name, tensor in tensors.items():
        target = f"{_FROZEN}{name.removeprefix('body.')}" if add_column else name
        if target not in state or not _fits_inside(tensor, state[target]):
            raise WeightsError(f"{name} has no place in this network; give weights of the same kind and size")
        whole = torch.zeros_like(state[target]) if target.startswith(_FROZEN) else state[target].clone()
        whole[tuple(slice(size) for size in tensor.shape)] = tensor.to(whole.dtype)
        state[target] = whole
    network.load_state_dict(state)


def _fits_inside(tensor: Tensor, whole: Tensor) -> bool:
    return tensor.ndim == whole.ndim and all(a <= b for a, b in zip(tensor.shape, whole.shape, strict=True))
