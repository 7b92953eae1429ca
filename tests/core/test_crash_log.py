"""A crash inside a library leaves the lines of code that led to it in a file of the user's."""

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import faulthandler, sys
from mrviewer.system import crash_log
print(crash_log.crash_log())
{before}
sys.stdout.flush()
faulthandler._sigsegv()
"""


def run(tmp_path: Path, before: str) -> tuple[Path, int, str]:
    """Let a program crash; where its trace belongs, its exit status, and what it said."""
    folders = {f"XDG_{name}_HOME": str(tmp_path / name) for name in ("STATE", "CONFIG", "DATA", "CACHE")}
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONFAULTHANDLER"} | folders
    command = [sys.executable, "-c", PROGRAM.format(before=before)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return Path(done.stdout.splitlines()[0]), done.returncode, done.stderr


def test_every_command_keeps_a_crash_log(tmp_path: Path) -> None:
    path, status, said = run(tmp_path, "from mrviewer.cli import main; main(['masks', '--json'])")
    assert status != 0
    assert "egmentation fault" in path.read_text() or "access violation" in path.read_text()
    assert "most recent call first" not in said


def test_a_program_that_has_a_handler_keeps_it(tmp_path: Path) -> None:
    path, _, said = run(tmp_path, "faulthandler.enable(); crash_log.keep_crash_log()")
    assert not path.exists()
    assert "most recent call first" in said


def test_an_unwritable_folder_keeps_nobody_from_working(tmp_path: Path) -> None:
    (tmp_path / "STATE").write_text("a file where the folder should be")
    path, status, _ = run(tmp_path, "from mrviewer.cli import main; assert main(['masks', '--json']) == 0")
    assert status != 0
    assert not path.exists()
