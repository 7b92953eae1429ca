"""Which device computes, and how networks lie in its memory."""

from functools import cache
from typing import TYPE_CHECKING

from mrviewer.errors import InputError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["is_quick_in_bfloat16", "place_network", "resolve_device"]


def resolve_device(name: str = "auto") -> str:
    """Turn ``auto | cpu | cuda | cuda:N | mps`` into a torch device name that exists here.

    Raises
    ------
    InputError
        If the name is not one of these, or the device is not there.
    """
    if name == "cpu":
        return "cpu"
    import torch

    kind, _, number = name.partition(":")
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if kind == "cuda" and (not number or number.isdigit()):
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if int(number or 0) < count:
            return name
        raise InputError(f"device {name} was asked for but this machine has {count} CUDA device(s); use --device cpu")
    if name == "mps":
        if torch.backends.mps.is_available():
            return name
        raise InputError("device mps was asked for but this machine has none; use --device cpu")
    raise InputError(f"device {name!r} is not known; use auto, cpu, cuda, cuda:N or mps")


@cache
def is_quick_in_bfloat16(device: str) -> bool:
    """Whether a device has instructions of its own for bfloat16; emulated it takes two or three times as long."""
    import torch

    kind = device.partition(":")[0]
    if kind != "cpu" or not torch.backends.mkldnn.is_available():
        return kind == "cuda"
    # The library emulates the instructions on any processor with AVX-512 and calls that supported.
    emulated = torch.cpu._is_avx512_supported() and not torch.cpu._is_avx512_bf16_supported()
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()) and not emulated


def place_network(network: "nn.Module", device: str) -> "nn.Module":
    """Move a network to a device, weights of 2-D convolutions with their channels last, which is quickest.

    Not so in three dimensions: there it gains nothing.
    """
    import torch

    for module in network.to(torch.device(device)).modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
            module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network
