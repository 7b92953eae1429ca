"""Open thousands of damaged files, each within bounds of time and memory, and count what happens.

Every input is opened as a person would open it, and all its pixels are read. It may open, or be refused in one sentence
that names the file. Anything else is a fault: another exception, a dead process, a hang, or more memory than the bound.

    python -m benchmarks.fuzz --count 5000 --data ../shared/data
"""

import argparse
import json
import logging
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path

from benchmarks.fuzz_inputs import Seed, endless, made_seeds, real_seeds
from benchmarks.fuzz_targets import TARGETS, target_seeds

__all__ = ["Bounds", "Fault", "Tally", "fuzz", "main"]

NAME = "fuzzed"
LONGEST_SENTENCE = 600
OUTCOMES = ("opened", "refused", "crashed", "hung")


@dataclass(frozen=True)
class Bounds:
    """What one input may take.

    Parameters
    ----------
    seconds
        Wall-clock time, then it counts as hung.
    megabytes
        Memory beyond what the process had when it was ready; what needs more raises `MemoryError`, a crash.
    """

    seconds: float = 20.0
    megabytes: int = 1024


@dataclass(frozen=True)
class Fault:
    """An input that was neither opened nor refused as promised."""

    number: int
    kind: str
    outcome: str
    detail: str


@dataclass
class Tally:
    """What happened, by format."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, number: int, kind: str, outcome: str, detail: str) -> None:
        """Count one input."""
        self.counts.setdefault(kind, Counter())[outcome] += 1
        if outcome not in ("opened", "refused"):
            self.faults.append(Fault(number, kind, outcome, detail))

    def total(self, outcome: str) -> int:
        """Inputs of all formats with one outcome."""
        return sum(counter[outcome] for counter in self.counts.values())

    @property
    def tried(self) -> int:
        """Inputs of all formats."""
        return sum(sum(counter.values()) for counter in self.counts.values())


class _Worker:
    """A process that opens what it is handed, and the input that it is at."""

    def __init__(self, folder: Path, bounds: Bounds, *, loads_networks: bool) -> None:
        self.loads_networks = loads_networks
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        self.folder = folder
        self._process = context.Process(target=_serve, args=(other, bounds.megabytes, loads_networks), daemon=True)
        self._process.start()
        other.close()
        self.connection.recv()  # imports are done
        self.number, self.kind, self.deadline = -1, "", float("inf")

    def give(self, number: int, seed: Seed, seconds: float) -> None:
        """Write the files of an input, and let the process open the first of them."""
        shutil.rmtree(self.folder, ignore_errors=True)
        names = {f"{NAME}{key}" if key.startswith(".") else key: text for key, text in seed.files.items()}
        for name, content in {**seed.intact, **names}.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self.number, self.kind, self.deadline = number, seed.kind, time.monotonic() + seconds
        self.connection.send((seed.kind, str(self.folder / next(iter(names)))))

    def take(self) -> tuple[str, str]:
        """What came of it; a process that is gone has crashed."""
        try:
            outcome, detail = self.connection.recv()
        except (EOFError, OSError):
            self._process.join(5)
            return "crashed", f"the process ended with {self._process.exitcode}"
        return str(outcome), str(detail)

    def end(self) -> None:
        """Stop the process, whatever it does."""
        self._process.kill()
        self._process.join()
        self.connection.close()

    @property
    def is_alive(self) -> bool:
        """Whether the process can take another input."""
        return self._process.is_alive()


def fuzz(
    seeds: list[Seed], count: int, *, seconds: float = float("inf"), seed: int = 0, bounds: Bounds | None = None,
    n_workers: int = 2,
) -> Tally:  # fmt: skip
    """Open `count` mutations of the seeds, or as many as the time allows.

    Parameters
    ----------
    seeds
        Sound inputs.
    count, seconds
        How many, and for how long at most.
    seed
        The same one gives the same inputs, by their numbers.
    bounds
        What each may take.
    n_workers
        Processes.
    """
    bounds = bounds or Bounds()
    tally, start = Tally(), time.monotonic()
    inputs = _limited(endless(seeds, seed), count, start + seconds)
    with tempfile.TemporaryDirectory() as folder:
        places = [Path(folder) / str(index) for index in range(n_workers)]
        for place in places:
            place.mkdir()
        loads_networks = any(one.kind in TARGETS for one in seeds)
        workers = [_Worker(place, bounds, loads_networks=loads_networks) for place in places]
        try:
            _run(workers, inputs, bounds, tally)
        finally:
            for worker in workers:
                worker.end()
    tally.seconds = time.monotonic() - start
    return tally


def _limited(inputs: Iterator[tuple[int, Seed]], count: int, deadline: float) -> Iterator[tuple[int, Seed]]:
    for number, one in inputs:
        if number >= count or time.monotonic() > deadline:
            return
        yield number, one


def _run(workers: list[_Worker], inputs: Iterator[tuple[int, Seed]], bounds: Bounds, tally: Tally) -> None:
    busy = [worker for worker in list(workers) if _feed(worker, inputs, bounds)]
    while busy:
        patience = min(worker.deadline for worker in busy) - time.monotonic()
        ready = wait([worker.connection for worker in busy], max(patience, 0))
        for worker in list(busy):
            is_late = time.monotonic() > worker.deadline
            if worker.connection not in ready and not is_late:
                continue
            outcome, detail = worker.take() if worker.connection in ready else ("hung", f"over {bounds.seconds:g} s")
            tally.add(worker.number, worker.kind, outcome, detail)
            busy.remove(worker)
            if outcome == "hung" or not worker.is_alive:
                worker.end()
                workers.remove(worker)
                worker = _Worker(worker.folder, bounds, loads_networks=worker.loads_networks)
                workers.append(worker)
            if _feed(worker, inputs, bounds):
                busy.append(worker)


def _feed(worker: _Worker, inputs: Iterator[tuple[int, Seed]], bounds: Bounds) -> bool:
    following = next(inputs, None)
    if following is not None:
        worker.give(*following, bounds.seconds)
    return following is not None


def _serve(connection: Connection, megabytes: int, loads_networks: bool) -> None:
    """Open paths as they come; runs in a process of its own, whose memory is bounded once everything is imported."""
    import warnings

    warnings.simplefilter("ignore")
    logging.disable()
    sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - a device, as long as the process lives

    with suppress(ImportError):
        import mrviewer.readers.dicom.dicom_study  # noqa: F401
    if loads_networks:
        target_seeds()  # they load what reading them will need
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    used = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0]) * resource.getpagesize()
    limit = used + megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    connection.send("ready")
    while True:
        try:
            kind, path = connection.recv()
        except (EOFError, OSError):
            return
        connection.send(_outcome(kind, Path(path)))


def _outcome(kind: str, path: Path) -> tuple[str, str]:
    """Open one input and read all that is in it."""
    from mrviewer.errors import MrviewerError

    try:
        TARGETS.get(kind, _read_study)(path)
    except MrviewerError as error:
        return _judge(str(error), path)
    except Exception:  # noqa: BLE001 - whatever it is, it is what this program looks for
        return "crashed", traceback.format_exc()
    return "opened", ""


def _read_study(path: Path) -> None:
    from mrviewer.readers import open_study

    study = open_study([path])
    for image in study.images.values():
        image.volume()
    for raw in study.raw.values():
        raw.kspace(0)


def _judge(sentence: str, path: Path) -> tuple[str, str]:
    """Whether a refusal is one sentence that names the file and no folder."""
    is_named = any(name in sentence for name in (NAME, path.name, path.parent.name))
    is_short = len(sentence) <= LONGEST_SENTENCE and "\n" not in sentence
    if not (is_named and is_short) or str(path.parent) in sentence:
        return "crashed", f"badly said: {sentence}"
    return "refused", sentence


def main() -> int:
    """Parse the command line, run, print a table; 0 if there was no fault."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=2000, help="inputs")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="time for all")
    parser.add_argument("--seed", type=int, default=0, help="of the inputs")
    parser.add_argument("--data", type=Path, help="folder with real files to damage, beside those made here")
    parser.add_argument("--only", metavar="FORMAT", help="one format alone")
    parser.add_argument("--without", metavar="FORMAT", help="all formats but one, such as hdf5, which takes longest")
    parser.add_argument("--workers", type=int, default=2, help="processes that open inputs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the counts")
    options = parser.parse_args()
    seeds = made_seeds() + target_seeds() + (real_seeds(options.data) if options.data else [])
    kinds = sorted({one.kind for one in seeds})
    for named in (options.only, options.without):
        if named not in (None, *kinds):
            parser.error(f"there is no format {named!r}; choose one of {', '.join(kinds)}")
    seeds = [one for one in seeds if options.only in (None, one.kind) and one.kind != options.without]
    tally = fuzz(seeds, options.count, seconds=options.seconds, seed=options.seed, n_workers=options.workers)
    print(table(tally))
    print(f"\n{len(seeds)} sound files, seed {options.seed}, {tally.seconds:.0f} s")
    for fault in tally.faults:
        print(f"\n{fault.kind} number {fault.number} {fault.outcome}: {fault.detail.strip()}", file=sys.stderr)
    if options.json:
        counts = {kind: dict(counter) for kind, counter in sorted(tally.counts.items())}
        options.json.write_text(json.dumps(counts, indent=2) + "\n", encoding="utf-8")
    return 1 if tally.faults else 0


def table(tally: Tally) -> str:
    """Counts by format, as a table for the documentation."""
    lines = ["| format | tried | " + " | ".join(OUTCOMES) + " |", "|---|" + "---|" * (len(OUTCOMES) + 1)]
    for kind, counter in sorted(tally.counts.items()):
        lines.append(
            f"| {kind} | {sum(counter.values())} | " + " | ".join(str(counter[one]) for one in OUTCOMES) + " |"
        )
    lines.append(f"| all | {tally.tried} | " + " | ".join(str(tally.total(one)) for one in OUTCOMES) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
