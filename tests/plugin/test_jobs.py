"""Jobs: what arrives, what is dropped, and that stopping closes the generator there and then."""

import threading
import time
from collections.abc import Callable, Generator

import pytest

from mrviewer.errors import UnforeseenError
from mrviewer_napari.widgets.jobs import Slot, ThreadJob, gathered

Wait = Callable[[Callable[[], bool]], None]


def counting(n: int) -> Generator[int, None, str]:
    yield from range(n)
    return "done"


def endless(closed: threading.Event) -> Generator[int, None, None]:
    try:
        while True:
            time.sleep(0.01)
            yield 0
    finally:
        closed.set()


def broken() -> Generator[int, None, None]:
    yield 1
    raise RuntimeError("shapes do not match")


@pytest.mark.usefixtures("qapp")
def test_records_and_value_arrive_in_order_in_the_gui_thread(eventually: Wait) -> None:
    job, seen, ended = ThreadJob(counting(5)), [], []
    job.yielded.connect(lambda record: seen.append((record, threading.current_thread())))
    job.returned.connect(seen.append)
    job.ended.connect(lambda: ended.append(True))
    job.start()
    eventually(lambda: bool(ended))
    assert seen == [*((n, threading.main_thread()) for n in range(5)), "done"]
    assert job.stop(5)


@pytest.mark.usefixtures("qapp")
def test_whatever_fails_arrives_as_one_sentence(eventually: Wait) -> None:
    job, errors, ended = ThreadJob(broken()), [], []
    job.failed.connect(errors.append)
    job.ended.connect(lambda: ended.append(True))
    job.start()
    eventually(lambda: bool(ended))
    [error] = errors
    assert isinstance(error, UnforeseenError)
    assert "does not know (RuntimeError)" in str(error)
    assert str(error.__cause__) == "shapes do not match"
    assert job.stop(5)


@pytest.mark.usefixtures("qapp")
def test_stopping_closes_the_generator_within_a_second() -> None:
    closed = threading.Event()
    job = ThreadJob(endless(closed)).start()
    begun = time.monotonic()
    assert job.stop(5)
    assert closed.is_set()
    assert time.monotonic() - begun < 1


@pytest.mark.usefixtures("qapp")
def test_the_latest_request_wins_and_late_answers_are_dropped(eventually: Wait) -> None:
    slot, values, idle = Slot(), [], []
    release = threading.Event()

    def late() -> Generator[int, None, str]:
        yield 1
        release.wait(10)
        return "late"

    slot.returned.connect(values.append)
    slot.idle.connect(lambda: idle.append(True))
    slot.request(late)
    slot.request(lambda: counting(3))
    slot.request(lambda: gathered(counting(2)))
    release.set()
    eventually(lambda: bool(idle))
    assert values == ["done"]
    assert not slot.busy


@pytest.mark.usefixtures("qapp")
def test_a_cancelled_slot_forgets_and_takes_new_work(eventually: Wait) -> None:
    slot, closed, values = Slot(), threading.Event(), []
    slot.returned.connect(values.append)
    slot.request(lambda: endless(closed))
    slot.cancel()
    eventually(lambda: not slot.busy)
    assert closed.is_set()
    slot.request(lambda: counting(1))
    eventually(lambda: not slot.busy)
    assert values == ["done"]


@pytest.mark.usefixtures("qapp")
def test_a_closed_slot_ends_its_thread_and_takes_no_more() -> None:
    slot, closed = Slot(), threading.Event()
    slot.request(lambda: endless(closed))
    assert slot.close(5)
    assert closed.is_set()
    slot.request(lambda: counting(1))
    assert slot.close()


def test_gathering_keeps_all_records_and_the_value() -> None:
    work = gathered(counting(1000), interval_s=10)
    lists = [next(work), next(work)]
    with pytest.raises(StopIteration, match="done"):
        next(work)
    assert lists == [[0], list(range(1, 1000))]


def test_gathering_closes_what_it_gathers() -> None:
    closed = threading.Event()
    work = gathered(endless(closed))
    next(work)
    work.close()
    assert closed.is_set()
