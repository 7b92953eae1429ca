"""What the tests of the networks do with tiny ones: make them, train them on one scan, and save them."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from mrviewer.method import Measurement, Result
from mrviewer.methods.weights import Weights, save_weights
from mrviewer.physics import forward
from mrviewer.progress import finish
from mrviewer.sampling import Mask
from mrviewer.study import Origin
from mrviewer.testing import check_method, sample_measurement
from mrviewer.training.data.batches import Batch
from mrviewer.training.recipe import Losses, Moment
from mrviewer_models.network_method import NetworkMethod

Network = TypeVar("Network", bound=nn.Module)


def fresh_network(plan: Any, kind: type[Network]) -> Network:  # noqa: ANN401 - every recipe has a type of its own
    """Network with fresh weights, always the same."""
    torch.manual_seed(0)
    network = plan.network()
    assert isinstance(network, kind)
    return network


def learn(plan: Any, network: nn.Module, batch: Any, steps: int, rate: float) -> Iterator[Losses]:  # noqa: ANN401
    """Train on one batch by heart; gives the losses of every step."""
    optimiser = torch.optim.Adam(network.parameters(), rate)
    for step in range(steps):
        losses: Losses = plan.losses(network, batch, Moment(step, step, steps))
        optimiser.zero_grad()
        losses.total.backward()
        optimiser.step()
        yield losses


def saved_weights(plan: Any, network: nn.Module, folder: Path) -> Path:  # noqa: ANN401
    """Write the weights of a network as training does."""
    path = folder / "weights.safetensors"
    save_weights(path, Weights(network.state_dict(), {"recipe": {"shape": asdict(plan.options.shape)}}))
    return path


def checked_result(method: NetworkMethod, weights: Path) -> Result:
    """Hold a method with some weights to the contract, and give what it makes of a small measurement."""
    own = method.with_weights(weights)
    check_method(own)
    return finish(own.run(sample_measurement(own)))


def full_measurement(images: Mapping[str, NDArray[np.float32]], modality: str, **facts: Any) -> Measurement:  # noqa: ANN401
    """Images as a method for fully sampled ones is given them, beside k-space that it does not look at."""
    n_slices, height, width = images[modality].shape
    return Measurement(
        kspace=np.zeros((n_slices, 1, height, width), np.complex64),
        mask=Mask(np.ones((1, width), bool), "full"),
        coil_maps=np.ones((n_slices, 1, height, width), np.complex64),
        modality=modality,
        origin=Origin.MAGNITUDE,
        images=images,
        **facts,
    )


def scanned(
    image: NDArray[np.complex64], label: NDArray[np.bool_], pattern: NDArray[np.bool_], maps: NDArray[np.complex64]
) -> Batch:
    """One labelled slice and its measurement as a batch."""
    return Batch(
        torch.from_numpy(image)[None],
        torch.from_numpy(forward(image, maps, pattern).astype(np.complex64))[None],
        torch.from_numpy(pattern.astype(np.float32))[None, None],
        torch.from_numpy(maps)[None],
        torch.from_numpy(label.astype(np.int64))[None],
        torch.tensor([True]),
    )


def disc_with_spot(
    shape: tuple[int, int], spot: tuple[float, float, float]
) -> tuple[NDArray[np.complex64], NDArray[np.bool_]]:
    """A disc with a bright spot `(y, x, radius)`, and where the spot is."""
    y, x = np.linspace(-1, 1, shape[0])[:, None], np.linspace(-1, 1, shape[1])
    inside = np.hypot(y - spot[0], x - spot[1]) < spot[2]
    return ((np.hypot(y, x) < 0.9) * (1.0 + inside)).astype(np.complex64), inside


def some_lines(width: int, share: float, central: slice) -> NDArray[np.bool_]:
    """Lines at random, and all of the central ones."""
    pattern = np.random.default_rng(0).random((1, width)) < share
    pattern[:, central] = True
    return pattern
