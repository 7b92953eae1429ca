"""Who computes: one process, or several that train one network together, started by ``torchrun``.

Lightning Fabric carries devices, precision and the group of processes. Gradients are averaged once a step and not while
they are computed, because a recipe may use its network in any way, and because a process that is out of memory must not
leave the others waiting in the middle of a step.
"""

import json
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn

from mrviewer.device import is_quick_in_bfloat16, resolve_device
from mrviewer.errors import InputError

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = ["World", "close_world", "is_first_process", "open_world", "require_fabric"]

Precision = Literal["fp32", "bf16"]

# Measuring a large study may keep the others waiting for long.
_PATIENCE = timedelta(days=1)


class World:
    """The processes that train one network.

    Parameters
    ----------
    fabric
        Launched.
    device
        What this process computes on, such as ``cuda:1``.
    """

    def __init__(self, fabric: "Fabric", device: str) -> None:
        self._fabric = fabric
        self.device = device
        self.rank: int = fabric.global_rank
        self.size: int = fabric.world_size

    @property
    def is_first(self) -> bool:
        """Whether this process writes for all."""
        return self.rank == 0

    def autocast(self) -> AbstractContextManager[Any]:
        """Compute in the precision of the run."""
        context: AbstractContextManager[Any] = self._fabric.autocast()
        return context

    def largest(self, value: int) -> int:
        """Largest of the values of all processes; each must ask."""
        if self.size == 1:
            return value
        return int(self._fabric.all_reduce(torch.tensor([value], device=self.device), reduce_op="max")[0])

    def gather(self, value: Any) -> list[Any]:  # noqa: ANN401 - anything that JSON knows
        """Values of all processes, each of which must ask."""
        if self.size == 1:
            return [value]
        text = torch.frombuffer(bytearray(json.dumps(value).encode()), dtype=torch.uint8).to(self.device)
        sizes = self._gathered(torch.tensor([text.numel()], device=self.device))
        longest = max(int(size) for size in sizes)
        padded = torch.zeros(longest, dtype=torch.uint8, device=self.device)
        padded[: text.numel()] = text
        texts = self._gathered(padded)
        return [json.loads(bytes(one[: int(size)].tolist())) for one, size in zip(texts, sizes, strict=True)]

    def average(self, network: nn.Module, parameters: Sequence[nn.Parameter], n_examples: int) -> None:
        """Divide sums over examples of gradients by the number of examples of all processes; average the buffers.

        Parameters
        ----------
        network
            Its buffers, such as running means, are averaged over the processes.
        parameters
            Whose ``grad`` is the sum over this process's examples.
        n_examples
            Of this process.
        """
        device = parameters[0].device
        if self.size == 1:
            for parameter in parameters:
                if parameter.grad is not None:
                    parameter.grad /= n_examples
            return
        buffers = [buffer for buffer in network.buffers() if buffer.is_floating_point()]
        has = torch.tensor([parameter.grad is not None for parameter in parameters], device=device)
        flat = torch.cat(
            [torch.tensor([float(n_examples)], device=device), has.float()]
            + [_gradient(parameter).flatten().float() for parameter in parameters]
            + [buffer.flatten().float() for buffer in buffers]
        )
        flat = self._summed(flat)
        total, has_any, rest = flat[0], flat[1 : 1 + len(parameters)] > 0, flat[1 + len(parameters) :]
        for parameter, is_there in zip(parameters, has_any.tolist(), strict=True):
            values, rest = rest[: parameter.numel()], rest[parameter.numel() :]
            parameter.grad = (values / total).view_as(parameter).to(parameter.dtype) if is_there else None
        for buffer in buffers:
            values, rest = rest[: buffer.numel()], rest[buffer.numel() :]
            buffer.copy_((values / self.size).view_as(buffer))

    def _summed(self, values: Tensor) -> Tensor:
        summed: Tensor = self._fabric.all_reduce(values, reduce_op="sum")
        return summed

    def _gathered(self, values: Tensor) -> list[Tensor]:
        stacked: Tensor = self._fabric.all_gather(values)
        return list(stacked.cpu())


def require_fabric() -> None:
    """Refuse to train where Lightning Fabric is not installed, before anything is written.

    Raises
    ------
    InputError
        If it is not.
    """
    if find_spec("lightning_fabric") is None:
        raise InputError('training needs the package lightning-fabric; install it with pip install "mrviewer[train]"')


def open_world(device: str = "auto", precision: Precision = "fp32") -> World:
    """Join the processes that ``torchrun`` started, or be alone.

    Parameters
    ----------
    device
        See `mrviewer.device.resolve_device`; of several processes each takes the GPU of its own number.
    precision
        ``bf16`` computes convolutions in bfloat16 where the device has instructions for it.

    Raises
    ------
    InputError
        If Lightning Fabric is not installed.
    """
    require_fabric()
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments import LightningEnvironment, TorchElasticEnvironment
    from lightning_fabric.strategies import DDPStrategy

    kind, _, number = resolve_device(device).partition(":")
    size, local = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    in_bf16 = precision == "bf16" and is_quick_in_bfloat16(kind)
    fabric = Fabric(
        accelerator=kind,
        devices=local if size > 1 else [int(number)] if number else 1,
        num_nodes=max(size // max(local, 1), 1),
        strategy=DDPStrategy(timeout=_PATIENCE) if size > 1 else "auto",
        precision="bf16-mixed" if in_bf16 else "32-true",
        # Named, so that an allocation of a cluster is not taken for a run of many processes.
        plugins=[TorchElasticEnvironment() if size > 1 else LightningEnvironment()],
    )
    fabric.launch()
    alone = f"{kind}:{number}" if number else kind
    return World(fabric, str(fabric.device) if size > 1 else alone)


def close_world(world: World) -> None:
    """Leave the other processes."""
    if world.size > 1 and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def is_first_process() -> bool:
    """Whether this process writes for all, asked before they have met."""
    return os.environ.get("RANK", "0") == "0"


def _gradient(parameter: nn.Parameter) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
