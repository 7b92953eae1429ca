"""The scripts of the set-up on systems other than Linux: macOS has bash 3.2, BSD tools, GNU make 3.81 and no Xvfb."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "setup").glob("*.sh"))

pytestmark = pytest.mark.skipif(not SCRIPTS, reason="the set-up stays in the checkout")


@pytest.fixture
def darwin(tmp_path: Path) -> dict[str, str]:
    """Variables under which a shell takes this machine for a Mac that has no X."""
    (tmp_path / "uname").write_text("#!/bin/sh\necho Darwin\n", encoding="utf-8")
    (tmp_path / "uname").chmod(0o755)
    for name in ("xvfb-run", "apt-get"):
        (tmp_path / name).write_text("#!/bin/sh\necho unexpected >&2\nexit 1\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return {**kept, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}


def said(command: list[str], variables: dict[str, str]) -> str:
    done = subprocess.run(
        command, cwd=ROOT, env=variables, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_mac_needs_no_virtual_screen(darwin: dict[str, str]) -> None:
    assert said(["setup/display.sh", "echo", "here"], darwin) == "here\n"
    assert said(["setup/libraries.sh"], darwin) == ""


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_the_viewer_opens_on_a_mac(darwin: dict[str, str]) -> None:
    commands = said(["make", "--no-print-directory", "-n", "run"], darwin)
    assert commands.rstrip().endswith("mrviewer demo")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_the_set_up_is_plain_sh(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert text.startswith("#!/bin/sh\n")
    assert re.findall(r"\[\[|\blocal\b|\bdeclare\b|=\(|\$'|<<<|sed -[ir]|readlink -f|grep -P|mapfile", text) == []


def test_make_uses_no_tool_of_gnu_alone() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.findall(r"sed |readlink -f|\$\(file |^\.ONESHELL|^[^\t#:]+!=|grep -P|&:", text, re.MULTILINE) == []
