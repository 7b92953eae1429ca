"""Batches built ahead of time in a thread of their own, while the network computes on the last one."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any

from mrviewer.training.recipe import BatchSource

__all__ = ["Prefetched"]

_Key = tuple[int, int, int]


class Prefetched:
    """A source of the same batches, the next of which are usually there when they are asked for.

    What comes next is guessed from what was asked for in the last step; a wrong guess costs time and nothing else. An
    error is raised where the batch is asked for that it belongs to.

    Parameters
    ----------
    source
        Whose batches depend on nothing but their number.
    depth
        Batches, or pieces of them, that are built ahead; they lie in memory.
    """

    def __init__(self, source: BatchSource, depth: int = 2) -> None:
        self._source, self._depth = source, depth
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="batches")
        self._waiting: dict[_Key, Future[Any]] = {}
        self._step = -1
        self._asked: list[tuple[int, int]] = []
        self._usual: list[tuple[int, int]] = []

    def __len__(self) -> int:
        """Number of examples that can be drawn."""
        return len(self._source)

    def batch(self, step: int, piece: int = 0, pieces: int = 1) -> Any:  # noqa: ANN401 - that of the source
        """See `BatchSource.batch`."""
        if step != self._step:
            self._step, self._usual, self._asked = step, self._asked, []
        self._asked.append((piece, pieces))
        waiting = self._waiting.pop((step, piece, pieces), None)
        wanted = list(islice(self._following(step, piece, pieces), self._depth))
        for key in [key for key in self._waiting if key not in wanted]:
            self._waiting.pop(key).cancel()
        if waiting is None:
            # Built here, because the thread may be busy with something that nobody wants any more.
            made = self._source.batch(step, piece, pieces)
            self._order(wanted)
            return made
        self._order(wanted)
        return waiting.result()

    def close(self) -> None:
        """Wait for what is being built, and end the thread."""
        self._worker.shutdown(wait=True, cancel_futures=True)
        self._waiting.clear()

    def _order(self, keys: list[_Key]) -> None:
        for key in keys:
            if key not in self._waiting:
                self._waiting[key] = self._worker.submit(self._source.batch, *key)

    def _following(self, step: int, piece: int, pieces: int) -> Iterator[_Key]:
        """What is likely to be asked for after this: the pieces of the last step, over and over."""
        usual = self._usual if (piece, pieces) in self._usual else self._asked
        place = usual.index((piece, pieces))
        while True:
            place += 1
            if place == len(usual):
                place, step = 0, step + 1
            yield (step, *usual[place])
