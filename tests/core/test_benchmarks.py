"""The stopwatch: turns, ratios, and what is printed."""

import itertools
import sys
from collections.abc import Callable
from pathlib import Path

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


@pytest.fixture
def peers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose packages must not be imported, with one module that may be."""
    folder = tmp_path / "fastMRI" / "fastmri_of_this_test" / "models"
    folder.mkdir(parents=True)
    for package in (folder, folder.parent):
        (package / "__init__.py").write_text("raise RuntimeError('imported')\n")
    (folder / "unet.py").write_text("from fastmri_of_this_test.models.parts import answer\n")
    (folder / "parts.py").write_text("import a_package_of_this_test\nanswer = a_package_of_this_test.answer\n")
    monkeypatch.setenv("MRVIEWER_PEERS", str(tmp_path))
    return tmp_path


def test_a_module_of_a_peer_comes_without_its_packages(peers: Path) -> None:
    module = pytest.importorskip("benchmarks.peers")
    before = list(sys.meta_path)
    name = "fastmri_of_this_test.models.unet"
    with pytest.raises(module.PeerMissingError, match="fastMRI cannot be imported: No module named 'a_package"):
        module._module("fastMRI", name)
    assert module._module("fastMRI", name, {"a_package_of_this_test": {"answer": 42}}).answer == 42
    assert sys.meta_path == before
    assert "a_package_of_this_test" not in sys.modules


def test_a_peer_that_is_not_there_says_so(peers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = pytest.importorskip("benchmarks.peers")
    with pytest.raises(module.PeerMissingError, match=r"MRVIEWER_PEERS has no atommic with atommic\.nothing"):
        module._module("atommic", "atommic.nothing")
    monkeypatch.delenv("MRVIEWER_PEERS")
    with pytest.raises(module.PeerMissingError, match="MRVIEWER_PEERS is not set"):
        module._module("fastMRI", "fastmri_of_this_test.models.unet")


def test_networks_without_a_reference_run_against_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    methods = pytest.importorskip("benchmarks.bench_methods")
    monkeypatch.delenv("MRVIEWER_PEERS", raising=False)
    monkeypatch.setattr(methods, "FROM_KSPACE", ("linet", "seranet"))
    rows = list(itertools.islice(methods.rows("tiny", (32, 24), 1), 4))
    assert [row.name for row in rows] == ["linet, tiny"] * 2 + ["seranet, tiny"] * 2
    assert [row.peer for row in rows] == ["ours, plain", "ours, plain, no_grad"] * 2
    assert all(row.ratio is not None and row.ratio > 0 for row in rows)
    assert "not fastMRI U-Nets, for MRVIEWER_PEERS is not set" in rows[2].note
    assert "MRVIEWER_PEERS" not in rows[0].note


def test_the_other_side_has_the_default_layout() -> None:
    methods = pytest.importorskip("benchmarks.bench_methods")
    torch = pytest.importorskip("torch")
    features = torch.zeros(1, 3, 4, 5)
    with methods._default_layout():
        assert features.contiguous(memory_format=torch.channels_last).is_contiguous()
    assert not features.contiguous(memory_format=torch.channels_last).is_contiguous()


def test_arithmetic_is_counted() -> None:
    arithmetic = pytest.importorskip("benchmarks.arithmetic")
    torch = pytest.importorskip("torch")
    convolution, image = torch.nn.Conv2d(3, 8, 3, padding=1), torch.zeros(1, 3, 10, 10)
    assert arithmetic.gflop_of(lambda: convolution(image)) == pytest.approx(1e-9 * 2 * 3 * 8 * 9 * 100)
