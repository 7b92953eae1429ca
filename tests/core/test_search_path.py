"""Nothing is imported from the current folder, which may be that of a study, by us or by processes that we start."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mrviewer.array_files import hdf5_trial
from mrviewer.finetuning import launch as launching
from mrviewer.system import search_path

TRAPS = ("numpy", "torch", "socket", "struct", "random", "typer", "h5py", "sitecustomize", "evil")


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A folder whose files tell that they were run."""
    for name in TRAPS:
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'run')!r}, 'a').write({name!r})\n")
    metadata = tmp_path / "evil-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[mrviewer.methods]\nevil = evil:METHOD\n")
    return tmp_path


def run(study: Path, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONSAFEPATH", "PYTHONPATH")}
    places = [place for place in sys.path if Path(place).is_absolute()]
    environment |= {"PYTHONPATH": os.pathsep.join(places), **variables}
    return subprocess.run(
        [sys.executable, *arguments], cwd=study, env=environment, capture_output=True, text=True, check=False
    )


def test_the_program_imports_nothing_from_the_folder_of_a_study(study: Path) -> None:
    (study / "struct.py").unlink()  # what Python itself loads before us cannot be kept from it
    (study / "random.py").unlink()
    done = run(study, "-m", "mrviewer", "methods", "--json")
    assert done.returncode == 0, done.stderr
    assert "evil" not in {method["name"] for method in json.loads(done.stdout)}
    assert not (study / "run").exists(), (study / "run").read_text()


@pytest.mark.parametrize("place", ["", ".", "sub/.."])
def test_relative_places_of_the_search_path_are_dropped(study: Path, place: str) -> None:
    places = [str(Path(search_path.__file__).parents[2]), place]
    code = (
        "import os, sys, mrviewer.system.search_path as s\n"
        "s.forget_current_folder(); print(sys.path); print(os.environ)"
    )
    done = run(study, "-P", "-S", "-c", code, PYTHONPATH=os.pathsep.join(places))
    assert done.returncode == 0, done.stderr
    path, environment = done.stdout.splitlines()
    assert repr(str(study)) not in path
    assert "'PYTHONSAFEPATH': '1'" in environment
    assert f"'PYTHONPATH': {places[0]!r}" in environment


@pytest.mark.parametrize("name", ["HDF5_PLUGIN_PATH", "QT_PLUGIN_PATH", "LD_LIBRARY_PATH"])
def test_libraries_load_nothing_from_relative_places(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, os.pathsep.join(["", "plugins", str(tmp_path), ".", "../filters"]))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert search_path.child_environment()[name] == str(tmp_path)
    search_path.forget_current_folder()
    assert os.environ[name] == str(tmp_path)
    monkeypatch.setenv(name, "plugins")
    search_path.forget_current_folder()
    assert name not in os.environ


def test_children_import_nothing_from_the_current_folder(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(study)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([*(p for p in sys.path if Path(p).is_absolute()), "", "."]))
    commands: list[tuple[list[str], dict[str, str]]] = []
    run_now, real = subprocess.run, subprocess.run

    def noted(command: list[str], **options: object) -> object:
        commands.append((command, options["env"]))  # type: ignore[arg-type]
        return run_now(command, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(hdf5_trial.subprocess, "run", noted)
    (study / "a.h5").write_bytes(b"nothing")
    hdf5_trial.require_readable(study / "a.h5")
    assert commands[0][0][1] == "-P"
    assert not (study / "run").exists()
    listing = real(
        search_path.python_command("-c", "import sys; print(sys.path)"), env=search_path.child_environment(),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert repr(str(study)) not in listing.stdout
    assert "''" not in listing.stdout


def test_a_run_is_started_without_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.setattr(
        launching_module().subprocess, "Popen", lambda command, **options: started.append((command, options["env"]))
    )
    launching_module()._start(tmp_path / "plan.json", resume=True)
    [(command, environment)] = started
    assert command[1:4] == ["-P", "-m", "mrviewer"]
    assert environment["PYTHONSAFEPATH"] == "1"


def launching_module() -> object:
    return sys.modules[launching.__module__]


def test_spawned_workers_are_told_so_too() -> None:
    from mrviewer.experiments import workers

    before = os.environ.get("PYTHONSAFEPATH")
    with workers._single_threaded():
        assert os.environ["PYTHONSAFEPATH"] == "1"
    assert os.environ.get("PYTHONSAFEPATH") == before
