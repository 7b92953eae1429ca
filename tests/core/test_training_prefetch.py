"""Batches built ahead: the same ones, in a thread that ends."""

import contextlib
import threading
import time
from dataclasses import dataclass, field

import pytest

from mrviewer.training.data.prefetch import Prefetched


@dataclass
class Source:
    """Gives its arguments back, and remembers who asked for what."""

    broken: int = -1
    seconds: float = 0.0
    built: list[tuple[int, int, int]] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)

    def __len__(self) -> int:
        return 7

    def batch(self, step: int, piece: int = 0, pieces: int = 1) -> tuple[int, int, int]:
        time.sleep(self.seconds)
        if step == self.broken:
            raise OSError("the disk is gone")
        self.built.append((step, piece, pieces))
        self.threads.add(threading.current_thread().name.partition("_")[0])
        return step, piece, pieces


def test_batches_are_those_of_the_source_whatever_is_asked_for() -> None:
    source = Source()
    asked = [
        (0, 0, 1),
        (1, 0, 1),
        (1, 0, 2),
        (1, 1, 2),
        (2, 0, 2),
        (2, 1, 2),
        (9, 0, 1),
        (3, 4, 6),
        (3, 5, 6),
        (4, 4, 6),
    ]
    with contextlib.closing(Prefetched(source)) as prefetched:
        assert [prefetched.batch(*key) for key in asked] == asked
        assert len(prefetched) == 7


@pytest.mark.parametrize("own", [[(0, 1)], [(2, 4), (3, 4)]])
def test_what_comes_next_is_built_once_and_ahead(own: list[tuple[int, int]]) -> None:
    source = Source()
    with contextlib.closing(Prefetched(source, depth=2)) as prefetched:
        for step in range(2):
            for key in own:
                prefetched.batch(step, *key)
        before = len(source.built)
        for step in range(2, 8):
            for key in own:
                prefetched.batch(step, *key)
    wanted = [(step, *key) for step in range(8) for key in own]
    assert set(wanted) <= set(source.built)
    assert len(source.built) == len(set(source.built))
    assert before >= 2
    assert source.threads == {"MainThread", "batches"}


def built_in_the_end(source: Source, count: int) -> list[tuple[int, int, int]]:
    """What is built once so many batches are, or after five seconds."""
    deadline = time.monotonic() + 5
    while len(source.built) < count and time.monotonic() < deadline:
        time.sleep(0.005)
    return source.built


def test_no_more_is_built_than_was_allowed() -> None:
    source = Source()
    with contextlib.closing(Prefetched(source, depth=3)) as prefetched:
        prefetched.batch(0)
        assert built_in_the_end(source, 4) == [(0, 0, 1), (1, 0, 1), (2, 0, 1), (3, 0, 1)]
        time.sleep(0.05)
        assert len(source.built) == 4


def test_the_network_need_not_wait() -> None:
    source = Source()
    with contextlib.closing(Prefetched(source, depth=1)) as prefetched:
        for step in range(5):
            assert prefetched.batch(step) == (step, 0, 1)
            assert (step + 1, 0, 1) in built_in_the_end(source, step + 2)


def test_an_error_comes_with_its_batch_and_not_before() -> None:
    with contextlib.closing(Prefetched(Source(broken=2))) as prefetched:
        assert prefetched.batch(0) == (0, 0, 1)
        assert prefetched.batch(1) == (1, 0, 1)
        with pytest.raises(OSError, match="the disk is gone"):
            prefetched.batch(2)
        assert prefetched.batch(3) == (3, 0, 1)


def test_the_thread_ends_when_it_is_closed() -> None:
    before = threading.active_count()
    prefetched = Prefetched(Source(seconds=0.02))
    prefetched.batch(0)
    assert threading.active_count() == before + 1
    prefetched.close()
    assert threading.active_count() == before
