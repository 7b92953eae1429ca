"""A trained network fitted to a new database: more channels, a second column, other voxels, parts that learn.

References
----------
Xu W et al. (2024), arXiv:2405.18511, which extends the first layer by filters with random weights.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from mrviewer.errors import WeightsError
from mrviewer.study import Study
from mrviewer_models.multiunet.network import MultiUNet
from mrviewer_models.multiunet.shape import MultiUNetShape

__all__ = ["COLUMN", "adapt_weights", "fitting_options", "parts_of_network"]

COLUMN = "progressive-column"
_FROZEN = "body.pretrained."
_SMALL = 48
"""Structures that are fewer voxels of the network long are looked at on finer ones."""
_LARGEST = 64
"""Most voxels that such a structure is long then."""
_CROP = 32
"""Edge of crops, and of the windows in use: instance normalisation sees in both what it saw in training."""


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


def parts_of_network(shape: MultiUNetShape) -> dict[str, tuple[str, ...]]:
    """Parts that can be trained by themselves, each with the beginnings of its parameters' names."""
    if shape.kind == "lf":
        return {"unet": ("body.single.",), "fusion": ("body.fusion.",), "segmentation-head": ("body.head.",)}
    if shape.kind == "maf":
        return {"encoders": ("body.encoders.",), "fusion": ("body.fusions.",), "decoder": ("body.decoder.",)}
    body = "body.column." if shape.progressive else "body."
    parts = {
        "segmentation-head": (f"{body}decoder.steps.3.",),
        "decoder": (f"{body}decoder.",),
        "encoder": (f"{body}encoder.",),
        "first-layer": (f"{body}encoder.units.0.first.",),
    }
    # Listed where there is none yet, because whoever chooses it gets one, see `fitting_options`.
    return {**parts, COLUMN: ("body.column.",)}


def fitting_options(shape: MultiUNetShape, study: Study | None, parts: Sequence[str]) -> dict[str, str]:
    """Options that suit a new database, as typed.

    A modality that the network has no channel for gets one. A structure so small that few voxels of the network see it
    is looked at on the study's own voxels; nearly everything is new then, and the learning rate is higher.

    Parameters
    ----------
    shape
        Of the weights to start from.
    study
        One of the database.
    parts
        What is to learn.
    """
    options = {"steps": "200", "learning_rate": "0.002", "drop_modalities": "False"}
    if COLUMN in parts:
        options["column"] = "progressive"
    if study is None:
        return options
    if new := [name for name in study.images if name not in shape.modalities]:
        options["extend_modalities"] = ",".join(new)
    if len(study.images) > 1:
        options["drop_modalities"] = "True"
    geometry = next(iter(study.images.values())).geometry
    extent = np.multiply(geometry.shape, geometry.voxel_size_mm)
    if extent.max() < _SMALL * shape.voxel_mm:
        voxel = max(float(np.median(geometry.voxel_size_mm)), float(extent.max()) / _LARGEST)
        options |= {"voxel_mm": f"{voxel:g}", "crop": str(_CROP), "window": str(_CROP)}
        options |= {"learning_rate": "0.004", "steps": "150"}
    return options
