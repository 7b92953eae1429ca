"""How much arithmetic a function does, and how much this machine can do at best, on one thread."""

import time
from collections.abc import Callable
from functools import cache

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.harness import single_thread
from mrviewer.device import is_quick_in_bfloat16

__all__ = ["attainable_gflops", "gflop_of"]

EDGE = 1536
"""Of the matrices that are multiplied: far beyond the caches, a tenth of a second in single precision."""


@cache
def attainable_gflops() -> float:
    """GFLOP/s of a large matrix product, in the precision that this processor is quickest in; the best of five."""
    kinds = [torch.float32, *([torch.bfloat16] if is_quick_in_bfloat16("cpu") else [])]
    with single_thread(), torch.inference_mode():
        return max(_product_gflops(kind) for kind in kinds for _ in range(5))


def _product_gflops(kind: torch.dtype) -> float:
    matrix = torch.ones(EDGE, EDGE, dtype=kind)
    start = time.perf_counter()
    matrix @ matrix
    return 2e-9 * EDGE**3 / (time.perf_counter() - start)


def gflop_of(function: Callable[[], object]) -> float:
    """Multiplications and additions in convolutions and matrix products of one call, without Fourier transforms."""
    # With gradients, because the counter does not know the operator that our 3-D convolutions call without them.
    with torch.enable_grad(), FlopCounterMode(display=False) as counter:
        function()
    return 1e-9 * float(counter.get_total_flops())
