"""The stopwatch: turns, ratios, and what is printed."""

from collections.abc import Callable

import pytest

# The benchmarks stay in the checkout; the tests also run beside an installed wheel.
command = pytest.importorskip("benchmarks.__main__")
harness = pytest.importorskip("benchmarks.harness")


class Clock:
    """Time that passes only where a test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.calls: list[str] = []

    def wait(self, name: str, *milliseconds: float) -> Callable[[], None]:
        """Return a function that takes these times, one after the other; the first is the warm-up."""
        times = iter(milliseconds)

        def run() -> None:
            self.calls.append(name)
            self.seconds += next(times) / 1000

        return run


def test_both_run_in_turns_after_a_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("benchmarks.harness.time.perf_counter", lambda: clock.seconds)
    ours, theirs = clock.wait("ours", 99, 2, 3, 8), clock.wait("theirs", 99, 10, 5, 10)
    row = harness.pair("a wait", ours, theirs, peer="a long one", target=0.6, rounds=3)
    assert clock.calls == ["ours", "theirs"] * 4
    assert [row.ours_ms, row.peer_ms, row.ratio] == pytest.approx([2, 5, 0.6])


@pytest.mark.parametrize(("ratio", "word"), [(0.5, "met"), (0.51, "missed")])
def test_the_verdict_is_printed(ratio: float, word: str) -> None:
    text = command.describe(harness.Row("SSIM", "peer", 1.0, 2.0, ratio, 0.5, "on noise"))
    assert text.splitlines()[0].endswith(word)
    assert text.splitlines()[1].strip() == "on noise"


def test_what_is_skipped_says_why() -> None:
    reason = harness.missing("no_such_package")
    row = harness.skipped("SSIM", peer="peer", target=0.5, reason=reason)
    assert row.met is None
    assert "skipped: no_such_package is not installed; install" in command.describe(row)
    assert harness.missing("numpy") == ""


def test_an_unknown_benchmark_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["benchmarks", "nonsense"])
    with pytest.raises(SystemExit) as stop:
        command.main()
    assert stop.value.code == 2
    assert "there is no benchmark nonsense; there are" in capsys.readouterr().err


def test_numbers_are_among_the_benchmarks() -> None:
    assert "numbers" in command.available()
