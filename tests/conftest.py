"""Fixtures that every part of the suite shares."""

import gc
import os
import shutil
import signal
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

# Fewer examples of each law in daily work: HYPOTHESIS_PROFILE=thorough asks for more.
settings.register_profile("daily", max_examples=30, deadline=None)
settings.register_profile("thorough", max_examples=300, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "daily"))

ROOT = Path(__file__).resolve().parents[1]
# The core is tested where napari is not installed, too.
collect_ignore = [] if find_spec("napari") else ["plugin"]
_WINDOWS = {"docked", "make_napari_viewer"}
HAS_SCREEN = sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def pytest_configure(config: pytest.Config) -> None:
    """Keep tests, and programs that they start, from the user's settings and from a screen that is not there."""
    _heed_signals()
    home = Path(tempfile.mkdtemp(prefix="mrviewer-tests-"))
    config.add_cleanup(lambda: shutil.rmtree(home, ignore_errors=True))
    os.environ |= {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    for name in ("MRVIEWER_MODELS", "MRVIEWER_RUNS"):
        os.environ.pop(name, None)
    os.environ["NAPARI_CONFIG"] = str(home / "napari" / "settings.yaml")
    os.environ["NAPARI_ENSURE_PLUGIN_MAIN_THREAD"] = "1"
    if not HAS_SCREEN:
        # Qt aborts the whole process when it finds no screen.
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    if settings := sys.modules.get("napari.settings"):
        # napari's own pytest plugin imported it before this file, with the user's path.
        settings.get_settings(os.environ["NAPARI_CONFIG"])
        vars(settings)["_CFG_PATH"] = os.environ["NAPARI_CONFIG"]


def _heed_signals() -> None:
    """A suite that runs in the background, or under ``nohup``, ignores what its tests send to themselves."""
    handlers = {"SIGINT": signal.default_int_handler, "SIGHUP": signal.SIG_DFL}
    for name, handler in handlers.items():
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what cannot be drawn, call slow what opens a window; keep together what shares a screen, or fixtures."""
    for item in items:
        if isinstance(item, pytest.Function) and _WINDOWS & set(item.fixturenames):
            item.add_marker(pytest.mark.slow)
        folder = item.path.parent.name
        # Read by pytest-xdist, where several processes test; two windows on one screen would take each other's keys.
        item.add_marker(pytest.mark.xdist_group("screen" if folder == "plugin" else f"{folder}/{item.path.stem}"))
    if not HAS_SCREEN:
        reason = "draws on a screen, and DISPLAY and WAYLAND_DISPLAY are unset; xvfb-run gives one"
        for item in items:
            if item.get_closest_marker("gl"):
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_collection_finish() -> None:
    """Keep the garbage collector from going through all modules again after each window that a test closes."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data; tests that ask for it are skipped where it is absent."""
    folder = Path(os.environ.get("MRVIEWER_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "README.md").is_file():
        pytest.skip(
            f"real data are absent: no {folder.name} folder beside the checkout, and MRVIEWER_SHARED_DATA is unset"
        )
    return folder
