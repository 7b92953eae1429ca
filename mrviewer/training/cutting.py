"""Steps that can be broken off in their middle, layer by layer, forwards and backwards."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

__all__ = ["StepCut", "cuttable"]


class StepCut(Exception):  # noqa: N818 - it is no error
    """A step was broken off because somebody wants to stop."""


@contextmanager
def cuttable(network: nn.Module, is_wanted: Callable[[], bool]) -> Iterator[None]:
    """Raise `StepCut` out of the network, or out of its gradient, as soon as that is wanted.

    Parameters
    ----------
    network
        Its layers look once in each direction; what they compute does not change.
    is_wanted
        Whether to break off; asked often.
    """

    def look(*_: object) -> None:
        if is_wanted():
            raise StepCut

    def watch(module: nn.Module, inputs: object, output: Any) -> None:  # noqa: ANN401 - whatever a layer gives
        del module, inputs
        look()
        for tensor in output if isinstance(output, list | tuple) else (output,):
            if isinstance(tensor, Tensor) and tensor.requires_grad:
                tensor.register_hook(look)

    layers = [module for module in network.modules() if not any(True for _ in module.children())]
    handles = [layer.register_forward_hook(watch) for layer in layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
