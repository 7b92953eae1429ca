"""Fixtures of the core's tests."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from planted_dicom import DicomSeries, make_series

from mrviewer.array_files import hdf5_file
from mrviewer.writers.dicom.dicom_source import DicomSource, read_sources


@pytest.fixture
def sound_hdf5(monkeypatch: pytest.MonkeyPatch) -> None:
    """Open HDF5 files that a test wrote itself without trying each of them in a process of its own first."""
    monkeypatch.setattr(hdf5_file, "require_readable", lambda path: None)


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small database of `finetuning_cases`, for tests that leave it as it is."""
    from finetuning_cases import write_database

    return write_database(tmp_path_factory.mktemp("data") / "patients")


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory, database: Path) -> Path:
    """Weights that have learned for one step on it."""
    from finetuning_cases import make_weights

    return make_weights(tmp_path_factory.mktemp("parent"), database)


@pytest.fixture
def series(tmp_path: Path) -> DicomSeries:
    """A DICOM series in a folder."""
    return make_series(tmp_path / "dicom")


@pytest.fixture
def source(series: DicomSeries) -> DicomSource:
    """The same as what is written can refer to it."""
    return read_sources(series.folder)[0]


@pytest.fixture
def docs_tables() -> ModuleType:
    """The script that writes the tables of the documentation."""
    path = Path(__file__).resolve().parents[2] / "docs" / "tables.py"
    if not path.is_file():
        pytest.skip("the documentation stays in the checkout; these tests run beside an installed wheel, too")
    spec = spec_from_file_location("docs_tables", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module
