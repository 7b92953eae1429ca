"""Windows and macOS: what the program asks of a system must be there, too. Windows is imitated, see its folder."""

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from finetuning_cases import make_weights, write_database

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SHELVES = {"mrviewer": ROOT, "mrviewer_models": ROOT / "models", "mrviewer_napari": ROOT / "plugins"}
POSIX_ONLY = {"fcntl", "resource", "pwd", "grp", "termios"}
# This module is run by its path, in a process of its own.
NOT_IMPORTED = ("__main__", "hdf5_probe")

IMPORTS = """
import importlib, sys
if "mrviewer_napari" in sys.argv:
    import napari.layers  # Qt before pydantic breaks both.
for name in sys.argv[1:]:
    importlib.import_module(name)
print(len(sys.argv) - 1)
"""

RUNS = """
import pathlib, sys, time
from mrviewer.finetuning import FinetunePlan, launch, read_run
plan = FinetunePlan("unet-full", ("patients",), "run", weights="parent/weights.safetensors", validation=("bert",),
                    epochs=1.0, device="cpu", name="ours", options={"batch_size": "4", "precision": "fp32"})
record = launch(plan)
while record.state.is_active:
    time.sleep(0.1)
    record = read_run(pathlib.Path("run"))
print(record.state, record.message)
"""

Windows = Callable[..., subprocess.CompletedProcess[str]]


def modules() -> list[str]:
    found = []
    for package, shelf in SHELVES.items():
        if package == "mrviewer_napari" and not find_spec("napari"):
            continue
        for path in sorted((shelf / package).rglob("*.py")):
            if path.stem not in NOT_IMPORTED:
                name = ".".join(path.relative_to(shelf).with_suffix("").parts)
                found.append(name.removesuffix(".__init__"))
    return found


@pytest.fixture
def windows(tmp_path: Path) -> Windows:
    """Run Python in an empty folder as if on Windows; what it prints must be in the code page of a console there."""
    named = (str(HERE / "imitated_windows"), os.environ.get("PYTHONPATH", ""))
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, named)),
        "PYTHONIOENCODING": "cp1252:strict",
        "PYTHONWARNDEFAULTENCODING": "1",
        "PYTHONWARNINGS": "error::EncodingWarning:mrviewer",
        "QT_QPA_PLATFORM": "offscreen",
        "MRVIEWER_MODELS": str(tmp_path / "models"),
        **{f"XDG_{name}_HOME": str(tmp_path / "home") for name in ("CONFIG", "DATA", "STATE", "CACHE")},
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, env=environment, capture_output=True, check=False,
            text=True, encoding="cp1252", timeout=300,
        )  # fmt: skip

    return run


def printed(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="the imitation is made from Linux")
class TestImitatedWindows:
    def test_the_imitation_is_one(self, windows: Windows, tmp_path: Path) -> None:
        (tmp_path / "mrviewer_models.py").write_text(
            "import os, signal, subprocess, sys\n"
            "assert sys.platform == 'win32' and os.name == 'nt' and 'SIGHUP' not in signal.Signals.__members__\n"
            "for test in (lambda: os.pwrite, lambda: signal.SIGKILL, lambda: __import__('fcntl'),\n"
            "             lambda: subprocess.Popen(['true'], start_new_session=True),\n"
            "             lambda: open('aux.txt', 'w'), lambda: os.mkdir('what?'), lambda: os.mkdir('dot.'),\n"
            "             lambda: os.fsync(os.open('x', os.O_RDONLY)), lambda: os.open('.', os.O_RDONLY),\n"
            "             lambda: os.rename('x', 'y'), lambda: os.replace('open', 'y'), lambda: os.unlink('open')):\n"
            "    try:\n"
            "        test()\n"
            "    except (AttributeError, ImportError, ValueError, OSError) as error:\n"
            "        print(type(error).__name__)\n",
            encoding="utf-8",
        )
        code = "import sys; sys.path.insert(0, '.'); held = open('open', 'w'); open('x', 'w'); import mrviewer_models"
        for name in "xy":
            (tmp_path / name).touch()
        assert printed(windows("-P", "-c", code)).split() == [
            *("AttributeError", "AttributeError", "ModuleNotFoundError", "ValueError"),
            *("OSError", "OSError", "OSError", "OSError", "PermissionError"),
            *("FileExistsError", "PermissionError", "PermissionError"),
        ]

    @pytest.mark.slow
    def test_every_module_imports(self, windows: Windows) -> None:
        names = modules()
        assert int(printed(windows("-c", IMPORTS, *names))) == len(names) > 300

    def test_the_program_starts(self, windows: Windows) -> None:
        assert printed(windows("-m", "mrviewer", "--version")).startswith("mrviewer ")

    @pytest.mark.slow
    def test_a_study_is_opened_reconstructed_and_saved(self, windows: Windows, tmp_path: Path) -> None:
        write_database(tmp_path / "patients", ("anna",))
        assert "FLAIR" in printed(windows("-m", "mrviewer", "info", "patients"))
        command = ("-m", "mrviewer", "reconstruct", "patients/anna/FLAIR.nii.gz", "--method", "zero-filled")
        options = ("--mask", "random", "--acceleration", "4", "--output", "out")
        # The second time files of the first take part.
        for _ in range(2):
            printed(windows(*command, *options))
        assert (tmp_path / "out" / "reconstruction.nii.gz").is_file()
        printed(windows("-m", "mrviewer", "export-bids", "--results", "out", "--output", "bids"))
        assert list((tmp_path / "bids").rglob("*_FLAIR.nii.gz"))

    @pytest.mark.slow
    def test_a_model_is_fine_tuned_in_the_background(self, windows: Windows, tmp_path: Path) -> None:
        make_weights(tmp_path / "parent", write_database(tmp_path / "patients", ("anna", "bert", "carl")))
        assert printed(windows("-c", RUNS)).startswith("finished"), (tmp_path / "run" / "output.log").read_text()
        assert (tmp_path / "models" / "ours.safetensors").is_file()


def test_no_module_needs_what_only_posix_has_at_its_top() -> None:
    tops = {
        f"{path.name}: {name}"
        for package, shelf in SHELVES.items()
        for path in (shelf / package).rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([one.name for one in node.names] if isinstance(node, ast.Import) else [node.module])
        if name in POSIX_ONLY
    }
    assert tops == set()


@pytest.mark.parametrize("shelf", ["mrviewer", "models", "plugins", "benchmarks", "examples"])
def test_text_files_are_utf_8_on_every_system(shelf: str) -> None:
    # The linter sees it where it knows that something is a path.
    unsaid = [
        f"{path.name}:{node.lineno}"
        for path in (ROOT / shelf).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("read_text", "write_text")
        and not any(keyword.arg == "encoding" for keyword in node.keywords)
    ]
    assert unsaid == []
