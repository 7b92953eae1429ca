"""The built wheel: everything is in it, and it works outside the checkout."""

import configparser
import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("hatchling", reason="the wheel is built with hatchling, of the extra dev")

ROOT = Path(__file__).resolve().parents[1]
SHELVES = {"mrviewer": ROOT, "mrviewer_napari": ROOT / "plugins", "mrviewer_models": ROOT / "models"}
MADE_BY_TOOLS = {"__pycache__", ".ipynb_checkpoints"}

pytestmark = pytest.mark.slow


def _run(*command: str | Path, **options: str | Path | dict[str, str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder, cwd=ROOT)
    (built,) = folder.glob("mrviewer-*.whl")
    return built


@pytest.fixture(scope="module")
def target(wheel: Path) -> Path:
    """A folder with the installed wheel in it, and nothing else."""
    folder = wheel.parent / "installed"
    _run(sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--target", folder, wheel)
    return folder


def _outside(target: Path, code: str) -> str:
    """Run code away from the checkout, on the installed wheel and the libraries of this environment."""
    shelves = [str(shelf) for shelf in SHELVES.values()]
    # An editable install puts the checkout on the path: take it off again.
    code = f"import sys\nsys.path[:] = [entry for entry in sys.path if entry not in {shelves!r}]\n{code}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV"))}
    return _run(sys.executable, "-P", "-c", code, cwd=target.parent, env=environment | {"PYTHONPATH": str(target)})


def test_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    source = {
        path.relative_to(shelf).as_posix()
        for package, shelf in SHELVES.items()
        for path in (shelf / package).rglob("*")
        if path.is_file() and not MADE_BY_TOOLS & set(path.parts)
    }
    assert inside == source


def test_wheel_holds_manifest_and_type_marker(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    assert {"mrviewer_napari/napari.yaml", "mrviewer/py.typed"} <= inside


def test_wheel_registers_every_entry_point(wheel: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    archive = zipfile.ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/entry_points.txt"))
    written = configparser.ConfigParser(delimiters="=")
    written.optionxform = str  # type: ignore[assignment, method-assign]
    written.read_string(archive.read(name).decode())
    promised = {"console_scripts": project["scripts"], **project["entry-points"]}
    assert {group: dict(written[group]) for group in written.sections()} == promised


REPORT = """
import importlib, json, sys
from importlib.metadata import entry_points
import mrviewer, mrviewer_models, mrviewer_napari
points = entry_points(group="mrviewer.methods")
cards = {point.name: point.load().card for point in points}
print(json.dumps({
    "files": [module.__file__ for name, module in sys.modules.items() if name.partition("_")[0] == "mrviewer"],
    "names": {name: card.name for name, card in cards.items()},
    "trained": {p.name: importlib.import_module(p.module).__file__ for p in points if cards[p.name].weights},
}))
"""


@pytest.fixture(scope="module")
def report(target: Path) -> dict[str, Any]:
    """What the installed wheel says of itself."""
    said: dict[str, Any] = json.loads(_outside(target, REPORT))
    return said


def test_installed_wheel_loads_nothing_from_the_checkout(report: dict[str, Any], target: Path) -> None:
    assert len(report["files"]) > 3
    assert [file for file in report["files"] if not Path(file).is_relative_to(target)] == []


def test_installed_wheel_lists_the_methods_it_registers(report: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    registered = project["entry-points"]["mrviewer.methods"]
    assert report["names"] == {name: name for name in registered}


def test_installed_wheel_has_the_weights_that_its_cards_name(report: dict[str, Any], target: Path) -> None:
    assert report["trained"], "no method names weights"
    for name, file in report["trained"].items():
        sizes = [weights.stat().st_size for weights in Path(file).parent.glob("*.safetensors")]
        assert sizes, f"{name} names weights, and the wheel has none"
        assert min(sizes) > 0


def test_command_runs_from_the_installed_wheel(target: Path) -> None:
    code = "from mrviewer.__main__ import main\nsys.argv = ['mrviewer', 'methods', '--json']\nmain()"
    listed = json.loads(_outside(target, code))
    assert "zero-filled" in {method["name"] for method in listed}
