"""D5C5 as we run it, against the same network as a textbook writes it: one slice, one thread."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from itertools import product

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks import harness
from benchmarks.arithmetic import attainable_gflops
from benchmarks.harness import Row
from benchmarks.samples import sample
from mrviewer.physics import fft2c
from mrviewer.sampling import make_mask
from mrviewer_models.blocks.inference import fast_inference
from mrviewer_models.d5c5 import METHOD
from mrviewer_models.d5c5.inference import load
from mrviewer_models.d5c5.network import D5C5, PRESETS

SHAPE = (224, 192)
ROUNDS = 5
TOLERANCES = {"as run": 5e-3, "single precision": 1e-3}
"""Largest difference that is let pass, as a fraction of the largest magnitude.

As run, convolutions are in bfloat16 where the processor has it; with trained weights its eight bits make more of a
difference than with fresh ones.
"""

PEERS = {"plain torch": True, "plain torch, no_grad": False}
"""What we are compared with, and whether it keeps what a gradient would need."""


def rows() -> Iterator[Row]:
    """The size of the paper with fresh weights, and the shipped size with the shipped ones."""
    torch.manual_seed(0)
    path = METHOD.folder / str(METHOD.card.weights)
    shipped = load(path) if path.is_file() else D5C5(PRESETS["small"])
    assert isinstance(shipped, D5C5)
    networks = ((D5C5(PRESETS["paper"]), "fresh weights"), (shipped, "shipped weights" if path.is_file() else "fresh"))
    for network, weights in networks:
        for precision, peer in product(TOLERANCES, PEERS):
            yield _row(network, weights, precision, peer)


def _row(network: D5C5, weights: str, precision: str, peer: str) -> Row:
    scan, plain, shape = _scan(), PlainD5C5(network), network.shape
    quick = deepcopy(network).to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload]

    def ours() -> Tensor:
        with fast_inference("cpu", allow_bf16=precision == "as run"):
            image: Tensor = quick(*scan)[-1]
        return image

    def theirs() -> Tensor:
        with torch.set_grad_enabled(PEERS[peer]):
            image: Tensor = plain(*scan[:2])
        return image

    expected = theirs().detach()
    error = (ours() - expected).abs() / expected.abs().max()
    largest, typical = float(error.max()), float(error.square().mean().sqrt())
    assert largest < TOLERANCES[precision], f"our image differs by {largest:.1e} of the maximum"
    title = f"D5C5 {shape.cascades} x {shape.depth} x {shape.features}, {precision}"
    row = harness.pair(title, ours, theirs, peer=peer, target=0.5, rounds=ROUNDS)
    assert row.ours_ms is not None
    gflop = _gflop(network)
    rate = 1000 * gflop / row.ours_ms
    note = (
        f"{sample().source}, {weights}, {SHAPE[0]} x {SHAPE[1]}; differs by {largest:.0e} of the maximum, "
        f"{typical:.0e} root mean square; {gflop:.1f} GFLOP at {rate:.0f} GFLOP/s, "
        f"{rate / attainable_gflops():.2f} of what a large matrix product reaches"
    )
    return replace(row, note=note)


class PlainD5C5(nn.Module):
    """The cascade as papers print it: every data-consistency step shifts, transforms and shifts, twice."""

    def __init__(self, network: D5C5) -> None:
        super().__init__()
        self.cascades = nn.ModuleList(_plain_cascade(cascade.convolutions) for cascade in network.cascades)

    def forward(self, kspace: Tensor, pattern: Tensor) -> Tensor:
        """Complex image ``(batch, y, x)`` of single-coil k-space ``(batch, 1, y, x)``."""
        kspace, mask = kspace[:, 0], pattern[:, 0]
        image = _ifft2c(kspace)
        scale = image.abs().amax(dim=(1, 2), keepdim=True)
        kspace, image = kspace / scale, image / scale
        for cascade in self.cascades:
            channels = torch.stack([image.real, image.imag], dim=1)
            channels = channels + cascade(channels)
            image = torch.complex(channels[:, 0], channels[:, 1])
            image = _ifft2c((1 - mask) * _fft2c(image) + mask * kspace)
        return image * scale


def _plain_cascade(convolutions: nn.ModuleList) -> nn.Sequential:
    layers: list[nn.Module] = []
    for convolution in convolutions:
        assert isinstance(convolution, nn.Conv2d)
        copy = nn.Conv2d(convolution.in_channels, convolution.out_channels, 3, padding=1)
        copy.load_state_dict(convolution.state_dict())
        layers += [copy, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _fft2c(image: Tensor) -> Tensor:
    axes = (-2, -1)
    return torch.fft.fftshift(torch.fft.fft2(torch.fft.ifftshift(image, dim=axes), norm="ortho"), dim=axes)


def _ifft2c(kspace: Tensor) -> Tensor:
    axes = (-2, -1)
    return torch.fft.fftshift(torch.fft.ifft2(torch.fft.ifftshift(kspace, dim=axes), norm="ortho"), dim=axes)


def _scan() -> tuple[Tensor, Tensor, Tensor]:
    """Single-coil k-space of one slice at R = 4 with 8 % centre, its pattern and its map."""
    volume = sample().flair
    plane = volume[volume.shape[0] // 2]
    image = np.zeros(SHAPE, np.complex64)
    height, width = (min(size, limit) for size, limit in zip(plane.shape, SHAPE, strict=True))
    image[:height, :width] = plane[:height, :width]
    mask = make_mask("random", SHAPE, 4.0, 0.08, 0)
    kspace = torch.from_numpy((fft2c(image) * mask.pattern).astype(np.complex64))[None, None]
    return kspace, torch.from_numpy(mask.pattern.astype(np.float32))[None, None], torch.ones_like(kspace)


def _gflop(network: D5C5) -> float:
    """Multiplications and additions of all convolutions on one slice."""
    weights = sum(parameter.numel() for parameter in network.parameters() if parameter.ndim == 4)
    return 2e-9 * weights * SHAPE[0] * SHAPE[1]
