"""Fixtures of the core's tests."""

import pytest

from mrviewer.array_files import hdf5_file


@pytest.fixture
def sound_hdf5(monkeypatch: pytest.MonkeyPatch) -> None:
    """Open HDF5 files that a test wrote itself without trying each of them in a process of its own first."""
    monkeypatch.setattr(hdf5_file, "require_readable", lambda path: None)
