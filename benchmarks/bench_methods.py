"""Every network as we run it, against its reference implementation as it stands: one slice, one thread.

A reference is run where `benchmarks.peers` finds it. Elsewhere the other side is our own network as a textbook runs it:
single precision, the default layout of memory, nothing fused.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks import harness
from benchmarks.arithmetic import attainable_gflops, gflop_of
from benchmarks.harness import Row
from benchmarks.peers import REFERENCES, PeerMissingError, Scan
from mrviewer.device import place_network
from mrviewer.method import Measurement
from mrviewer.physics import fft2c
from mrviewer.progress import finish
from mrviewer.sampling import make_mask
from mrviewer.study import Origin
from mrviewer_models.blocks.inference import fast_inference, measured_tensors

__all__ = ["rows"]

SHAPE = (224, 192)
WINDOW = 64
ROUNDS = 3
TARGET = 0.8

FROM_KSPACE = (
    "itfs_drlc", "synnet", "linet", "seranet", "segnetmri", "recseg", "idslr", "cirim", "mtlrs", "semunet",
)  # fmt: skip
GRADIENTS = {"": True, ", no_grad": False}
"""How the other side is called: as it stands, keeping what a gradient would need, or without."""


@dataclass(frozen=True)
class Case:
    """One network, and how both sides run it.

    Parameters
    ----------
    name, size
        What is compared, on what.
    peer
        Whose implementation runs against it.
    ours, theirs
        Run it once.
    note
        Why there is no reference, if there is none.
    """

    name: str
    size: str
    peer: str
    ours: Callable[[], object]
    theirs: Callable[[], object]
    note: str


def rows(preset: str = "paper", shape: tuple[int, int] = SHAPE, rounds: int = ROUNDS) -> Iterator[Row]:
    """All methods in one size with fresh weights, each with and without gradients on the other side.

    Parameters
    ----------
    preset, shape, rounds
        Size of the networks and of the slice, and how often both are timed.
    """
    for build in (*(_from_kspace(name) for name in FROM_KSPACE), _unet_full, _mtinet, _multiunet):
        torch.manual_seed(0)
        case = build(preset, shape)
        if isinstance(case, Row):
            yield case
            continue
        gflop = gflop_of(case.theirs)
        for how, gradients in GRADIENTS.items():
            yield _row(case, gflop, how, gradients=gradients, rounds=rounds)


def _row(case: Case, gflop: float, how: str, *, gradients: bool, rounds: int) -> Row:
    def theirs() -> object:
        with torch.set_grad_enabled(gradients):
            return case.theirs()

    row = harness.pair(case.name, case.ours, theirs, peer=case.peer + how, target=TARGET, rounds=rounds)
    assert row.ours_ms is not None
    rate = 1000 * gflop / row.ours_ms
    share = rate / attainable_gflops()
    note = (
        f"{case.size}, fresh weights; {gflop:.1f} GFLOP at {rate:.0f} GFLOP/s, "
        f"{share:.2f} of the {attainable_gflops():.0f} that a large matrix product reaches"
    )
    return replace(row, note=f"{note}; {case.note}" if case.note else note)


def _from_kspace(name: str) -> Callable[[str, tuple[int, int]], Case]:
    """Case of a method that runs on a measured slice by its own ``infer``."""

    def build(preset: str, shape: tuple[int, int]) -> Case:
        network, measurement = _network(name, preset), _measurement(shape)
        quick = _quick(network)
        infer = import_module(f"mrviewer_models.{name}.inference").infer
        scan = measured_tensors(measurement, "cpu")
        peer, theirs, note = _reference(name, network, scan)
        return Case(
            f"{name}, {preset}",
            f"{shape[0]} x {shape[1]}",
            peer,
            lambda: infer(quick, measurement, "cpu"),
            theirs,
            note,
        )

    return build


def _reference(name: str, network: nn.Module, scan: Scan) -> tuple[str, Callable[[], object], str]:
    """Name of the other side, what runs it, and why it is ours if it is."""
    if name not in REFERENCES:
        return "ours, plain", _plain(network, *scan), ""
    peer, build = REFERENCES[name]
    try:
        forward = build(network)
    except PeerMissingError as error:
        return "ours, plain", _plain(network, *scan), f"not {peer}, for {error}"
    return peer, lambda: forward(scan), ""


def _unet_full(preset: str, shape: tuple[int, int]) -> Case:
    network, measurement = _network("unet_full", preset), _measurement(shape)
    quick = _quick(network)
    infer = import_module("mrviewer_models.unet_full.inference").infer_volume
    image = torch.from_numpy(measurement.images["FLAIR"])
    size = f"{shape[0]} x {shape[1]}"
    peer, theirs, note = _reference("unet_full", network, (image,))
    return Case(f"unet_full, {preset}", size, peer, lambda: finish(infer(quick, measurement, "cpu")), theirs, note)


def _mtinet(preset: str, shape: tuple[int, int]) -> Case | Row:
    if not find_spec("mrviewer_models.mtinet.recipe"):
        return harness.skipped(f"mtinet, {preset}", peer="ours, plain", target=TARGET, reason="it is not there")
    phases = torch.rand(1, 4, *shape)
    return _forward(_network("mtinet", preset), f"mtinet, {preset}", f"4 x {shape[0]} x {shape[1]}", phases)


def _multiunet(preset: str, shape: tuple[int, int]) -> Case:
    edge = min(WINDOW, *shape)
    network = _network("multiunet", preset)
    volume = torch.rand(1, len(network.shape.channels), edge, edge, edge)
    return _forward(network, f"multiunet, {preset}", f"{edge} x {edge} x {edge}", volume)


def _forward(network: nn.Module, name: str, size: str, volume: Tensor) -> Case:
    """Case of a method whose ``infer`` does more than run its network once."""
    quick = _quick(network)

    def ours() -> object:
        with fast_inference("cpu", allow_bf16=False):
            return quick(volume)

    return Case(name, size, "ours, plain", ours, _plain(network, volume), "")


def _network(name: str, preset: str) -> Any:  # noqa: ANN401 - each has a shape of its own
    return import_module(f"mrviewer_models.{name}.recipe").recipe({"preset": preset}).network().eval()


def _quick(network: nn.Module) -> nn.Module:
    """Copy in the layout of memory in which methods keep their networks."""
    return place_network(deepcopy(network), "cpu").eval()


def _plain(network: nn.Module, *inputs: Tensor) -> Callable[[], object]:
    plain = deepcopy(network)

    def forward() -> object:
        with _default_layout():
            return plain(*inputs)

    return forward


@contextmanager
def _default_layout() -> Iterator[None]:
    """Let our networks ask for another layout of memory in vain."""
    contiguous = torch.Tensor.contiguous

    def default(tensor: Tensor, memory_format: torch.memory_format = torch.contiguous_format) -> Tensor:
        del memory_format
        return contiguous(tensor)

    with mock.patch.object(torch.Tensor, "contiguous", default):
        yield


def _measurement(shape: tuple[int, int]) -> Measurement:
    """Noisy disc of one coil at R = 4 with 8 % centre; what is in it does not change how long it takes."""
    y, x = np.linspace(-1, 1, shape[0])[:, None], np.linspace(-1, 1, shape[1])
    noise = np.random.default_rng(0).random(shape)
    image = ((np.hypot(y, x) < 0.9) * (1 + 0.1 * noise)).astype(np.float32)[None]
    mask = make_mask("random", shape, 4.0, 0.08, 0)
    kspace = (fft2c(image.astype(np.complex64)) * mask.pattern).astype(np.complex64)[:, None]
    return Measurement(kspace, mask, np.ones_like(kspace), "FLAIR", Origin.MAGNITUDE, {"FLAIR": image})
