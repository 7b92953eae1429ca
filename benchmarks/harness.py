"""How two programs are compared: in turns, on one thread, by ratios within a round.

A benchmark is a module ``bench_<name>.py`` with ``rows() -> Iterator[Row]``.
"""

import importlib.util
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

__all__ = ["Row", "missing", "pair", "single_thread", "skipped"]

ROUNDS = 7


@dataclass(frozen=True)
class Row:
    """One comparison.

    Parameters
    ----------
    name, peer
        What was done, and the other program that did it.
    ours_ms, peer_ms
        Least time of all rounds; `None` if the comparison was skipped.
    ratio
        Median over the rounds of our time divided by the peer's.
    target
        The ratio to stay under.
    note
        Data that were used and how well the two results agree, or why the comparison was skipped.
    """

    name: str
    peer: str
    ours_ms: float | None
    peer_ms: float | None
    ratio: float | None
    target: float
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the ratio is no larger than the target; `None` if nothing was measured."""
        return None if self.ratio is None else self.ratio <= self.target


def pair(
    name: str,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    *,
    peer: str,
    target: float,
    rounds: int = ROUNDS,
    note: str = "",
) -> Row:
    """Time two functions that do the same.

    Both run once to warm up, then in turns, so that a machine that slows down slows both.

    Parameters
    ----------
    name, peer, target, note
        See `Row`.
    ours, theirs
        What is timed.
    rounds
        How often each is timed.
    """
    with single_thread():
        ours()
        theirs()
        times = [(_milliseconds(ours), _milliseconds(theirs)) for _ in range(rounds)]
    return Row(
        name,
        peer,
        min(our for our, _ in times),
        min(their for _, their in times),
        statistics.median(our / their for our, their in times),
        target,
        note,
    )


def skipped(name: str, *, peer: str, target: float, reason: str) -> Row:
    """Return a row that says why nothing was measured."""
    return Row(name, peer, None, None, None, target, reason)


def missing(package: str) -> str:
    """Return a sentence if a package is not installed, else nothing."""
    return "" if importlib.util.find_spec(package) else f"{package} is not installed; install mrviewer[dev]"


@contextmanager
def single_thread() -> Iterator[None]:
    """Keep numpy, scipy and torch to one thread, as far as they are loaded."""
    with ExitStack() as stack:
        if importlib.util.find_spec("threadpoolctl"):
            from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

            stack.enter_context(threadpool_limits(1))
        torch = sys.modules.get("torch")
        if torch is not None:
            stack.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(1)
        yield


def _milliseconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return (time.perf_counter() - start) * 1000
