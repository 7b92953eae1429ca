"""Fixtures that every part of the suite shares."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data; tests that ask for it are skipped where it is absent."""
    folder = Path(os.environ.get("MRVIEWER_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "README.md").is_file():
        pytest.skip(f"real data are absent: no {folder.name} folder beside the checkout, and MRVIEWER_SHARED_DATA is unset")
    return folder
