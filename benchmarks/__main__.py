"""Run the benchmarks by name, print a table, and write it as JSON."""

import argparse
import importlib
import json
import os
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from benchmarks.harness import Row

PACKAGES = ("mrviewer", "numpy", "scipy", "torch", "scikit-image", "monai", "sigpy", "connected-components-3d")
VECTOR_FLAGS = ("sse4_2", "avx", "avx2", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "sve")


@dataclass(frozen=True)
class Machine:
    """Where the figures were measured."""

    cpu: str
    cores: int | None
    flags: list[str]
    versions: dict[str, str]


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(available())}; all by default")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows and the machine")
    options = parser.parse_args()
    if unknown := sorted(set(options.names) - set(available())):
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(available())}")
    machine = describe_machine()
    print(f"{machine.cpu}, {machine.cores} cores, {' '.join(machine.flags) or 'flags unknown'}")
    print(", ".join(f"{name} {version}" for name, version in machine.versions.items()), end="\n\n")
    print(f"{'what':44}{'against':22}{'ours ms':>9}{'theirs ms':>11}{'ratio':>8}{'target':>8}")
    rows = []
    for row in run(options.names or available()):
        print(describe(row), flush=True)
        rows.append(row)
    if options.json:
        document = {"machine": asdict(machine), "rows": [{**asdict(row), "met": row.met} for row in rows]}
        options.json.write_text(json.dumps(document, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def available() -> list[str]:
    """Names of all benchmarks."""
    return sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))


def run(names: list[str]) -> Iterator[Row]:
    """Rows of the named benchmarks, each as soon as it is measured."""
    for name in names:
        yield from importlib.import_module(f"benchmarks.bench_{name}").rows()


def describe(row: Row) -> str:
    """One line of the table, and one for the note."""
    head = f"{row.name:44}{row.peer:22}"
    if row.ours_ms is None or row.peer_ms is None or row.ratio is None:
        return f"{head}skipped: {row.note}"
    verdict = "met" if row.met else "missed"
    line = f"{head}{row.ours_ms:9.2f}{row.peer_ms:11.2f}{row.ratio:8.3f}{row.target:8.3f}  {verdict}"
    return f"{line}\n    {row.note}" if row.note else line


def describe_machine() -> Machine:
    """Processor, cores, vector instructions and versions."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8").splitlines() if information.is_file() else []
    fields = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    flags = fields.get("flags", fields.get("Features", "")).split()
    versions = {name: version for name in PACKAGES if (version := _version(name))}
    return Machine(
        fields.get("model name", platform.processor() or platform.machine()),
        os.cpu_count(),
        [flag for flag in VECTOR_FLAGS if flag in flags],
        {"python": platform.python_version(), **versions},
    )


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
